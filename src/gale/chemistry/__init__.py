"""Families, derivatives and retention indices from structures, with RDKit (the extra ``chem``)."""
