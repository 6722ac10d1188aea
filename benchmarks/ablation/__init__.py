"""What each ingredient of the recipe `default` contributes, and what pre-training does."""
