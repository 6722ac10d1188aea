"""What a structure says: families, retention indices, derivatives. Needs RDKit."""
