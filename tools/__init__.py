"""What developers run: each module says how."""
