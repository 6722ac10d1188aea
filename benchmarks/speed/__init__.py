"""What work takes: reading, features, fitting, and a whole campaign."""
