"""Formats that gale recognises but does not read, and the errors for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from gale.errors import UnsupportedFormatError

READS = "CSV, Parquet, Arrow, ANDI netCDF, JCAMP-DX, mzML, mzXML, or an Agilent or Waters folder"
"""The formats that gale reads, for messages."""

CONVERT = "convert it to mzML with ProteoWizard's msconvert (peak picking on)"


@dataclass(frozen=True)
class FileKind:
    """A kind of file or folder.

    Parameters
    ----------
    magic : bytes
        How such a file begins; empty if something else shows what it is.
    what : str
        What it is, as the rest of a sentence that begins with "is".
    remedy : str
        How to get a run from it.
    """

    magic: bytes
    what: str
    remedy: str


UNSUPPORTED = {
    "zip": FileKind(b"PK\x03\x04", "a ZIP archive", "unzip it and choose a run"),
    "gzip": FileKind(b"\x1f\x8b", "compressed more than once", "decompress it"),
    "feather": FileKind(
        b"FEA1", "a Feather file of version 1", "write it again as Arrow or Parquet"
    ),
    "bzip2": FileKind(b"BZh", "a bzip2 file", "decompress it, or use gzip"),
    "xz": FileKind(b"\xfd7zXZ", "an xz file", "decompress it, or use gzip"),
    "zstd": FileKind(b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it, or use gzip"),
    "lcms": FileKind(
        b"\x012\0\0\x11MSD Spectral File",
        "an Agilent LC-MS file",
        f"choose a GC-MS run, or {CONVERT}",
    ),
    "thermo": FileKind(
        b"\x01\xa1F\x00i\x00n\x00n\x00i\x00g\x00a\x00n\x00",
        "a Thermo .raw file",
        f"export the run as ANDI from Xcalibur, or {CONVERT}",
    ),
    "ole": FileKind(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an OLE file, such as a Shimadzu .qgd or an old Excel sheet",
        "export the run as ANDI or mzML from the maker's software, or the sheet as CSV",
    ),
    "pdf": FileKind(b"%PDF", "a PDF", "export the run itself"),
    "utf16": FileKind(b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    "onnx": FileKind(
        b"\x08", "an ONNX file, the format of models", "load a model with gale.Model.load"
    ),
    "json": FileKind(b"{", "JSON", "write it as CSV with one row per ion"),
    "text": FileKind(b"", "text without columns", "write it as CSV with one row per ion"),
    "xml": FileKind(b"", "XML, but not mzML", "export the run as ANDI or mzML"),
}
"""What gale recognises but does not read, by the name that :func:`gale.readers.sniff` gives it."""

BY_SUFFIX = {
    ".lcd": "Shimadzu LabSolutions",
    ".peg": "LECO ChromaTOF",
    ".qgd": "Shimadzu GCMSsolution",
    ".smp": "LECO ChromaTOF",
    ".sms": "Varian Saturn",
    ".wiff": "Sciex Analyst",
    ".xms": "Bruker or Varian MS Workstation",
}
"""Software that writes files with these suffixes: a hint for files with unknown content."""


def refusal(name: str | None, head: bytes, source: str) -> UnsupportedFormatError:
    """Make the error for a file that begins with `head`, in a format that gale does not read.

    Parameters
    ----------
    name : str, optional
        A key of :data:`UNSUPPORTED`; None if the format is unknown.
    head : bytes
        The beginning of the file.
    source : str
        Name of the file.
    """
    if name is not None:
        return kind_refusal(UNSUPPORTED[name], source)
    software = BY_SUFFIX.get(PurePath(source).suffix.lower())
    hint = f" (its name is like those of {software})" if software else ""
    return UnsupportedFormatError(
        source,
        f"begins with {head[:12]!r}, which is not a format gale knows{hint}",
        READS,
        "export the run as ANDI (also called AIA or netCDF) or mzML",
    )


def kind_refusal(kind: FileKind, source: str) -> UnsupportedFormatError:
    """Make the error for a file or folder of a kind that gale does not read."""
    return UnsupportedFormatError(source, f"is {kind.what}", READS, kind.remedy)
