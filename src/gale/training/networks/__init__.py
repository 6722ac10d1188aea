"""Networks: from features to one score (logit) a family."""
