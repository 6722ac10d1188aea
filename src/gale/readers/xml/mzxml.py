"""mzXML, the older open XML format of mass spectrometry: pairs of m/z and intensity per scan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from math import nan

import numpy as np
from lxml import etree

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import listed
from gale.readers.ionisation import stated
from gale.readers.limits import max_unpacked
from gale.readers.refused import CONVERT
from gale.readers.times import PER_MIN, Unit, plausible_unit
from gale.readers.xml.binary import EXPORT_AGAIN, RECOMPRESS, check_size, read_length, unpack
from gale.readers.xml.spectra import Spectra, Spectrum, parse_elements
from gale.run import Floats, Run

DEFAULT_UNIT = "seconds"
"""The unit of times that are plain numbers, as most writers mean them."""

DTYPES = {"32": ">f4", "64": ">f8"}

_NUMBER = r"-?[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?"
_PLAIN = re.compile(_NUMBER)
_DURATION = re.compile(
    rf"-?P(?:0+Y)?(?:0+M)?(?:(?P<d>[0-9]+)D)?"
    rf"(?:T(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?"
)
_MINUTES = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


@dataclass
class _State:
    """What has been read of a file so far."""

    source: str
    spectra: Spectra
    facts: dict[str, str] = field(default_factory=dict)
    n_scans: int = 0
    has_times_without_unit: bool = False
    has_durations: bool = False
    stated_n_scans: str | None = None


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read the scans of MS level 1 of an mzXML file, nested or not.

    Times are durations (``PT1.5S``, ``PT1M30S``); plain numbers are read as seconds, with a note.

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
        If a scan is profile data, has arrays other than pairs, or is compressed by anything but
        zlib.
    ReadError
        If the file is cut short or damaged, or a scan lacks its time or has another number of peaks
        than it declares.
    """
    handlers = {
        "msInstrument": _add_instrument,
        "software": _add_software,
        "scan": _add_scan,
        "msRun": _add_run,
    }
    state, notes = parse_elements(
        data,
        source,
        "mzXML",
        handlers,
        lambda: _State(source, Spectra(source, max_unpacked(len(data)), profile)),
    )
    notes = (*notes, *_set_unit(state), *_notes(state))
    return state.spectra.to_run("mzxml", state.facts, notes)


def _set_unit(state: _State) -> tuple[str, ...]:
    """Choose the unit of times that are plain numbers, and say so."""
    if not state.has_times_without_unit:
        return ()
    unit = Unit(DEFAULT_UNIT)
    if not state.has_durations:
        per_min = PER_MIN[DEFAULT_UNIT]
        times = np.array([spectrum.time_min for spectrum in state.spectra.ms1]) * per_min
        unit = plausible_unit(times, DEFAULT_UNIT)
        if unit.name != DEFAULT_UNIT:
            factor = per_min / PER_MIN[unit.name]
            state.spectra.ms1 = [
                replace(spectrum, time_min=spectrum.time_min * factor)
                for spectrum in state.spectra.ms1
            ]
    return unit.notes or (f"times have no unit; they were read as {unit.name}",)


def _notes(state: _State) -> tuple[str, ...]:
    notes = []
    if state.stated_n_scans not in (None, str(state.n_scans)):
        notes.append(
            f"the file has {state.n_scans:,} scans and states {state.stated_n_scans}; it may be "
            "part of a run"
        )
    return tuple(notes)


def _add_instrument(state: _State, element: etree._Element) -> None:
    parts = [element.find(f"{{*}}{name}") for name in ("msManufacturer", "msModel")]
    text = " ".join(part.get("value", "") for part in parts if part is not None).strip()
    if text:
        state.facts.setdefault("instrument", text)
    source = element.find("{*}msIonisation")
    if source is not None:
        state.facts |= stated([source.get("value", "")])


def _add_software(state: _State, element: etree._Element) -> None:
    this = f"{element.get('name', '')} {element.get('version', '')}".strip()
    before = state.facts.get("software")
    state.facts["software"] = f"{before}; {this}" if before else this


def _add_run(state: _State, element: etree._Element) -> None:
    state.stated_n_scans = element.get("scanCount")


def _add_scan(state: _State, element: etree._Element) -> None:
    state.n_scans += 1
    name = element.get("num") or f"number {state.n_scans}"
    if element.get("msLevel", "1") != "1":
        state.spectra.left_out["of another MS level than 1"] += 1
    else:
        state.spectra.ms1.append(_spectrum(state, element, name))
    element.clear()  # or the whole file would be in memory as a tree


def _spectrum(state: _State, element: etree._Element, name: str) -> Spectrum:
    source = f"{state.source}: scan {name}"
    centroided = element.get("centroided")
    profile = centroided in ("0", "false")
    mz = intensity = np.empty(0)
    if not profile or state.spectra.profile:
        mz, intensity = _peaks(state, element, source)
    return Spectrum(
        name,
        _time_min(state, element.get("retentionTime", ""), source),
        mz,
        intensity,
        _tic(element.get("totIonCurrent"), source),
        polarity=element.get("polarity", ""),
        sim=element.get("scanType", "").upper() in ("SIM", "SELECTED ION MONITORING"),
        centroid=centroided in ("1", "true"),
        profile=profile,
    )


def _time_min(state: _State, text: str, source: str) -> float:
    text = text.strip()
    if _PLAIN.fullmatch(text):
        state.has_times_without_unit = True
        return float(text) / PER_MIN[DEFAULT_UNIT]
    match = _DURATION.fullmatch(text)
    parts = {} if match is None else {k: v for k, v in match.groupdict().items() if v is not None}
    if not parts:
        raise ReadError(
            source,
            f"has the time {text[:40]!r}",
            "a duration such as PT90.5S",
            EXPORT_AGAIN,
        )
    state.has_durations = True
    sign = -1 if text.startswith("-") else 1
    return sign * sum(float(value) * _MINUTES[unit] for unit, value in parts.items())


def _tic(text: str | None, source: str) -> float:
    try:
        return nan if text is None else float(text)
    except ValueError:
        raise ReadError(
            source, f"has totIonCurrent {text!r:.40}", "a number", EXPORT_AGAIN
        ) from None


def _peaks(state: _State, element: etree._Element, source: str) -> tuple[Floats, Floats]:
    """m/z and intensity of a scan, each as long as the scan declares."""
    peaks = element.findall("{*}peaks")
    length = read_length(element.get("peaksCount", ""), source)
    if not peaks and length == 0:
        return np.empty(0), np.empty(0)
    content = [each.get("contentType") or "m/z-int" for each in peaks]
    if content != ["m/z-int"]:
        raise UnsupportedFormatError(
            source,
            f"has peaks of contentType {listed(content)[:80]}" if content else "has no peaks",
            "one element peaks, of contentType m/z-int",
            CONVERT,
        )
    packing = peaks[0].get("compressionType") or "none"
    if packing not in ("none", "zlib"):
        raise UnsupportedFormatError(
            source, f"is compressed by {packing[:40]}", "zlib or no compression", RECOMPRESS
        )
    dtype = DTYPES.get(peaks[0].get("precision", "32"))
    order = peaks[0].get("byteOrder", "network")
    if dtype is None or order != "network":
        raise ReadError(
            source,
            f"has numbers of precision {peaks[0].get('precision')} in byte order {order}",
            "precision 32 or 64 in byte order network",
            EXPORT_AGAIN,
        )
    # For no peaks, some writers write one pair of zeros instead of an empty element.
    n_pairs = max(length, 1)
    size = 2 * n_pairs * np.dtype(dtype).itemsize
    state.spectra.reserve(size, source)
    raw = unpack(peaks[0].text or "", size, source, compressed=packing == "zlib")
    if length == 0 and not any(raw):
        return np.empty(0), np.empty(0)
    check_size(raw, size if length else 0, 2 * length, source)
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file, which Run reports
        pairs = np.frombuffer(raw, dtype).reshape(-1, 2).astype(np.float64)
    return pairs[:, 0], pairs[:, 1]
