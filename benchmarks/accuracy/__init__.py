"""How good predictions are: recipes beside each other on simulated campaigns, and ten real runs."""
