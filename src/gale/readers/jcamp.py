"""JCAMP-DX as GC-MS software writes it: labelled records, one block of x, y pairs a scan."""

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

SCANS_AT_ONCE = 256
"""Scans whose text is made numbers at a time, so that little is in memory beside their columns."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TIME = re.compile(rf"(?:.*\bT *= *)?({_NUMBER.pattern})[ ,(\[]*([A-Za-z]*)")
"""A time, behind ``T=`` on a page, and its unit, where there is one."""

_SECONDS = {"S": 1.0, "SEC": 1.0, "MIN": 60.0, "MS": 1e-3, "MSEC": 1e-3, "MILLI": 1e-3}
_UNIT = re.compile(r"MILLI|MSEC|MS|MIN|SEC|S")
_TO_LINES = bytes.maketrans(b",; \t\r", b"\n\n\n\n\n")


@dataclass(frozen=True)
class _Scan:
    """One scan as the file has it: its labels and its numbers as text, one a line."""

    name: str
    labels: dict[str, str]
    numbers: bytes

    def value(self, label: str) -> float:
        """Give the first number under a label; NaN if there is none."""
        match = _NUMBER.search(self.labels.get(label, ""))
        return float(match[0]) if match else nan

    def seconds(self, unit: str) -> float:
        """Time of the scan, from PAGE or else RETENTION_TIME; in `unit` where it names none."""
        page = self.labels.get("PAGE", "")
        if not re.match(rf".*\bT *= *{_NUMBER.pattern}", page):
            page = self.labels.get("RETENTIONTIME", "")
        match = _TIME.match(page)
        return float(match[1]) * _in_seconds(match[2] or unit) if match else nan


def _in_seconds(unit: str) -> float:
    """How many seconds a unit is, told from how its name begins; NaN if it is not known."""
    match = _UNIT.match(unit.upper())
    return _SECONDS[match[0]] if match else nan


def read(data: bytes, source: str) -> Run:
    """Read a JCAMP-DX file of a GC-MS run.

    Every scan is a ``##PAGE= T=`` or ``##RETENTION_TIME=``, ``##NPOINTS=``, and a block of pairs,
    ``(XY..XY)``. Times are in seconds unless a unit stands behind them, or ``##UNITS`` has one for
    the symbol T of ``##SYMBOL``. Factors (``##XFACTOR``, ``##YFACTOR``) are applied. Where
    ``##FIRST`` and ``##LAST`` (minutes) or ``##TIME_RANGE`` state
    the times of the first and last scan, they are compared.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.

    Raises
    ------
    UnsupportedFormatError
        If the file has no scans over time, as a single spectrum, or has profile data.
    ReadError
        If a block has another number of points than it declares, holds text, or the file ends
        before its last scan.
    """
    header, scans = _split(data, source)
    if "CONTINU" in header.get("DATAFORMAT", "").upper():
        raise profile_error(source, f"##DATA_FORMAT is {header['DATAFORMAT']}, profile data")
    unit = _time_unit(header)
    seconds = np.array([scan.seconds(unit) for scan in scans])
    if np.isnan(seconds).all():
        raise UnsupportedFormatError(
            f"{source}: is JCAMP-DX without scans over time ({header.get('DATATYPE') or 'no data'} "
            "and no ##PAGE or ##RETENTION_TIME); expected a GC-MS run; export the whole run"
        )
    if np.isnan(seconds).any():
        name = scans[int(np.argmax(np.isnan(seconds)))].name
        raise ReadError(
            f"{source}: scan {name} has no time; expected ##PAGE= T= or ##RETENTION_TIME="
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
        records[i] = b""  # or the whole text would be in memory once more
        label, _, text = record.partition(b"=")
        key = re.sub(r"[ ._/-]", "", label.decode("latin-1")).upper()
        if key not in DATA_LABELS:
            labels[key] = " ".join(text.decode("latin-1").split())
            continue
        form, _, numbers = text.partition(b"\n")
        if b"(XY..XY)" not in form.replace(b" ", b""):
            raise UnsupportedFormatError(
                f"{source}: has data of the form {form.strip()[:40].decode('latin-1')!r}; expected "
                "pairs, (XY..XY), as in a GC-MS run; export the run again"
            )
        name = labels.get("SCANNUMBER", "")[:20] or str(len(scans) + 1)
        header = header or labels
        scans.append(_Scan(name, labels, numbers.translate(_TO_LINES)))
        labels = {}
    if scans and labels.keys() & {"SCANNUMBER", "PAGE", "NPOINTS"}:
        raise ReadError(
            f"{source}: ends before the points of the scan after scan {scans[-1].name}; expected "
            "them; the file is cut short"
        )
    return header or labels, scans


def _time_unit(header: dict[str, str]) -> str:
    """Unit of the times: that of the symbol T where the header lists symbols, else seconds."""
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
    short = "; the file may be cut short" if found < declared else ""
    raise ReadError(
        f"{source}: scan {scan.name} has {found:g} points; expected the {declared:g} of ##NPOINTS"
        f"{short}"
    )


def _ions(header: dict[str, str], scans: list[_Scan], source: str) -> tuple[Floats, Floats]:
    """m/z and intensity of all points, each times the factor that the header gives."""
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
                return ReadError(
                    f"{source}: scan {scan.name} holds {text[:40]!r}; expected numbers; the file "
                    "is damaged"
                )
    return ReadError(f"{source}: the points are not numbers; expected pairs; the file is damaged")


def _compare_times(header: dict[str, str], seconds: Floats, source: str) -> tuple[str, ...]:
    """Compare the times of the first and last scan with what the header says of them.

    ``##FIRST`` and ``##LAST`` end in a time in minutes; ``##TIME_RANGE`` gives both in seconds or
    minutes, depending on the writer.
    """
    stated = [_NUMBER.findall(header.get(label, ""))[-1:] for label in ("FIRST", "LAST")]
    first, last = (float(found[0]) if found else nan for found in stated)
    if np.isnan([first, last]).any():
        both = _NUMBER.findall(header.get("TIMERANGE", ""))
        if len(both) != 2:
            return ()
        first, last = float(both[0]), float(both[1])
    begins = [unit for unit in (60, 1, 1e-3) if _close(first * unit, seconds[0])]
    if any(_close(last * unit, seconds[-1]) for unit in begins):
        return ()
    if begins and seconds[-1] < last * begins[0]:
        raise ReadError(
            f"{source}: the last scan is at {seconds[-1]:g} s; expected one at "
            f"{last * begins[0]:g} s, which the header states; the file is cut short"
        )
    return (
        f"scans from {seconds[0]:g} to {seconds[-1]:g} s do not fit the header's times, "
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
