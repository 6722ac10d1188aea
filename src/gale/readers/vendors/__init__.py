"""Files in the folders of instrument software: Agilent and Waters."""
