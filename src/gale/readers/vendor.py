"""Files and folders that are known for what they are, and that gale does not read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gale.errors import UnsupportedFormatError

READS = "CSV, Parquet, ANDI netCDF, JCAMP-DX, mzML or mzXML"
"""The formats gale reads, in words."""

CONVERT = "convert it to mzML with ProteoWizard's msconvert (peak picking on)"


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it begins, what it is, and how to get a run out of it."""

    magic: bytes
    what: str
    remedy: str


UNSUPPORTED = {
    "zip": Kind(b"PK\x03\x04", "a ZIP archive", "unzip it and read what is inside"),
    "gzip": Kind(b"\x1f\x8b", "compressed twice", "decompress it once"),
    "bzip2": Kind(b"BZh", "a bzip2 file", "decompress it, or use gzip"),
    "xz": Kind(b"\xfd7zXZ", "an xz file", "decompress it, or use gzip"),
    "zstd": Kind(b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it, or use gzip"),
    "agilent": Kind(
        b"\x012\x00\x00\x11GC / MS Data File",
        "an Agilent data.ms file",
        f"export the run as AIA/ANDI from ChemStation or MassHunter, or {CONVERT}",
    ),
    "thermo": Kind(
        b"\x01\xa1F\x00i\x00n\x00n\x00i\x00g\x00a\x00n\x00",
        "a Thermo .raw file",
        f"export the run as ANDI from Xcalibur, or {CONVERT}",
    ),
    "ole": Kind(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an OLE file, such as a Shimadzu .qgd or an old Excel sheet",
        "export the run as ANDI or mzML from the maker's software, or the sheet as CSV",
    ),
    "pdf": Kind(b"%PDF", "a PDF", "ask for the run itself"),
    "utf16": Kind(b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    "onnx": Kind(b"\x08", "an ONNX file, as models are", "give it as --model"),
    "json": Kind(b"{", "JSON", "write one row an ion as CSV"),
    "text": Kind(b"", "text without columns", "write one row an ion as CSV"),
    "xml": Kind(b"", "XML, but not mzML", "export the run as ANDI or mzML"),
}
"""The words of :func:`gale.readers.sniff` for what is recognised and not read."""


AGILENT_FOLDER = Kind(b"", "an Agilent .D folder", UNSUPPORTED["agilent"].remedy)
WATERS_FOLDER = Kind(
    b"", "a Waters .raw folder", f"export the run as netCDF with DataBridge, or {CONVERT}"
)


def refusal(word: str | None, head: bytes, source: str) -> UnsupportedFormatError:
    """Make the error for a file that begins with `head` and that `sniff` called `word`."""
    if word is None:
        return UnsupportedFormatError(
            f"{source}: begins with {head[:12]!r}, which is not a format gale knows; expected "
            f"{READS}; export the run as one of them"
        )
    return _error(UNSUPPORTED[word], source)


def folder_refusal(folder: Path) -> UnsupportedFormatError | None:
    """Make the error for the folder in which a maker keeps a run; None for any other folder."""
    names = {entry.name.lower() for entry in folder.iterdir()}
    if names & {"acqdata", "data.ms"}:
        return _error(AGILENT_FOLDER, str(folder))
    if any(name.startswith("_func") and name.endswith(".dat") for name in names):
        return _error(WATERS_FOLDER, str(folder))
    return None


def _error(kind: Kind, source: str) -> UnsupportedFormatError:
    return UnsupportedFormatError(f"{source}: is {kind.what}; expected {READS}; {kind.remedy}")
