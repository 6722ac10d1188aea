"""JCAMP-DX as GC-MS software writes it: labelled records, one block of x, y pairs per scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose, nan

import numpy as np
import polars as pl

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import shown
from gale.readers.ionisation import stated
from gale.readers.scans import FACT_SPECTRA, note_last_line, profile_error, sort_ions
from gale.readers.times import PER_MIN, Unit, plausible_unit
from gale.run import Floats, Run

DATA_LABELS = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")

COPY_AGAIN = "copy or export the file again"
TIMES = "##PAGE= T= or ##RETENTION_TIME= in minutes, seconds or milliseconds"

DEFAULT_UNIT = "seconds"
"""The unit of times that name none, as most writers mean them."""

SCANS_AT_ONCE = 256
"""Scans whose text is parsed at a time, which limits the memory used beside their columns."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WITH_COMMA = re.compile(
    r"(?<![\d.,])[-+]?(?:\d+(?:\.\d*|,\d+)?|\.\d+)(?:[eE][-+]?\d+)?(?![.,]?\d)"
)
"""A number with a decimal point or comma, but not with thousands separated."""

_TIME = re.compile(rf"(?:.*\bT *= *)?(?:PT)?({_WITH_COMMA.pattern})[ ,(\[]*([A-Za-z]*)")
"""A time, which follows ``T=`` in ``##PAGE``, and its unit, where there is one; or ``PT90.5S``."""

_DECIMAL = re.compile(r"[-+]?(?:0\d*|\d{4,}),|.*,(?!\d{3}$)")
"""A comma that cannot separate thousands."""

_UNITS = {"MILLI": "milliseconds", "MS": "milliseconds", "MIN": "minutes", "S": "seconds"}
_TO_LINES = bytes.maketrans(b",; \t\r", b"\n\n\n\n\n")
_COMMAS_TO_POINTS = bytes.maketrans(b",; \t\r", b".\n\n\n\n")


@dataclass(frozen=True)
class _Scan:
    """One scan as the file has it: its labels and the text of its points."""

    name: str
    labels: dict[str, str]
    points: bytes

    def value(self, label: str) -> float:
        """Give the first number under a label; NaN if there is none."""
        return _value(self.labels.get(label, ""))

    def time(self) -> tuple[str, str]:
        """Time of the scan and its unit as text, of PAGE or RETENTION_TIME; empty if missing."""
        page = self.labels.get("PAGE", "")
        if not re.match(rf".*\bT *= *(?:PT)?{_NUMBER.pattern}", page):
            page = self.labels.get("RETENTIONTIME", "")
        match = _TIME.match(page)
        return (match[1], match[2]) if match else ("", "")

    def numbers(self, *, decimal_comma: bool) -> bytes:
        """The numbers of the points, one per line; a comma separates them, or is decimal."""
        return self.points.translate(_COMMAS_TO_POINTS if decimal_comma else _TO_LINES)


@dataclass(frozen=True)
class _Times:
    """The times of the scans in minutes, shape (S,), their unit, and whether commas are decimal."""

    minutes: Floats
    unit: Unit
    decimal_comma: bool


def _value(text: str) -> float:
    """Give the first number in a text, with a decimal point or comma; NaN if there is none."""
    match = _WITH_COMMA.search(text)
    return float(match[0].replace(",", ".")) if match else nan


def _unit(text: str) -> str | None:
    """Unit of time by the beginning of its name; None if it is not known."""
    return next((unit for word, unit in _UNITS.items() if text.upper().startswith(word)), None)


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read a JCAMP-DX file of a GC-MS run.

    Each scan has a time (``##PAGE= T=`` or ``##RETENTION_TIME=``), ``##NPOINTS=`` and a block of
    pairs, ``(XY..XY)``. Times are in seconds unless a unit follows them, ``##UNITS`` gives one
    for the symbol T of ``##SYMBOL``, or :func:`~gale.readers.times.plausible_unit` finds another.
    Numbers may have decimal commas if all times have them, or if ``##NPOINTS`` fits only then.
    ``##XFACTOR`` and ``##YFACTOR`` are applied. The times of the first and last scan are compared
    with ``##FIRST`` and ``##LAST`` (minutes), or else with ``##TIME_RANGE``, where the header has
    them.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.
    profile : bool
        Whether profile spectra are accepted, to be centroided, rather than refused.

    Raises
    ------
    UnsupportedFormatError
        If the file has no scans over time (a single spectrum, for example), has profile data, or
        has data in another form than pairs.
    ReadError
        If a scan has no time, a block holds text or another number of points than it declares, or
        the file is cut short.
    """
    header, scans = _split(data, source)
    if "CONTINU" in header.get("DATAFORMAT", "").upper() and not profile:
        form = header["DATAFORMAT"][:40]
        raise profile_error(source, f"declares profile data (##DATA_FORMAT= {form})")
    times = _times(header, scans, source)
    decimal_comma = _has_decimal_commas(scans, of_times=times.decimal_comma)
    pairs = np.array([_count_pairs(scan, source, decimal_comma) for scan in scans])
    tic = [scan.value("TIC") for scan in scans]
    mz, intensity = _ions(header, scans, source, decimal_comma)
    scans.clear()  # or the text would be in memory beside the columns
    mz, intensity = sort_ions(pairs, mz, intensity)
    notes = (*times.unit.notes, *_compare_times(header, times, source), *note_last_line(data))
    return Run.from_scans(
        times.minutes,
        pairs,
        mz,
        intensity,
        source=source,
        format="jcamp",
        facts=_facts(header),
        notes=notes,
        stated_tic=tic,
    )


def _times(header: dict[str, str], scans: list[_Scan], source: str) -> _Times:
    """Read the times of all scans, in the unit that they or the header name, or a plausible one."""
    texts, units = zip(*(scan.time() for scan in scans), strict=True) if scans else ((), ())
    of_header = _time_unit(header)
    named = [_unit(unit or of_header or DEFAULT_UNIT) for unit in units]
    lacking = [not text or unit is None for text, unit in zip(texts, named, strict=True)]
    if all(lacking):
        raise UnsupportedFormatError(
            source,
            f"is JCAMP-DX ({header.get('DATATYPE', '')[:40] or 'no data type'}) without scans "
            "over time",
            f"a GC-MS run, {TIMES} for each scan",
            "export the whole run, or read it with gale.read_library",
        )
    if any(lacking):
        raise ReadError(
            f"{source}: scan {scans[lacking.index(True)].name}",
            "has no time in a known unit",
            TIMES,
            "export the run again",
        )
    decimal_comma = _check_commas(texts, source)
    times = np.array([_value(text) for text in texts])
    if not of_header and not any(units):
        unit = plausible_unit(times, DEFAULT_UNIT)
        return _Times(times / PER_MIN[unit.name], unit, decimal_comma)
    per_min = np.array([PER_MIN[unit] for unit in named if unit])
    return _Times(times / per_min, Unit(named[0] or DEFAULT_UNIT), decimal_comma)


def _check_commas(texts: Sequence[str], source: str) -> bool:
    """Whether times have decimal commas; refuse commas that may separate thousands."""
    commas = [text for text in texts if "," in text]
    if commas and len(commas) < len(texts) and not any(map(_DECIMAL.match, commas)):
        raise ReadError(
            source,
            f"has times such as {shown(commas[0])}, whose comma may be a decimal mark or separate "
            "thousands",
            "times with a decimal point",
            "export the run with a decimal point",
        )
    return bool(commas)


def _has_decimal_commas(scans: list[_Scan], *, of_times: bool) -> bool:
    """Whether the points have decimal commas: only then are there as many as a scan declares.

    Where none declares how many, they do if the times do (`of_times`) and no number has a point.
    """
    with_commas = [scan for scan in scans if b"," in scan.points]
    for scan in with_commas:
        if not np.isnan(declared := scan.value("NPOINTS")):
            apart, decimal = (len(scan.numbers(decimal_comma=how).split()) for how in (False, True))
            return apart != 2 * declared and decimal == 2 * declared
    return of_times and not any(b"." in scan.points or b", " in scan.points for scan in with_commas)


def _split(data: bytes, source: str) -> tuple[dict[str, str], list[_Scan]]:
    """Split a file into the labels before its first scan and its scans."""
    if b"$$" in data:
        data = re.sub(rb"\$\$[^\r\n]*", b"", data)
    header: dict[str, str] = {}
    labels: dict[str, str] = {}
    scans: list[_Scan] = []
    records = data.split(b"\n##")
    first = records[0].removeprefix(b"\xef\xbb\xbf").lstrip()
    records[0] = first.removeprefix(b"##") if first.startswith(b"##") else b"COMMENT="
    for i, record in enumerate(records):
        records[i] = b""  # or the whole text would be in memory twice
        label, _, text = record.partition(b"=")
        key = re.sub(r"[ ._/-]", "", label.decode("latin-1")).upper()
        if key not in DATA_LABELS:
            labels[key] = " ".join(text.decode("latin-1").split())
            continue
        form, _, numbers = text.partition(b"\n")
        if b"(XY..XY)" not in form.replace(b" ", b""):
            raise UnsupportedFormatError(
                source,
                f"has data of the form {form.strip()[:40].decode('latin-1')!r}",
                "pairs, (XY..XY), as in a GC-MS run",
                "export the run again",
            )
        name = labels.get("SCANNUMBER", "")[:20] or str(len(scans) + 1)
        header = header or labels
        scans.append(_Scan(name, labels, numbers))
        labels = {}
    if scans and labels.keys() & {"SCANNUMBER", "PAGE", "NPOINTS"}:
        raise ReadError(
            source,
            f"ends within the labels of the scan after scan {scans[-1].name}",
            "the points of that scan",
            COPY_AGAIN,
        )
    return header or labels, scans


def _time_unit(header: dict[str, str]) -> str:
    """Unit that the header lists for the symbol T, as text; empty if it lists none."""
    symbols, units = (header.get(label, "").split(",") for label in ("SYMBOL", "UNITS"))
    of_symbol = {s.strip().upper(): u.strip() for s, u in zip(symbols, units, strict=False)}
    return of_symbol.get("T", "")


def _factor(header: dict[str, str], label: str, source: str) -> float:
    text = header.get(label, "")
    if np.isnan(factor := _value(text or "1")):
        raise ReadError(
            f"{source}: ##{label}", f"is {shown(text[:40])}", "a number", "correct it in the file"
        )
    return factor


def _count_pairs(scan: _Scan, source: str, decimal_comma: bool) -> int:
    found = len(scan.numbers(decimal_comma=decimal_comma).split()) / 2
    declared = scan.value("NPOINTS")
    if found == declared or (np.isnan(declared) and found.is_integer()):
        return int(found)
    raise ReadError(
        f"{source}: scan {scan.name}",
        f"has {found:g} points",
        "pairs" if np.isnan(declared) else f"{declared:g}, as ##NPOINTS states",
        COPY_AGAIN,
    )


def _ions(
    header: dict[str, str], scans: list[_Scan], source: str, decimal_comma: bool
) -> tuple[Floats, Floats]:
    """m/z and intensity of all points, each multiplied by its factor in the header."""
    numbers = _numbers(scans, source, decimal_comma)
    return numbers[0::2] * _factor(header, "XFACTOR", source), numbers[1::2] * _factor(
        header, "YFACTOR", source
    )


def _numbers(scans: list[_Scan], source: str, decimal_comma: bool) -> Floats:
    """All numbers of all scans: m/z, intensity, m/z, ..., shape (2 N,)."""
    found = [np.empty(0)]
    for first in range(0, len(scans), SCANS_AT_ONCE):
        some = scans[first : first + SCANS_AT_ONCE]
        text = b"\n".join(scan.numbers(decimal_comma=decimal_comma) for scan in some)
        if not text.strip():
            continue
        try:
            table = pl.read_csv(text, has_header=False, schema={"number": pl.Float64})
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise _bad_number(some, source, decimal_comma) from None
        found.append(table["number"].drop_nulls().to_numpy())
    return np.concatenate(found)


def _bad_number(scans: list[_Scan], source: str, decimal_comma: bool) -> ReadError:
    for scan in scans:
        for token in scan.numbers(decimal_comma=decimal_comma).split():
            text = token.decode("latin-1")
            if not _NUMBER.fullmatch(text):
                place = f"{source}: scan {scan.name}"
                return ReadError(place, f"holds {text[:40]!r}", "numbers", COPY_AGAIN)
    return ReadError(source, "has points that are not numbers", "numbers", COPY_AGAIN)


def _compare_times(header: dict[str, str], times: _Times, source: str) -> tuple[str, ...]:
    """Compare the times of the first and last scan with those that the header states.

    ``##FIRST`` and ``##LAST`` end in a time in minutes; ``##TIME_RANGE`` gives both in seconds or
    minutes, depending on the writer. A stated range that ends later is an error, any other
    difference a note.
    """

    def numbers(label: str) -> list[float]:
        pattern = _WITH_COMMA if times.decimal_comma else _NUMBER
        found = pattern.findall(header.get(label, ""))
        return [float(number.replace(",", ".")) for number in found]

    stated = [*numbers("FIRST")[-1:], *numbers("LAST")[-1:]]
    if len(stated) != 2 and len(stated := numbers("TIMERANGE")) != 2:
        return ()
    first, last = stated
    seconds = times.minutes * 60
    units = [unit for unit in (60, 1, 1e-3) if _close(first * unit, seconds[0])]
    if any(_close(last * unit, seconds[-1]) for unit in units):
        return ()
    if units and seconds[-1] < last * units[0]:
        raise ReadError(
            source,
            f"ends with a scan at {seconds[-1]:g} s",
            f"one at {last * units[0]:g} s, as the header states",
            COPY_AGAIN,
        )
    return (
        f"the scan times, {seconds[0]:g} to {seconds[-1]:g} s, do not fit those in the header, "
        f"{first:g} to {last:g}; they were read as {times.unit.name}",
    )


def _close(stated: float, found: float) -> bool:
    return isclose(stated, found, rel_tol=1e-3, abs_tol=0.05)


def _facts(header: dict[str, str]) -> dict[str, str]:
    facts = {
        "title": header.get("TITLE", ""),
        "date": f"{header.get('DATE', '')} {header.get('TIME', '')}".strip(),
        "instrument": header.get("SPECTROMETERDATASYSTEM") or header.get("SPECTROMETERSYSTEM", ""),
        "maker": header.get("ORIGIN", ""),
        **stated([mode := header.get("IONIZATIONMODE", "")], [mode]),
    }
    for kind, word in (("centroid", "CENTROID"), ("profile", "CONTINU")):
        if word in header.get("DATAFORMAT", "").upper():
            facts[FACT_SPECTRA] = kind
    return {key: value for key, value in facts.items() if value}
