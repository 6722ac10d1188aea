"""Whether what gale says beside its probabilities is right: evidence, second look, distance."""
