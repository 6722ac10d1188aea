"""What every room needs and none of them is about: files, tables, text, work."""
