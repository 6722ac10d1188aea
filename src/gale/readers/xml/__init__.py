"""mzML and mzXML."""
