"""How much simulated campaigns are like real ones."""
