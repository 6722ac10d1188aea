"""How right the spectra are that come with gale."""
