"""JCAMP-DX as GC-MS software writes it: labelled records, one block of x, y pairs a scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose, nan

import numpy as np
import polars as pl

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.formats import note_last_line
from gale.readers.scans import FACT_SPECTRA, profile_error, sort_ions
from gale.run import Floats, Run

DATA_LABELS = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_PAGE_TIME = re.compile(rf"T *= *({_NUMBER.pattern})")
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

    @property
    def seconds(self) -> float:
        """Time of the scan, from PAGE or else RETENTION_TIME."""
        page = _PAGE_TIME.search(self.labels.get("PAGE", ""))
        return float(page[1]) if page else self.value("RETENTIONTIME")


def read(data: bytes, source: str) -> Run:
    """Read a JCAMP-DX file of a GC-MS run.

    Every scan is a ``##PAGE= T=`` or ``##RETENTION_TIME=`` in seconds, ``##NPOINTS=``, and a block
    of pairs, ``(XY..XY)``. Where ``##FIRST`` and ``##LAST`` (minutes) or ``##TIME_RANGE`` state
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
    seconds = np.array([scan.seconds for scan in scans])
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
    numbers = _numbers(scans, source)
    mz, intensity = sort_ions(pairs, numbers[0::2], numbers[1::2])
    return Run.from_scans(
        seconds / 60,
        pairs,
        mz,
        intensity,
        source=source,
        format="jcamp",
        facts=_facts(header),
        notes=_compare_times(header, seconds, source) + note_last_line(data),
        stated_tic=[scan.value("TIC") for scan in scans],
    )


def _split(data: bytes, source: str) -> tuple[dict[str, str], list[_Scan]]:
    """Split a file into the labels before its first scan and its scans."""
    if b"$$" in data:
        data = re.sub(rb"\$\$[^\r\n]*", b"", data)
    header: dict[str, str] = {}
    labels: dict[str, str] = {}
    scans: list[_Scan] = []
    for record in (b"\n" + data).split(b"\n##")[1:]:
        label, _, text = record.partition(b"=")
        key = re.sub(r"[ _/-]", "", label.decode("latin-1")).upper()
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


def _count_pairs(scan: _Scan, source: str) -> int:
    found, declared = len(scan.numbers.split()) / 2, scan.value("NPOINTS")
    if found == declared or (np.isnan(declared) and found.is_integer()):
        return int(found)
    short = "; the file may be cut short" if found < declared else ""
    raise ReadError(
        f"{source}: scan {scan.name} has {found:g} points; expected the {declared:g} of ##NPOINTS"
        f"{short}"
    )


def _numbers(scans: list[_Scan], source: str) -> Floats:
    """All numbers of all scans: m/z, intensity, m/z, ..., shape (2 N,)."""
    text = b"\n".join(scan.numbers for scan in scans)
    if not text.strip():
        return np.empty(0)
    try:
        table = pl.read_csv(text, has_header=False, schema={"number": pl.Float64})
    except pl.exceptions.PolarsError:
        raise _bad_number(scans, source) from None
    return table["number"].drop_nulls().to_numpy()


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
    begins = [unit for unit in (60, 1) if _close(first * unit, seconds[0])]
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
