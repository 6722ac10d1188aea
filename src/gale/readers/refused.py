"""Formats that gale recognises but does not read, and the errors for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    pattern : bytes
        A regular expression that matches the beginning of such a file, if `magic` cannot say it.
    expected : str
        What is expected instead.
    """

    magic: bytes
    what: str
    remedy: str
    pattern: bytes = b""
    expected: str = READS

    def begins(self, head: bytes) -> bool:
        """Whether a file of this kind may begin with `head`; False if the head shows nothing."""
        if self.magic:
            return head.startswith(self.magic)
        return bool(self.pattern and re.match(self.pattern, head))


_ROOT = rb"(?is)(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*<(?:[\w.-]+:)?"
"""What comes before the name of the root element of XML."""

_AS_ANDI = "export the run as ANDI (also called AIA or netCDF) or mzML"
_AS_LIBRARY = "read it with gale.read_library, or choose the run itself"
_UNPACK = "unpack it and choose a run"

BINARY = {
    "zip": FileKind(b"PK\x03\x04", "a ZIP archive", "unzip it and choose a run"),
    "gzip": FileKind(b"\x1f\x8b", "compressed more than once", "decompress it"),
    "feather": FileKind(
        b"FEA1", "a Feather file of version 1", "write it again as Arrow or Parquet"
    ),
    "bzip2": FileKind(b"BZh", "a bzip2 file", "decompress it, or use gzip"),
    "xz": FileKind(b"\xfd7zXZ", "an xz file", "decompress it, or use gzip"),
    "zstd": FileKind(b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it, or use gzip"),
    "7z": FileKind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    "rar": FileKind(b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    "tar": FileKind(b"", "a TAR archive", _UNPACK, rb"(?s).{257}ustar"),
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
    "nasa": FileKind(
        b"",
        "a file of NASA's Common Data Format, which is not the netCDF of ANDI",
        _AS_ANDI,
        rb"\xcd\xf3\0\x01|\xcd\xf2\x60\x02|\0\0\xff\xff\0\0\xff\xff",
    ),
    "hdf4": FileKind(b"\x0e\x03\x13\x01", "an HDF4 file", _AS_ANDI),
    "sqlite": FileKind(b"SQLite format 3\0", "an SQLite database", _AS_ANDI),
    "picture": FileKind(b"", "a picture", "choose the run itself", rb"\x89PNG|\xff\xd8\xff|GIF8"),
    "rtf": FileKind(rb"{\rtf", "formatted text (RTF)", "save it as plain text"),
    "pdf": FileKind(b"%PDF", "a PDF", "export the run itself"),
    "utf16": FileKind(b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    "onnx": FileKind(
        b"\x08", "an ONNX file, the format of models", "load a model with gale.Model.load"
    ),
    "json": FileKind(b"{", "JSON", "write it as CSV with one row per ion"),
}
"""What the first bytes of a file show."""

TEXTS = {
    "lfs": FileKind(
        b"",
        "a Git LFS or git-annex pointer, which stands for a file that was not downloaded",
        "fetch the file with git lfs pull or git annex get",
        rb"version https://git-lfs\.github\.com/|/annex/objects/|(?:\.\./)*\.git/annex/",
    ),
    "web": FileKind(
        b"",
        "a web page",
        "download the file again: a page, perhaps one to sign in, was saved in its place",
        rb"(?is)(?:\s|<!--.*?-->)*<!DOCTYPE\s+html|" + _ROOT.removeprefix(b"(?is)") + rb"html\b",
    ),
    "imzml": FileKind(
        b"",
        "imzML, an image with one spectrum per place rather than per time",
        "choose a run of GC-MS",
        _ROOT + rb"(?:indexed)?mzML\b.*?\baccession=.IMS:",
    ),
    "mzdata": FileKind(b"", "mzData, which mzML replaced", CONVERT, _ROOT + rb"mzData\b"),
    "animl": FileKind(b"", "AnIML", _AS_ANDI, _ROOT + rb"AnIML\b"),
    "gaml": FileKind(b"", "GAML", _AS_ANDI, _ROOT + rb"GAML\b"),
    "amdis": FileKind(
        b"",
        "a list of components that AMDIS found (.ELU or .FIN)",
        "choose the run that AMDIS analysed, such as its CDF file, or "
        "read it with gale.read_library",
        rb"(?ims)(?:DATA FILE\b.*?^)?\s*NAME\s*:\s*\|\s*SC\d",
    ),
    "amdis_library": FileKind(
        b"",
        "an AMDIS library of reference spectra (.MSL)",
        _AS_LIBRARY,
        rb"(?ims)\s*NAME\s*:.*?^NUM ?PEAKS\s*:\s*\d+\s*\(",
    ),
    "msp": FileKind(
        b"",
        "a library of reference spectra (MSP)",
        _AS_LIBRARY,
        rb"(?ims)\s*NAME\s*:.*?^NUM ?PEAKS\s*:",
    ),
    "massbank": FileKind(b"", "a MassBank record", _AS_LIBRARY, rb"ACCESSION\s*:"),
    "mgf": FileKind(
        b"",
        "MGF, a list of spectra without a time axis",
        "choose the run itself",
        rb"(?m)(?:[#;!/].*\n|\w+=.*\n|\s+)*BEGIN IONS\b",
    ),
    "shimadzu": FileKind(
        b"",
        "a text report of Shimadzu's LabSolutions or GCMSsolution",
        _AS_ANDI,
        rb"(?is)\[Header\]\s.*?\[(?:File Information|Original Files|Sample Information)\]",
    ),
    "masshunter_csv": FileKind(
        b"",
        "a CSV export of MassHunter: chromatograms or spectra, each a table of its own",
        f"{_AS_ANDI}, or give the .D folder itself",
        rb"(?:#.*\n)*#Point,X\(",
    ),
    "chromatof": FileKind(
        b"",
        "a table of peaks of LECO ChromaTOF",
        "export the run as ANDI (netCDF) from ChromaTOF",
        rb'(?i)"?(?:Peak #|Name)"?[,\t;].*\bR\.T\. \(s\)',
    ),
}
"""What the beginning of a text shows; the first that matches counts."""

OTHERS = {
    "text": FileKind(b"", "text without columns", "write it as CSV with one row per ion"),
    "xml": FileKind(b"", "XML, but not mzML", "export the run as ANDI or mzML"),
    "mzmlb": FileKind(b"", "mzMLb, which is mzML within HDF5", f"{CONVERT}, as mzML"),
    "mz5": FileKind(b"", "mz5, which is mzML within HDF5", f"{CONVERT}, as mzML"),
}
"""What is known in another way."""

UNSUPPORTED = {**BINARY, **TEXTS, **OTHERS}
"""What gale recognises but does not read, by the name that :func:`gale.readers.sniff` gives it."""

NO_RUNS = (
    *("json", "onnx", "pdf", "text", "picture", "rtf"),
    *("amdis", "amdis_library", "msp", "massbank", "mgf"),
)
"""Formats that never contain a run."""


def name_kind(head: bytes, kinds: Mapping[str, FileKind]) -> str | None:
    """Return the name of the first of `kinds` that may begin so."""
    return next((name for name, kind in kinds.items() if kind.begins(head)), None)


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
        A key of :data:`UNSUPPORTED`; None, or a format that gale reads elsewhere, if none fits.
    head : bytes
        The beginning of the file.
    source : str
        Name of the file.
    """
    if name in UNSUPPORTED:
        return kind_refusal(UNSUPPORTED[name], source)
    software = BY_SUFFIX.get(PurePath(source).suffix.lower())
    hint = f" (its name is like those of {software})" if software else ""
    return UnsupportedFormatError(
        source,
        f"begins with {head[:12]!r}, which is not a format gale knows{hint}",
        READS,
        _AS_ANDI,
    )


def kind_refusal(kind: FileKind, source: str) -> UnsupportedFormatError:
    """Make the error for a file or folder of a kind that gale does not read."""
    return UnsupportedFormatError(source, f"is {kind.what}", kind.expected, kind.remedy)
