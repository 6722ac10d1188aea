"""Folders in which instrument software keeps one run: what they are, and which files are read.

The files of the mass spectrometer are packed as bytes, so that a run in a folder can be hashed,
cached and read like one in a file. Only ordinary files are opened, never a pipe or a device.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from gale.errors import ReadError
from gale.plumbing.reading import is_within, read_bytes
from gale.plumbing.text import display_name
from gale.readers.formats import name_format
from gale.readers.limits import HEAD_BYTES, MAX_BYTES
from gale.readers.refused import CONVERT, FileKind, kind_refusal, refusal
from gale.readers.vendors import chemstation, masshunter, masslynx
from gale.run import Run

DETECTORS = re.compile(r".*\.(ch|uv|ms|cg|sd)|_chro\d+\.dat")
"""Names, in lower case, of files with the data of a detector."""

BRUKER = {"analysis.baf", "analysis.tdf", "analysis.tsf", "analysis.yep"}
MASSHUNTER = ("MSScan.xsd", "MSScan.bin", "MSPeak.bin")
STATED = ("msscan.xsd", "msscan.bin")
"""Files beside a data.ms that state what it lacks: how ions were made."""

FLIGHT_TIMES = {"msmasscal.bin", "defaultmasscal.xml"}

AGILENT = re.compile(
    r"(?:acqdata|acqmeth|acqres|runstart|rteres|lcdiag|gc|pre_post|results|fileinfo|sample|audit).*"
    r"\.(?:txt|reg|ini|csv|xml)|tempbase|.*\.m"
)
"""Names, in lower case, of other files that Agilent's software leaves in a .D folder."""

_FUNCTION = re.compile(r"_func\d{3}\.(dat|idx)")


class Entry(Protocol):
    """A file or folder that can be listed and read: a path, or one inside an archive."""

    @property
    def name(self) -> str:
        """Its own name, without those of the folders it is in."""

    @property
    def suffix(self) -> str:
        """The end of its name, from the last point on."""

    def iterdir(self) -> Iterable[Entry]:
        """List what is in a folder."""

    def is_dir(self) -> bool:
        """Whether it is a folder."""

    def is_file(self) -> bool:
        """Whether it is an ordinary file."""

    def read_bytes(self) -> bytes:
        """Read a file."""


@dataclass(frozen=True)
class RunFolder:
    """The kind of a folder with one run, and the files of it that are read.

    Parameters
    ----------
    kind : FileKind
        What the folder is, and how to get a run out of it if gale cannot read it.
    format : str
        ``chemstation``, ``masshunter`` or ``masslynx``; empty if gale cannot read it.
    files : mapping of str to Entry
        The files to read, by their names in lower case.
    others : tuple of str
        Names of the files of other detectors.
    """

    kind: FileKind
    format: str = ""
    files: Mapping[str, Entry] = field(default_factory=dict)
    others: tuple[str, ...] = ()


class PackedFolder(bytes):
    """The files to read of one folder: a line of JSON that lists them, then their contents."""


def identify(folder: Entry) -> RunFolder | None:
    """Identify the folder of one run by the names of its files; None for any other folder.

    The name of the folder itself only helps: a ``.D`` with a detector's file is Agilent's.

    Raises
    ------
    OSError
        If the folder cannot be listed.
    """
    inside = _entries(folder)
    describe = _maker(folder, inside)
    return None if describe is None else describe(inside)


def is_run_folder(path: Path) -> bool:
    """Whether this is the folder of one run, which gale may or may not be able to read."""
    try:
        return path.is_dir() and _maker(path, _entries(path)) is not None
    except OSError:
        return False


def load(folder: Path) -> PackedFolder:
    """Pack the files of a folder that are read.

    Raises
    ------
    UnsupportedFormatError
        If the folder is of a kind that gale does not read.
    ReadError
        If it is not the folder of a run, its spectra exceed
        :data:`gale.readers.limits.MAX_BYTES`, or a link in it leads out of it.
    OSError
        If the folder or a file in it may not be read.
    """
    source = display_name(folder)
    found = identify(folder)
    if found is None:
        raise ReadError(
            source, "is a folder", "the file or folder of one run", "choose one of the runs in it"
        )
    paths = [path for path in found.files.values() if isinstance(path, Path)]
    if outside := [path.name for path in paths if not is_within(path, folder)]:
        raise ReadError(
            f"{source}: {display_name(outside[0])}",
            "is a link that leads out of the folder",
            "the whole folder of a run",
            "copy the file into it",
        )
    sizes = [path.stat().st_size for path in paths]
    if sum(sizes) > MAX_BYTES:
        raise ReadError(
            source,
            f"holds {sum(sizes) / 2**30:.1f} GiB of spectra",
            f"at most {MAX_BYTES / 2**30:g} GiB",
            found.kind.remedy,
        )
    return pack(found, source)


def pack(found: RunFolder, source: str) -> PackedFolder:
    """Pack the files to read, and the names of those of other detectors.

    Raises
    ------
    UnsupportedFormatError
        If the folder is of a kind that gale does not read.
    OSError, ReadError
        If a file in it, or the archive that it is in, cannot be read.
    """
    if not found.format:
        raise kind_refusal(found.kind, source)
    contents = {name: _content(path) for name, path in found.files.items()}
    sizes = {name: len(content) for name, content in contents.items()}
    table = {"format": found.format, "sizes": sizes, "others": found.others}
    return PackedFolder(b"\n".join([json.dumps(table).encode(), b"".join(contents.values())]))


def read(packed: PackedFolder, source: str) -> Run:
    """Read the run in a packed folder; `source` names the folder in messages.

    Raises
    ------
    ReadError
        If the files are damaged or do not hold a run that gale reads.
    """
    end = packed.index(b"\n") + 1
    table = json.loads(packed[:end])
    files = {}
    for name, size in table["sizes"].items():
        files[name] = packed[end : end + size]
        end += size
    run = READERS[table["format"]](files, source)
    if not table["others"]:
        return run
    return run.with_notes(
        f"the data of other detectors were left out: {', '.join(table['others'])}"
    )


def _read_ms(files: Mapping[str, bytes], source: str) -> Run:
    (name, data), *others = files.items()
    if not data:
        raise ReadError(f"{source}: {name}", "is empty", "mass spectra", "copy the folder again")
    if not chemstation.MAGIC.match(data):
        raise refusal(name_format(data[:HEAD_BYTES]), data, f"{source}: {name}")
    run = chemstation.read(data, source)
    return replace(run, facts={**run.facts, **masshunter.ionisation_of(dict(others))})


READERS: dict[str, Callable[[Mapping[str, bytes], str], Run]] = {
    "chemstation": _read_ms,
    "masshunter": masshunter.read,
    "masslynx": masslynx.read,
}


def _maker(
    folder: Entry, inside: Mapping[str, Entry]
) -> Callable[[Mapping[str, Entry]], RunFolder] | None:
    """Choose the function that describes a folder of this maker; None if no maker is known."""
    detected = folder.suffix.lower() == ".d" and any(
        DETECTORS.fullmatch(name) or AGILENT.fullmatch(name) for name in inside
    )
    if BRUKER & inside.keys():
        return _bruker
    if {"acqdata", "data.ms"} & inside.keys() or detected:
        return _agilent
    if "_functns.inf" in inside or any(map(_FUNCTION.fullmatch, inside)):
        return _waters
    return None


def _agilent(inside: Mapping[str, Entry]) -> RunFolder:
    """Describe an Agilent folder: read data.ms where there is one, otherwise AcqData.

    ChemStation writes data.ms, and so does MassHunter for GC-MS, whose list of scans states the
    ionisation.
    """
    acqdata = inside.get("acqdata")
    acquired = _entries(acqdata) if acqdata is not None and acqdata.is_dir() else {}
    files = _wanted_files(inside, lambda name: name.endswith(".ms"))
    if files:
        name = "data.ms" if "data.ms" in files else min(files)
        others = _other_detectors(inside, name)
        stated = _wanted_files(acquired, lambda each: each in STATED)
        return RunFolder(_agilent_kind(""), "chemstation", {name: files[name], **stated}, others)
    if FLIGHT_TIMES & acquired.keys():
        return RunFolder(_agilent_kind(" of a time-of-flight instrument"))
    needed = [name.lower() for name in MASSHUNTER]
    files = _wanted_files(acquired, lambda name: name in (*needed, "contents.xml", "msts.xml"))
    missing = [name for name in MASSHUNTER if name.lower() not in files]
    if not missing:
        return RunFolder(_agilent_kind(""), "masshunter", files, _other_detectors(inside))
    if "msprofile.bin" in acquired:
        return RunFolder(_agilent_kind(" of profile spectra"))
    if len(missing) < len(MASSHUNTER):
        return _incomplete("an Agilent .D folder", [f"AcqData/{name}" for name in missing])
    return _incomplete("an Agilent .D folder", ["mass spectra (data.ms, or AcqData/MSScan.bin)"])


def _agilent_kind(which: str) -> FileKind:
    return FileKind(
        b"",
        f"an Agilent .D folder{which}",
        f"export the run as AIA/ANDI from ChemStation or MassHunter, or {CONVERT}",
    )


def _incomplete(what: str, missing: Sequence[str]) -> RunFolder:
    """Describe a folder that lacks files that are read; to convert it would not help."""
    return RunFolder(
        FileKind(
            b"",
            f"{what} without {' and '.join(missing)}",
            "copy the folder again with everything in it",
            expected="the whole folder of a run",
        )
    )


def _bruker(_: Mapping[str, Entry]) -> RunFolder:
    return RunFolder(FileKind(b"", "a Bruker .d folder", CONVERT))


def _waters(inside: Mapping[str, Entry]) -> RunFolder:
    kind = FileKind(
        b"", "a Waters .raw folder", f"export the run as netCDF with DataBridge, or {CONVERT}"
    )
    files = _wanted_files(
        inside,
        lambda name: name in ("_functns.inf", "_header.txt") or bool(_FUNCTION.fullmatch(name)),
    )
    missing = [] if "_functns.inf" in files else ["_FUNCTNS.INF"]
    parts = [name for name in files if _FUNCTION.fullmatch(name)]
    pairs = [name[:-4] for name in parts if {f"{name[:-4]}.dat", f"{name[:-4]}.idx"} <= {*parts}]
    if not pairs:
        first = parts[0][:-4].upper() if parts else "_FUNC001"
        missing += [
            f"{first}{end}" for end in (".DAT", ".IDX") if f"{first}{end}".lower() not in parts
        ]
    if missing:
        return _incomplete("a Waters .raw folder", missing)
    return RunFolder(kind, "masslynx", files, _other_detectors(inside))


def _entries(folder: Entry) -> dict[str, Entry]:
    """What is in a folder, by its names in lower case, since makers write them either way."""
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return {entry.name.lower(): entry for entry in entries}


def _content(entry: Entry) -> bytes:
    return read_bytes(entry) if isinstance(entry, Path) else entry.read_bytes()


def _wanted_files(inside: Mapping[str, Entry], wanted: Callable[[str], bool]) -> dict[str, Entry]:
    """The ordinary files with wanted names, by name; reading a pipe would wait forever."""
    return {name: path for name, path in inside.items() if wanted(name) and path.is_file()}


def _other_detectors(inside: Mapping[str, Entry], read: str = "") -> tuple[str, ...]:
    return tuple(
        display_name(path.name)
        for name, path in inside.items()
        if name != read and DETECTORS.fullmatch(name)
    )
