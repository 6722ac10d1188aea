"""JCAMP-DX as GC-MS software writes it: labelled records, one block of x, y pairs per scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose, nan

import numpy as np
import polars as pl

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.scans import FACT_SPECTRA, note_last_line, profile_error, sort_ions
from gale.run import Floats, Run

DATA_LABELS = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")

COPY_AGAIN = "copy or export the file again"
TIMES = "##PAGE= T= or ##RETENTION_TIME= in minutes, seconds or milliseconds"

SCANS_AT_ONCE = 256
"""Scans whose text is parsed at a time, which limits the memory used beside their columns."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TIME = re.compile(rf"(?:.*\bT *= *)?({_NUMBER.pattern})[ ,(\[]*([A-Za-z]*)")
"""A time, which follows ``T=`` in ``##PAGE``, and its unit, where there is one."""

_SECONDS = {"S": 1.0, "SEC": 1.0, "MIN": 60.0, "MS": 1e-3, "MSEC": 1e-3, "MILLI": 1e-3}
_UNIT = re.compile(r"MILLI|MSEC|MS|MIN|SEC|S")
_TO_LINES = bytes.maketrans(b",; \t\r", b"\n\n\n\n\n")


@dataclass(frozen=True)
class _Scan:
    """One scan as the file has it: its labels, and its numbers as text, one per line."""

    name: str
    labels: dict[str, str]
    numbers: bytes

    def value(self, label: str) -> float:
        """Give the first number under a label; NaN if there is none."""
        match = _NUMBER.search(self.labels.get(label, ""))
        return float(match[0]) if match else nan

    def seconds(self, unit: str) -> float:
        """Time of the scan, in `unit` if PAGE or RETENTION_TIME names none; NaN without a time."""
        page = self.labels.get("PAGE", "")
        if not re.match(rf".*\bT *= *{_NUMBER.pattern}", page):
            page = self.labels.get("RETENTIONTIME", "")
        match = _TIME.match(page)
        return float(match[1]) * _in_seconds(match[2] or unit) if match else nan


def _in_seconds(unit: str) -> float:
    """Length of a unit in seconds, by the beginning of its name; NaN if it is not known."""
    match = _UNIT.match(unit.upper())
    return _SECONDS[match[0]] if match else nan


def read(data: bytes, source: str) -> Run:
    """Read a JCAMP-DX file of a GC-MS run.

    Each scan has a time (``##PAGE= T=`` or ``##RETENTION_TIME=``), ``##NPOINTS=`` and a block of
    pairs, ``(XY..XY)``. Times are in seconds unless a unit follows them or ``##UNITS`` gives one
    for the symbol T of ``##SYMBOL``. ``##XFACTOR`` and ``##YFACTOR`` are applied. The times of the
    first and last scan are compared with ``##FIRST`` and ``##LAST`` (minutes), or else with
    ``##TIME_RANGE``, where the header has them.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.

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
    if "CONTINU" in header.get("DATAFORMAT", "").upper():
        form = header["DATAFORMAT"][:40]
        raise profile_error(source, f"declares profile data (##DATA_FORMAT= {form})")
    unit = _time_unit(header)
    seconds = np.array([scan.seconds(unit) for scan in scans])
    if np.isnan(seconds).all():
        raise UnsupportedFormatError(
            source,
            f"is JCAMP-DX ({header.get('DATATYPE', '')[:40] or 'no data type'}) without scans "
            "over time",
            f"a GC-MS run, {TIMES} for each scan",
            "export the whole run",
        )
    if np.isnan(seconds).any():
        name = scans[int(np.argmax(np.isnan(seconds)))].name
        raise ReadError(
            f"{source}: scan {name}", "has no time in a known unit", TIMES, "export the run again"
        )
    pairs = np.array([_count_pairs(scan, source) for scan in scans])
    tic = [scan.value("TIC") for scan in scans]
    mz, intensity = _ions(header, scans, source)
    scans.clear()  # or the text would be in memory beside the columns
    mz, intensity = sort_ions(pairs, mz, intensity)
    return Run.from_scans(
        seconds / 60,
        pairs,
        mz,
        intensity,
        source=source,
        format="jcamp",
        facts=_facts(header),
        notes=_compare_times(header, seconds, source) + note_last_line(data),
        stated_tic=tic,
    )


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
        scans.append(_Scan(name, labels, numbers.translate(_TO_LINES)))
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
    """Unit of the times: that of the symbol T if the header lists one, otherwise seconds."""
    symbols, units = (header.get(label, "").split(",") for label in ("SYMBOL", "UNITS"))
    of_symbol = {s.strip().upper(): u.strip() for s, u in zip(symbols, units, strict=False)}
    return of_symbol.get("T") or "s"


def _factor(header: dict[str, str], label: str) -> float:
    match = _NUMBER.match(header.get(label, ""))
    return float(match[0]) if match else 1.0


def _count_pairs(scan: _Scan, source: str) -> int:
    found, declared = len(scan.numbers.split()) / 2, scan.value("NPOINTS")
    if found == declared or (np.isnan(declared) and found.is_integer()):
        return int(found)
    raise ReadError(
        f"{source}: scan {scan.name}",
        f"has {found:g} points",
        "pairs" if np.isnan(declared) else f"{declared:g}, as ##NPOINTS states",
        COPY_AGAIN,
    )


def _ions(header: dict[str, str], scans: list[_Scan], source: str) -> tuple[Floats, Floats]:
    """m/z and intensity of all points, each multiplied by its factor in the header."""
    numbers = _numbers(scans, source)
    return numbers[0::2] * _factor(header, "XFACTOR"), numbers[1::2] * _factor(header, "YFACTOR")


def _numbers(scans: list[_Scan], source: str) -> Floats:
    """All numbers of all scans: m/z, intensity, m/z, ..., shape (2 N,)."""
    found = [np.empty(0)]
    for first in range(0, len(scans), SCANS_AT_ONCE):
        some = scans[first : first + SCANS_AT_ONCE]
        text = b"\n".join(scan.numbers for scan in some)
        if not text.strip():
            continue
        try:
            table = pl.read_csv(text, has_header=False, schema={"number": pl.Float64})
        except pl.exceptions.PolarsError:
            raise _bad_number(some, source) from None
        found.append(table["number"].drop_nulls().to_numpy())
    return np.concatenate(found)


def _bad_number(scans: list[_Scan], source: str) -> ReadError:
    for scan in scans:
        for token in scan.numbers.split():
            text = token.decode("latin-1")
            if not _NUMBER.fullmatch(text):
                place = f"{source}: scan {scan.name}"
                return ReadError(place, f"holds {text[:40]!r}", "numbers", COPY_AGAIN)
    return ReadError(source, "has points that are not numbers", "numbers", COPY_AGAIN)


def _compare_times(header: dict[str, str], seconds: Floats, source: str) -> tuple[str, ...]:
    """Compare the times of the first and last scan with those that the header states.

    ``##FIRST`` and ``##LAST`` end in a time in minutes; ``##TIME_RANGE`` gives both in seconds or
    minutes, depending on the writer. A stated range that ends later is an error, any other
    difference a note.
    """
    stated = [_NUMBER.findall(header.get(label, ""))[-1:] for label in ("FIRST", "LAST")]
    first, last = (float(found[0]) if found else nan for found in stated)
    if np.isnan([first, last]).any():
        both = _NUMBER.findall(header.get("TIMERANGE", ""))
        if len(both) != 2:
            return ()
        first, last = float(both[0]), float(both[1])
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
        f"{first:g} to {last:g}; they were read as seconds",
    )


def _close(stated: float, found: float) -> bool:
    return isclose(stated, found, rel_tol=1e-3, abs_tol=0.05)


def _facts(header: dict[str, str]) -> dict[str, str]:
    facts = {
        "title": header.get("TITLE", ""),
        "date": f"{header.get('DATE', '')} {header.get('TIME', '')}".strip(),
        "instrument": header.get("SPECTROMETERDATASYSTEM") or header.get("SPECTROMETERSYSTEM", ""),
        "maker": header.get("ORIGIN", ""),
    }
    if "CENTROID" in header.get("DATAFORMAT", "").upper():
        facts[FACT_SPECTRA] = "centroid"
    return {key: value for key, value in facts.items() if value}
