"""Files in the folders of makers' software: Agilent and Waters."""
