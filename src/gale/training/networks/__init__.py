"""Networks: from features to one logit per family."""
