"""Components that AMDIS found in a run, its ``.ELU`` and ``.FIN`` files.

A record is like one of MSP, but its name is a row of measures (``|SC60|CN1|RT4.0000|``) and each
peak is in brackets, perhaps with a mark of how sure it is: ``(43,999 B0.5)``. What a ``.FIN`` file
says between the records of which compounds they are like is left out. AMDIS libraries (``.MSL``)
are MSP with brackets around the peaks, which :mod:`gale.library.msp` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import nan

from gale.library.records import Record, parse_count, parse_index

PEAK_COLUMNS = 2
"""m/z, intensity."""

_NAME = re.compile(r"^[ \t]*NAME[ \t]*:[ \t]*\|(SC\d[^\n]*)", re.IGNORECASE | re.MULTILINE)
_NUM_PEAKS = re.compile(
    r"^[ \t]*NUM[ \t]*PEAKS[ \t]*:[ \t]*([^\s(]*)", re.IGNORECASE | re.MULTILINE
)
_PEAKS = re.compile(r"\([^()\n]*\)")
_MARK = re.compile(r"(\(\s*[^\s,;]+[\s,;]+[^\s,;)]+)[^)]*\)")
"""A peak: m/z and intensity, which stay, and what follows them."""

_MEASURE = re.compile(r"([A-Z]{2})(-?\d+(?:\.\d+)?)")


def is_amdis(text: str) -> bool:
    """Whether a text has components that AMDIS found."""
    return _NAME.search(text) is not None


def split_records(text: str) -> Iterator[Record]:
    r"""Yield the components of a text, named by when they elute.

    Parameters
    ----------
    text : str
        The whole file, with line ends ``\n``.

    Examples
    --------
    >>> text = "NAME: |SC60|CN1|RT4.0000|RI812.3\nNUM PEAKS: 2\n(43,999 B0.5) (57,820)\n"
    >>> (record,) = split_records(text)
    >>> record.name, record.retention_index, record.peak_list
    ('component at 4.0000 min', 812.3, '(43,999) (57,820)')
    """
    names = list(_NAME.finditer(text))
    ends = [each.start() for each in names[1:]] + [len(text)]
    for name, end in zip(names, ends, strict=True):
        yield _record(name[1], text[name.end() : end])


def _record(measures: str, content: str) -> Record:
    matches = map(_MEASURE.fullmatch, measures.split("|"))
    known = {match[1]: match[2] for match in matches if match}
    time, scan = known.get("RT"), known.get("SC", "?")
    declaration = _NUM_PEAKS.search(content)
    peaks = _PEAKS.findall(content, declaration.end()) if declaration else []
    return Record(
        name=f"component at {time} min" if time else f"component of scan {scan}",
        retention_index=parse_index(known["RI"]) if "RI" in known else nan,
        peak_list=" ".join(_MARK.sub(r"\1)", each) for each in peaks),
        declared=parse_count(declaration[1]) if declaration else 0,
    )
