"""What each ingredient of earlier_default.toml contributes, and what pre-training does."""
