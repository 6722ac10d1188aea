"""mzXML, the older open XML format of mass spectrometry: pairs of m/z and intensity a scan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import nan

import numpy as np
from lxml import etree

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.limits import max_unpacked
from gale.readers.xml.binary import check_size, read_length, unpack
from gale.readers.xml.spectra import Spectra, Spectrum, take_elements
from gale.run import Floats, Run

DTYPES = {"32": ">f4", "64": ">f8"}

_NUMBER = r"[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?"
_PLAIN = re.compile(_NUMBER)
_DURATION = re.compile(
    rf"P(?:0+Y)?(?:0+M)?(?:(?P<d>[0-9]+)D)?"
    rf"(?:T(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?"
)
_MINUTES = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


@dataclass
class _Reading:
    """What has been read of a file so far."""

    source: str
    spectra: Spectra
    facts: dict[str, str] = field(default_factory=dict)
    n_scans: int = 0
    plain_time: bool = False
    stated_scans: str | None = None


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read an mzXML file: its scans of MS level 1, nested or not.

    Times are durations (``PT1.5S``, ``PT1M30S``); plain numbers are taken as seconds, with a note.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.
    profile : bool
        Whether profile spectra are kept rather than refused.

    Raises
    ------
    UnsupportedFormatError
        If a scan is profile data, or packed in another way than plain or zlib.
    ReadError
        If the file is cut short or damaged, or a scan lacks its time, or its peaks are not as many
        as it declares.
    """
    reading = _Reading(source, Spectra(source, max_unpacked(len(data)), profile))
    takers = {
        "msInstrument": _take_instrument,
        "software": _take_software,
        "scan": _take_scan,
        "msRun": _take_run,
    }
    take_elements(data, source, "mzXML", takers, reading)
    return reading.spectra.to_run("mzxml", reading.facts, _notes(reading))


def _notes(reading: _Reading) -> tuple[str, ...]:
    notes = []
    if reading.plain_time:
        notes.append("times are numbers without a unit; they were read as seconds")
    if reading.stated_scans not in (None, str(reading.n_scans)):
        notes.append(
            f"{reading.n_scans:,} scans were found, {reading.stated_scans} are stated; the file "
            "may be a part of a run"
        )
    return tuple(notes)


def _take_instrument(reading: _Reading, element: etree._Element) -> None:
    parts = [element.find(f"{{*}}{name}") for name in ("msManufacturer", "msModel")]
    text = " ".join(part.get("value", "") for part in parts if part is not None).strip()
    if text:
        reading.facts.setdefault("instrument", text)


def _take_software(reading: _Reading, element: etree._Element) -> None:
    this = f"{element.get('name', '')} {element.get('version', '')}".strip()
    before = reading.facts.get("software")
    reading.facts["software"] = f"{before}; {this}" if before else this


def _take_run(reading: _Reading, element: etree._Element) -> None:
    reading.stated_scans = element.get("scanCount")


def _take_scan(reading: _Reading, element: etree._Element) -> None:
    reading.n_scans += 1
    name = element.get("num") or f"number {reading.n_scans}"
    if element.get("msLevel", "1") != "1":
        reading.spectra.left_out["spectra of another MS level than 1"] += 1
    else:
        reading.spectra.kept.append(_spectrum(reading, element, name))
    element.clear()  # or the whole file would be in memory as a tree


def _spectrum(reading: _Reading, element: etree._Element, name: str) -> Spectrum:
    where = f"{reading.source}: scan {name}"
    centroided = element.get("centroided")
    profile = centroided in ("0", "false")
    mz = intensity = np.empty(0)
    if not profile or reading.spectra.profile:
        mz, intensity = _peaks(reading, element, where)
    return Spectrum(
        name,
        _time_min(reading, element.get("retentionTime", ""), where),
        mz,
        intensity,
        _tic(element.get("totIonCurrent"), where),
        sim=element.get("scanType", "").upper() in ("SIM", "SELECTED ION MONITORING"),
        centroid=centroided in ("1", "true"),
        profile=profile,
    )


def _time_min(reading: _Reading, text: str, where: str) -> float:
    text = text.strip()
    if _PLAIN.fullmatch(text):
        reading.plain_time = True
        return float(text) / 60
    match = _DURATION.fullmatch(text)
    parts = {} if match is None else {k: v for k, v in match.groupdict().items() if v is not None}
    if not parts:
        raise ReadError(
            f"{where} has the time {text[:40]!r}; expected a duration such as PT90.5S; export the "
            "run again"
        )
    return sum(float(value) * _MINUTES[unit] for unit, value in parts.items())


def _tic(text: str | None, where: str) -> float:
    try:
        return nan if text is None else float(text)
    except ValueError:
        raise ReadError(f"{where} has {text!r:.40} for totIonCurrent; expected a number") from None


def _peaks(reading: _Reading, element: etree._Element, where: str) -> tuple[Floats, Floats]:
    """m/z and intensity of a scan, as many as it declares."""
    peaks = element.findall("{*}peaks")
    length = read_length(element.get("peaksCount", ""), where)
    if not peaks and length == 0:
        return np.empty(0), np.empty(0)
    if len(peaks) != 1 or (peaks[0].get("contentType") or "m/z-int") != "m/z-int":
        raise UnsupportedFormatError(
            f"{where} has {len(peaks)} arrays that are not pairs of m/z and intensity; expected "
            "one of contentType m/z-int; convert the run to mzML with msconvert"
        )
    packing = peaks[0].get("compressionType") or "none"
    if packing not in ("none", "zlib"):
        raise UnsupportedFormatError(
            f"{where} is compressed by {packing[:40]}; expected zlib or none; convert it again "
            "with msconvert --zlib"
        )
    dtype = DTYPES.get(peaks[0].get("precision", "32"))
    order = peaks[0].get("byteOrder", "network")
    if dtype is None or order != "network":
        raise ReadError(
            f"{where} has numbers of precision {peaks[0].get('precision')} in byte order {order}; "
            "expected 32 or 64 in network order; export the run again"
        )
    # Writers that cannot write an empty element write one pair of zeros for no peaks.
    n_pairs = max(length, 1)
    size = 2 * n_pairs * np.dtype(dtype).itemsize
    reading.spectra.take_room(size, where)
    raw = unpack(peaks[0].text or "", size, where, compressed=packing == "zlib")
    if length == 0 and not any(raw):
        return np.empty(0), np.empty(0)
    check_size(raw, size if length else 0, 2 * length, where)
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file, which Run reports
        pairs = np.frombuffer(raw, dtype).reshape(-1, 2).astype(np.float64)
    return pairs[:, 0], pairs[:, 1]
