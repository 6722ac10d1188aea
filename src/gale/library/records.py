"""From the records of a file to a library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

import numpy as np

from gale.errors import ReadError
from gale.library.library import Library
from gale.library.peak_lists import parse_peak_lists
from gale.plumbing.text import counted

NO_NAME = "no name"
OTHER_IONISATION = "not electron ionisation"

_ELECTRON = {"EI", "ELECTRON"}
_OTHER_IONISATION = {
    "APCI", "APPI", "CI", "DESI", "ESI", "FAB", "FD", "FI", "LC", "MALDI", "NCI", "PCI",
}  # fmt: skip
_ACTIVATION = {"CID", "ETD", "HCD", "TANDEM"}
"""Words of types of instruments that state fragments of a chosen ion."""

_FRAGMENTS = re.compile(r"\bms[ -]?(?:[2-9n]\b|/ ?ms|\^)|tandem|^\s*[2-9]\s*$", re.IGNORECASE)
"""Kinds of spectra of a chosen ion: MS2, MS/MS, MSn, or the level alone."""

_ADDUCT = re.compile(r"\[\d?M[^\]]*[-+][^\]]+\]")
"""An ion of a molecule with something added or taken away; that of electron ionisation is M+."""

_NUMBER = r"[-+]?\d{1,6}(?:\.\d*)?"
_PLAIN_INDEX = re.compile(rf"\s*({_NUMBER})(?![\w=])")
_INDEX_OF_COLUMN = re.compile(rf"(SemiStdNP|StdNP)\s*=\s*({_NUMBER})", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """One record of a library: facts about its compound, and its peak list as text.

    Parameters
    ----------
    families : tuple of str, or None
        Families of the compound, if the record states them.
    retention_index : float
        NaN if unknown.
    instrument : str
        Type of the instrument, such as ``GC-EI-TOF``.
    ionisation : str
        How ions are made, such as ``EI``.
    stage : str
        Kind of the spectrum, such as ``MS2``.
    adduct : str
        The ion that was fragmented, such as ``[M+H]+``.
    peak_list : str
        See :func:`gale.library.peak_lists.parse_peak_lists`.
    declared : int
        Number of peaks that the record declares; -1 if it declares something else.
    flaw : str
        Why the record cannot be used, if its reader knows that already.
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
    ionisation: str = ""
    stage: str = ""
    adduct: str = ""
    peak_list: str = ""
    declared: int = 0
    flaw: str = ""


def parse_index(text: str) -> float:
    """Read a retention index: ``1512.3``, ``1512 (n-alkanes)``, ``StdNP=1498/4 StdPolar=2010/9``.

    The semi-standard non-polar column is preferred to the standard non-polar one; other columns
    are ignored.

    Returns
    -------
    float
        NaN if there is no index, or it is not positive; some files write 0 or -1 for none.

    Examples
    --------
    >>> parse_index("SemiStdNP=1512/4 StdPolar=2010/9")
    1512.0
    """
    of_column = {name.lower(): number for name, number in _INDEX_OF_COLUMN.findall(text)}
    plain = _PLAIN_INDEX.match(text)
    number = of_column.get("semistdnp") or of_column.get("stdnp") or (plain[1] if plain else "nan")
    index = float(number)
    return index if index > 0 else nan


def parse_count(text: str) -> int:
    """Read the number of peaks that a record declares; -1 if it is not a number."""
    match = re.match(r"\s*(\d{1,9})\b", text)
    return int(match[1]) if match else -1


def build_library(records: Iterable[Record], source: str, peak_columns: int) -> Library:
    """Make a library of the usable records, and count the others by reason.

    Parameters
    ----------
    records : iterable of Record
    source : str
        Name of the library in messages.
    peak_columns : int
        Numbers per peak; see :func:`gale.library.peak_lists.parse_peak_lists`.

    Raises
    ------
    ReadError
        If no record is usable.
    """
    skipped: Counter[str] = Counter()
    candidates = []
    for record in records:
        if flaw := _flaw(record):
            skipped[flaw] += 1
        else:
            candidates.append(record)
    peaks = parse_peak_lists(
        [record.peak_list for record in candidates],
        [record.declared for record in candidates],
        peak_columns,
    )
    skipped.update(filter(None, peaks.flaw))
    used = [record for record, count in zip(candidates, peaks.count, strict=True) if count]
    if not used:
        raise _nothing_usable(source, skipped)
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
    """Return why a record cannot be used, apart from its peaks; empty if it can."""
    if record.flaw:
        return record.flaw
    if not record.name:
        return NO_NAME
    return "" if _is_electron_ionisation(record) else OTHER_IONISATION


def _is_electron_ionisation(record: Record) -> bool:
    """Whether nothing says that a spectrum is of other ions or of fragments of a chosen one.

    Most libraries of electron ionisation do not say what they are. MS/MS is none, however ions
    were made; where the record says electron ionisation, an adduct is a slip of its software.
    """
    words = {*re.split(r"[^A-Z]+", f"{record.instrument} {record.ionisation}".upper())}
    if _OTHER_IONISATION & words or _FRAGMENTS.search(record.stage):
        return False
    if _ELECTRON & words:
        return True
    return not (_ACTIVATION & words or _ADDUCT.search(record.adduct))


def _nothing_usable(source: str, skipped: Counter[str]) -> ReadError:
    reasons = ", ".join(
        f"{counted(count, 'record')}: {reason}" for reason, count in skipped.most_common()
    )
    return ReadError(
        source,
        f"has no usable spectrum ({reasons})" if skipped else "has no records",
        "an MSP, AMDIS or JCAMP-DX library, or MassBank records",
        "check the path",
    )
