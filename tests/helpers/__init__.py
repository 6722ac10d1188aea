"""What tests share: files, runs, campaigns, models, and calls of the command line."""
