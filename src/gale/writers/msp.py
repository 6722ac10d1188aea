"""Spectra in the MSP format of NIST: ``Name:``, other fields, ``Num Peaks:``, peaks.

NIST MS Search reads ``Name``, ``Comment`` and ``Num Peaks``; MS-DIAL also ``RETENTIONTIME``, in
minutes, and ``RETENTIONINDEX``. Each passes over fields that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gale.plumbing.files import writing
from gale.run import Floats, Integers

BASE_PEAK = 999
"""Height of the base peak, as NIST has it; heights are whole numbers."""

PEAKS_A_LINE = 5

LONGEST_NAME, LONGEST_FACT = 511, 1023
"""Letters that NIST MS Search reads of a name, and of a comment."""

_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, eq=False)
class Entry:
    """A spectrum to be written.

    Parameters
    ----------
    name : str
    mz : array of shape (N,)
        Nominal m/z, increasing.
    intensity : array of shape (N,)
        Above 0, in any unit.
    facts : mapping of str to str
        Other fields, in order.
    """

    name: str
    mz: Integers
    intensity: Floats
    facts: Mapping[str, str] = field(default_factory=dict)


def write_msp(entries: Iterable[Entry], path: Path, *, force: bool = False) -> None:
    """Write spectra as an MSP file, the base peak of each 999.

    Ions that round to less than 1 are left out.

    Raises
    ------
    OutputError
        If the file exists and `force` is false, or cannot be written.
    """
    text = msp_text(entries)
    with writing(path, force=force) as temporary:
        temporary.write_text(text, "utf-8", newline="\n")


def msp_text(entries: Iterable[Entry]) -> str:
    """Give the text of an MSP file; files are joined by an empty line."""
    return "\n".join(map(_record, entries))


def _record(entry: Entry) -> str:
    height = np.rint(BASE_PEAK * entry.intensity / entry.intensity.max()).astype(np.int64)
    pairs = [
        f"{mz} {each}" for mz, each in zip(entry.mz.tolist(), height.tolist(), strict=True) if each
    ]
    lines = [f"Name: {_line(entry.name, LONGEST_NAME)}"]
    lines += [f"{key}: {_line(value, LONGEST_FACT)}" for key, value in entry.facts.items() if value]
    lines.append(f"Num Peaks: {len(pairs)}")
    for first in range(0, len(pairs), PEAKS_A_LINE):
        lines.append("; ".join(pairs[first : first + PEAKS_A_LINE]) + ";")
    return "\n".join(lines) + "\n"


def _line(text: str, longest: int) -> str:
    """Give a text in one line, without what would end it, and not longer than is read."""
    return _NOT_IN_A_LINE.sub(" ", text).strip()[:longest]
