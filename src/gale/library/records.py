"""From records, as a file has them, to a library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

import numpy as np

from gale.errors import ReadError
from gale.library.columns import Library
from gale.library.peaks import parse_peaks

NO_NAME = "no name"
OTHER_IONISATION = "not electron ionisation"

_OTHER_IONISATION = {"APCI", "APPI", "CI", "ESI", "FAB", "FD", "FI", "MALDI"}
_NUMBER = r"[-+]?\d{1,6}(?:\.\d*)?"
_PLAIN_INDEX = re.compile(rf"\s*({_NUMBER})(?![\w=])")
_INDEX_OF_COLUMN = re.compile(rf"(SemiStdNP|StdNP)\s*=\s*({_NUMBER})", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """One record of a library: what it says of its compound, and its peaks as text.

    Parameters
    ----------
    families : tuple of str, or None
        Families of the compound, where the record says so.
    retention_index : float
        NaN if unknown.
    instrument : str
        Type of the instrument, as ``GC-EI-TOF``.
    declared : int
        Number of peaks that the record says it has; -1 if it says something else.
    flaw : str
        Why it cannot be used, where its reader knows that already.
    """

    name: str = ""
    formula: str = ""
    smiles: str = ""
    inchi: str = ""
    inchikey: str = ""
    derivative: str = ""
    families: tuple[str, ...] | None = None
    retention_index: float = nan
    instrument: str = ""
    peaks: str = ""
    declared: int = 0
    flaw: str = ""


def parse_index(text: str) -> float:
    """Read a retention index: ``1512.3``, ``1512 (n-alkanes)``, ``StdNP=1498/4 StdPolar=2010/9``.

    Of several columns the semi-standard non-polar one goes before the standard non-polar one, and
    others are left alone.

    Returns
    -------
    float
        NaN if there is none, or one that is not positive, as some files write for none.
    """
    of_column = {name.lower(): number for name, number in _INDEX_OF_COLUMN.findall(text)}
    plain = _PLAIN_INDEX.match(text)
    number = of_column.get("semistdnp") or of_column.get("stdnp") or (plain[1] if plain else "nan")
    index = float(number)
    return index if index > 0 else nan


def parse_count(text: str) -> int:
    """Read the number of peaks that a record declares; -1 if it is none."""
    match = re.match(r"\s*(\d{1,9})\b", text)
    return int(match[1]) if match else -1


def gather(records: Iterable[Record], source: str, *, columns: int) -> Library:
    """Make a library of the records that can be used, and count the others by reason.

    Parameters
    ----------
    columns : int
        Numbers of one peak; see :func:`gale.library.peaks.parse_peaks`.

    Raises
    ------
    ReadError
        If no record can be used.
    """
    skipped: Counter[str] = Counter()
    sound = []
    for record in records:
        if flaw := _flaw(record):
            skipped[flaw] += 1
        else:
            sound.append(record)
    peaks = parse_peaks([each.peaks for each in sound], [each.declared for each in sound], columns)
    skipped.update(filter(None, peaks.flaw))
    used = [record for record, count in zip(sound, peaks.count, strict=True) if count]
    if not used:
        raise _none_left(source, skipped)
    return Library(
        name=tuple(record.name for record in used),
        spectrum_start=np.append(0, np.cumsum(peaks.count[peaks.count > 0])),
        mz=peaks.mz,
        intensity=peaks.intensity,
        retention_index=np.array([record.retention_index for record in used]),
        formula=tuple(record.formula for record in used),
        smiles=tuple(record.smiles for record in used),
        inchi=tuple(record.inchi for record in used),
        inchikey=tuple(record.inchikey for record in used),
        derivative=tuple(record.derivative for record in used),
        families=tuple(record.families for record in used),
        source=source,
        skipped=skipped,
    )


def _flaw(record: Record) -> str:
    """Why a record cannot be used, peaks aside; empty if it can."""
    if record.flaw:
        return record.flaw
    if not record.name:
        return NO_NAME
    if _OTHER_IONISATION.intersection(re.split(r"[^A-Z]+", record.instrument.upper())):
        return OTHER_IONISATION
    return ""


def _none_left(source: str, skipped: Counter[str]) -> ReadError:
    found = ", ".join(f"{count:,} with: {reason}" for reason, count in skipped.most_common())
    return ReadError(
        f"{source}: holds no spectrum that can be used ({found or 'no records were found'}); "
        "expected an MSP library (Name:, Num Peaks:, peaks) or MassBank records; check the path"
    )
