"""Files that are known for what they are, and that gale does not read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from gale.errors import UnsupportedFormatError

READS = "CSV, Parquet, Arrow, ANDI netCDF, JCAMP-DX, mzML, mzXML, or an Agilent or Waters folder"
"""The formats gale reads, in words."""

CONVERT = "convert it to mzML with ProteoWizard's msconvert (peak picking on)"


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it begins, what it is, and how to get a run out of it."""

    magic: bytes
    what: str
    remedy: str


UNSUPPORTED = {
    "zip": Kind(b"PK\x03\x04", "a ZIP archive", "unzip it and see what is inside"),
    "gzip": Kind(b"\x1f\x8b", "compressed more than once", "decompress it"),
    "feather": Kind(b"FEA1", "a Feather file of version 1", "write it anew as Arrow or Parquet"),
    "bzip2": Kind(b"BZh", "a bzip2 file", "decompress it, or use gzip"),
    "xz": Kind(b"\xfd7zXZ", "an xz file", "decompress it, or use gzip"),
    "zstd": Kind(b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it, or use gzip"),
    "lcms": Kind(
        b"\x012\0\0\x11MSD Spectral File",
        "an Agilent file of LC-MS",
        f"choose a run of GC-MS, or {CONVERT}",
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

BY_SUFFIX = {
    ".lcd": "Shimadzu LabSolutions",
    ".peg": "LECO ChromaTOF",
    ".qgd": "Shimadzu GCMSsolution",
    ".smp": "LECO ChromaTOF",
    ".sms": "Varian Saturn",
    ".wiff": "Sciex Analyst",
    ".xms": "Bruker or Varian MS Workstation",
}
"""Whose files have such names, which is a hint where the content says nothing."""


def refusal(word: str | None, head: bytes, source: str) -> UnsupportedFormatError:
    """Make the error for a file that begins with `head` and that `sniff` called `word`."""
    if word is not None:
        return kind_refusal(UNSUPPORTED[word], source)
    software = BY_SUFFIX.get(PurePath(source).suffix.lower())
    named = f" (its name is that of a run of {software})" if software else ""
    return UnsupportedFormatError(
        f"{source}: begins with {head[:12]!r}, which is not a format gale knows{named}; expected "
        f"{READS}; export the run as ANDI (also called AIA or netCDF) or mzML"
    )


def kind_refusal(kind: Kind, source: str) -> UnsupportedFormatError:
    """Make the error for a file or folder of a kind that gale does not read."""
    return UnsupportedFormatError(f"{source}: is {kind.what}; expected {READS}; {kind.remedy}")
