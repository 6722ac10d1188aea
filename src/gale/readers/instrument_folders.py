"""Folders in which a maker's software keeps one run: which they are, and what of them is read.

The files that matter are packed as bytes, so that a run in a folder can be hashed, kept and read
like one in a file. Folders are only listed and their ordinary files read, whatever else is in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gale.errors import ReadError
from gale.plumbing.text import display_name
from gale.readers.formats import name_format
from gale.readers.limits import HEAD_BYTES, MAX_BYTES
from gale.readers.refused import CONVERT, Kind, kind_refusal, refusal
from gale.readers.vendors import chemstation, masshunter, masslynx
from gale.run import Run

DETECTORS = re.compile(r".*\.(ch|uv|ms|cg|sd)|_chro\d+\.dat")
"""Names, in lower case, of files that hold what a detector saw."""

BRUKER = {"analysis.baf", "analysis.tdf", "analysis.tsf", "analysis.yep"}
MASSHUNTER = ("msscan.xsd", "msscan.bin", "mspeak.bin")
FLIGHT_TIMES = {"msmasscal.bin", "defaultmasscal.xml"}

_FUNCTION = re.compile(r"_func\d{3}\.(dat|idx)")


@dataclass(frozen=True)
class RunFolder:
    """What the folder of a run is.

    Parameters
    ----------
    kind : Kind
        What it is, and how to get a run out of it if it cannot be read.
    format : str
        ``chemstation``, ``masshunter`` or ``masslynx``; empty if it cannot be read.
    files : mapping of str to Path
        What has to be read, by the name in lower case.
    others : tuple of str
        Names of files of other detectors.
    """

    kind: Kind
    format: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    others: tuple[str, ...] = ()


class PackedFolder(bytes):
    """The files of a run in a folder: a line of JSON that lists them, and their content."""


def recognise(folder: Path) -> RunFolder | None:
    """Say what the folder of a maker's software is, from names alone; None for any other folder.

    Names of folders only help: one that is called ``.D`` and has a detector's file is Agilent's.

    Raises
    ------
    OSError
        If the folder cannot be listed.
    """
    inside = _listed(folder)
    describe = _maker(folder, inside)
    return None if describe is None else describe(inside)


def is_run_folder(path: Path) -> bool:
    """Whether this is the folder of one run, be it one that gale reads or not."""
    try:
        return path.is_dir() and _maker(path, _listed(path)) is not None
    except OSError:
        return False


def load(folder: Path) -> PackedFolder:
    """Pack the files of a run that are read, and the names of those of other detectors.

    Raises
    ------
    UnsupportedFormatError
        If the folder is of a kind that gale does not read.
    ReadError
        If it is not the folder of a run at all, or holds too much.
    OSError
        If something in it may not be read.
    """
    source = display_name(folder)
    found = recognise(folder)
    if found is None:
        raise ReadError(f"{source}: is a folder; expected the file or folder of one run")
    if not found.format:
        raise kind_refusal(found.kind, source)
    if (size := sum(path.stat().st_size for path in found.files.values())) > MAX_BYTES:
        raise ReadError(
            f"{source}: holds {size / 2**30:.1f} GiB of spectra; expected at most "
            f"{MAX_BYTES / 2**30:g}; {found.kind.remedy}"
        )
    contents = {name: path.read_bytes() for name, path in found.files.items()}
    sizes = {name: len(content) for name, content in contents.items()}
    table = {"format": found.format, "sizes": sizes, "others": found.others}
    return PackedFolder(b"\n".join([json.dumps(table).encode(), b"".join(contents.values())]))


def read(packed: PackedFolder, source: str) -> Run:
    """Read what :func:`load` gave as a run; `source` names the folder in messages.

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
    return run.with_notes(f"what other detectors saw was left out: {', '.join(table['others'])}")


def _read_ms(files: Mapping[str, bytes], source: str) -> Run:
    (name, data), *_ = files.items()
    if not data:
        raise ReadError(f"{source}: {name} is empty; expected mass spectra; copy the folder again")
    if not chemstation.MAGIC.match(data):
        raise refusal(name_format(data[:HEAD_BYTES]), data, f"{source}: {name}")
    return chemstation.read(data, source)


READERS: dict[str, Callable[[Mapping[str, bytes], str], Run]] = {
    "chemstation": _read_ms,
    "masshunter": masshunter.read,
    "masslynx": masslynx.read,
}


def _maker(
    folder: Path, inside: Mapping[str, Path]
) -> Callable[[Mapping[str, Path]], RunFolder] | None:
    """Whose folder it is: what describes it."""
    detected = folder.suffix.lower() == ".d" and any(map(DETECTORS.fullmatch, inside))
    if {"acqdata", "data.ms"} & inside.keys() or detected:
        return _agilent
    if "_functns.inf" in inside or any(map(_FUNCTION.fullmatch, inside)):
        return _waters
    return _bruker if BRUKER & inside.keys() else None


def _agilent(inside: Mapping[str, Path]) -> RunFolder:
    """ChemStation's data.ms where there is one, which MassHunter for GC-MS writes, too."""
    acqdata = inside.get("acqdata")
    acquired = _listed(acqdata) if acqdata is not None and acqdata.is_dir() else {}
    files = _ordinary(inside, lambda name: name.endswith(".ms"))
    if files:
        name = "data.ms" if "data.ms" in files else min(files)
        others = _others(inside, name)
        return RunFolder(_agilent_kind(""), "chemstation", {name: files[name]}, others)
    if FLIGHT_TIMES & acquired.keys():
        return RunFolder(_agilent_kind(" of a time-of-flight instrument"))
    files = _ordinary(acquired, lambda name: name in (*MASSHUNTER, "contents.xml", "msts.xml"))
    if files.keys() >= set(MASSHUNTER):
        return RunFolder(_agilent_kind(""), "masshunter", files, _others(inside))
    if "msprofile.bin" in acquired:
        return RunFolder(_agilent_kind(" of profile spectra"))
    return RunFolder(_agilent_kind(" without mass spectra"))


def _agilent_kind(which: str) -> Kind:
    return Kind(
        b"",
        f"an Agilent .D folder{which}",
        f"export the run as AIA/ANDI from ChemStation or MassHunter, or {CONVERT}",
    )


def _bruker(_: Mapping[str, Path]) -> RunFolder:
    return RunFolder(Kind(b"", "a Bruker .d folder", CONVERT))


def _waters(inside: Mapping[str, Path]) -> RunFolder:
    kind = Kind(
        b"", "a Waters .raw folder", f"export the run as netCDF with DataBridge, or {CONVERT}"
    )
    files = _ordinary(
        inside,
        lambda name: name in ("_functns.inf", "_header.txt") or bool(_FUNCTION.fullmatch(name)),
    )
    indexed = any(name.endswith(".dat") and f"{name[:-4]}.idx" in files for name in files)
    if "_functns.inf" not in files or not indexed:
        return RunFolder(kind)
    return RunFolder(kind, "masslynx", files, _others(inside))


def _listed(folder: Path) -> dict[str, Path]:
    """What is in a folder, by names in lower case, for the makers write them either way."""
    return {entry.name.lower(): entry for entry in sorted(folder.iterdir())}


def _ordinary(inside: Mapping[str, Path], wanted: Callable[[str], bool]) -> dict[str, Path]:
    """The files that are wanted, in order of their names; a pipe would have to be waited for."""
    return {name: path for name, path in inside.items() if wanted(name) and path.is_file()}


def _others(inside: Mapping[str, Path], read: str = "") -> tuple[str, ...]:
    return tuple(
        display_name(path.name)
        for name, path in inside.items()
        if name != read and DETECTORS.fullmatch(name)
    )
