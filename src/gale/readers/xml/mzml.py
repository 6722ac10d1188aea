"""mzML, the open XML format of mass spectrometry; its terms are accessions of PSI-MS."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import nan

import numpy as np
from lxml import etree

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import counted
from gale.readers.ionisation import stated
from gale.readers.limits import max_unpacked
from gale.readers.xml import numpress
from gale.readers.xml.binary import EXPORT_AGAIN, RECOMPRESS, check_size, read_length, unpack
from gale.readers.xml.spectra import Spectra, Spectrum, parse_elements
from gale.run import Floats, Run

MS_LEVEL, MSN_SPECTRUM, SIM_SPECTRUM = "MS:1000511", "MS:1000580", "MS:1000582"
LIGHT = {"MS:1000804", "MS:1000805", "MS:1000806", "MS:1000617"}
"""Spectra of light, and their array of wavelengths."""
CENTROID, PROFILE = "MS:1000127", "MS:1000128"
POLARITIES = ("MS:1000130", "MS:1000129")
SCAN_START_TIME, TOTAL_ION_CURRENT = "MS:1000016", "MS:1000285"
MZ_ARRAY, INTENSITY_ARRAY = "MS:1000514", "MS:1000515"
NO_COMPRESSION, ZLIB = "MS:1000576", "MS:1000574"
SERIAL_NUMBER, INSTRUMENT_MODEL = "MS:1000529", "MS:1000031"
"""Terms of an instrument that do not name its model; the latter is for an unknown model."""

MINUTES = {"UO:0000031": 1.0, "UO:0000010": 1 / 60, "UO:0000028": 1 / 60_000}
"""Length of a unit in minutes: minute, second, millisecond."""

DTYPES = {"MS:1000523": "<f8", "MS:1000521": "<f4", "MS:1000522": "<i8", "MS:1000519": "<i4"}

NUMPRESS = {
    "MS:1002312": numpress.linear,
    "MS:1002313": numpress.pic,
    "MS:1002314": numpress.slof,
    "MS:1002746": numpress.linear,
    "MS:1002747": numpress.pic,
    "MS:1002748": numpress.slof,
}
ZLIB_AFTER_NUMPRESS = {"MS:1002746", "MS:1002747", "MS:1002748"}

FACT_PREFIX = "gale: "
"""A userParam of the run whose name begins so is a fact of the original file."""

_FUNCTION = re.compile(r"(?:^|\s)function=(\S+)")
"""Where the identifier of a spectrum names the function of the instrument."""

Params = dict[str, etree._Element]
"""cvParam elements by accession."""


@dataclass
class _State:
    """What has been read of a file so far."""

    source: str
    spectra: Spectra
    groups: dict[str, list[etree._Element]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)
    n_spectra: int = 0
    n_chromatograms: int = 0

    def params(self, element: etree._Element | None) -> Params:
        """Give the cvParams of an element, including those of the groups it refers to."""
        if element is None:
            return {}
        found = list(element.iterfind("{*}cvParam"))
        for reference in element.iterfind("{*}referenceableParamGroupRef"):
            found += self.groups.get(reference.get("ref", ""), [])
        return {param.get("accession", ""): param for param in found}


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read the spectra of MS level 1 of an mzML file; a note counts those of other levels.

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
        If a spectrum is profile data, or compressed by anything but zlib and numpress.
    ReadError
        If the file is cut short or damaged, or a spectrum lacks its time, a unit or an array.
    """
    handlers = {
        "referenceableParamGroup": _add_group,
        "instrumentConfiguration": _add_instrument,
        "software": _add_software,
        "spectrum": _add_spectrum,
        "spectrumList": _check_number,
        "chromatogram": _count_chromatogram,
        "run": _add_run,
    }
    state, notes = parse_elements(
        data,
        source,
        "mzML",
        handlers,
        lambda: _State(source, Spectra(source, max_unpacked(len(data)), profile)),
    )
    if state.n_chromatograms and not state.n_spectra:
        raise UnsupportedFormatError(
            source,
            f"holds {counted(state.n_chromatograms, 'chromatogram')} and no spectra",
            "the spectra of a run",
            "convert the run again with the options --simAsSpectra and --srmAsSpectra of "
            "ProteoWizard's msconvert",
        )
    return state.spectra.to_run("mzml", state.facts, notes)


def _add_group(state: _State, element: etree._Element) -> None:
    state.groups[element.get("id", "")] = list(element.iterfind("{*}cvParam"))


def _add_instrument(state: _State, element: etree._Element) -> None:
    names = [
        param.get("name", "")
        for accession, param in state.params(element).items()
        if accession not in (SERIAL_NUMBER, INSTRUMENT_MODEL)
    ]
    if names:
        state.facts.setdefault("instrument", names[0])
    state.sources[element.get("id", "")] = [
        param.get("name", "")
        for source in element.iterfind("{*}componentList/{*}source")
        for param in state.params(source).values()
    ]


def _add_software(state: _State, element: etree._Element) -> None:
    names = [param.get("name", "") for param in state.params(element).values()]
    this = f"{names[0] if names else element.get('id', '')} {element.get('version', '')}".strip()
    before = state.facts.get("software")
    state.facts["software"] = f"{before}; {this}" if before else this


def _add_run(state: _State, element: etree._Element) -> None:
    for fact, attribute in (("title", "id"), ("date", "startTimeStamp")):
        if value := element.get(attribute):
            state.facts[fact] = value
    default = state.sources.get(element.get("defaultInstrumentConfigurationRef", ""), [])
    state.facts |= stated([*default, *(name for each in state.sources.values() for name in each)])
    converted = {
        param.get("name", "").removeprefix(FACT_PREFIX): param.get("value", "")
        for param in element.iterfind("{*}userParam")
        if param.get("name", "").startswith(FACT_PREFIX)
    }
    state.facts = converted or state.facts


def _count_chromatogram(state: _State, element: etree._Element) -> None:
    state.n_chromatograms += 1
    element.clear()


def _check_number(state: _State, element: etree._Element) -> None:
    declared = element.get("count")
    if declared is not None and declared != str(state.n_spectra):
        raise ReadError(
            state.source,
            f"has {state.n_spectra:,} spectra",
            f"{declared[:40]}, as its spectrumList declares",
            "copy or export the file again",
        )


def _add_spectrum(state: _State, element: etree._Element) -> None:
    state.n_spectra += 1
    name = element.get("id") or f"number {state.n_spectra}"
    params = state.params(element)
    level = params[MS_LEVEL].get("value") if MS_LEVEL in params else None
    if _is_light(state, element, params):
        state.spectra.left_out["of light"] += 1
    elif level not in (None, "1") or (level is None and MSN_SPECTRUM in params):
        state.spectra.left_out["of another MS level than 1"] += 1
    else:
        _add_scan(state, element, params, name)
    element.clear()  # or the whole file would be in memory as a tree


def _is_light(state: _State, element: etree._Element, params: Params) -> bool:
    """Whether a spectrum is that of a diode array, whose axis is a wavelength."""
    arrays = element.iterfind("{*}binaryDataArrayList/{*}binaryDataArray")
    return bool(LIGHT & params.keys()) or any(
        LIGHT & state.params(array).keys() for array in arrays
    )


def _add_scan(state: _State, element: etree._Element, params: Params, name: str) -> None:
    source = f"{state.source}: spectrum {name}"
    profile = PROFILE in params
    mz = intensity = np.empty(0)
    if not profile or state.spectra.profile:
        mz, intensity = _arrays(state, element, source)
    time = _time_min(state, element, source)
    if time is None and (profile or len(mz)):
        raise ReadError(
            source, "has ions but no time", f"scan start time ({SCAN_START_TIME})", EXPORT_AGAIN
        )
    if time is None:
        state.spectra.left_out["without a time and without ions"] += 1
        return
    function = _FUNCTION.search(name)
    state.spectra.ms1.append(
        Spectrum(
            name,
            time,
            mz,
            intensity,
            _value(params, TOTAL_ION_CURRENT, source),
            function=function[1] if function else "",
            polarity=next(
                (params[each].get("name", "") for each in POLARITIES if each in params), ""
            ),
            sim=SIM_SPECTRUM in params,
            centroid=CENTROID in params,
            profile=profile,
        )
    )


def _value(params: Params, accession: str, source: str) -> float:
    """Give the value of a cvParam as a number; NaN if it is missing."""
    if accession not in params:
        return nan
    text = params[accession].get("value", "")
    try:
        return float(text)
    except ValueError:
        raise ReadError(
            source, f"has {text[:40]!r} for {accession}", "a number", EXPORT_AGAIN
        ) from None


def _time_min(state: _State, element: etree._Element, source: str) -> float | None:
    params = state.params(element.find("{*}scanList/{*}scan"))
    if SCAN_START_TIME not in params:
        return None
    unit = params[SCAN_START_TIME].get("unitAccession", "")
    if unit not in MINUTES:
        raise ReadError(
            source,
            f"has a time in the unit {unit[:40]!r}",
            f"minutes, seconds or milliseconds ({', '.join(MINUTES)})",
            EXPORT_AGAIN,
        )
    return _value(params, SCAN_START_TIME, source) * MINUTES[unit]


def _arrays(state: _State, element: etree._Element, source: str) -> tuple[Floats, Floats]:
    """m/z and intensity of a spectrum, each as long as the spectrum declares."""
    found: dict[str, Floats] = {}
    default = element.get("defaultArrayLength", "")
    for array in element.iterfind("{*}binaryDataArrayList/{*}binaryDataArray"):
        params = state.params(array)
        for kind in (MZ_ARRAY, INTENSITY_ARRAY):
            if kind in params:
                length = array.get("arrayLength", default)
                found[kind] = _decode(state, array, params, length, source)
    if default == "0":
        return np.empty(0), np.empty(0)
    n_mz, n_intensity = (len(found.get(kind, ())) for kind in (MZ_ARRAY, INTENSITY_ARRAY))
    if len(found) < 2 or n_mz != n_intensity:
        raise ReadError(
            source,
            f"has {n_mz:,} m/z and {n_intensity:,} intensities",
            "an array of each, of equal length",
            EXPORT_AGAIN,
        )
    return found[MZ_ARRAY], found[INTENSITY_ARRAY]


def _decode(
    state: _State, array: etree._Element, params: Params, length_text: str, source: str
) -> Floats:
    """Unpack an array and decode its numbers, shape (length,)."""
    other = [
        param.get("name", accession)
        for accession, param in params.items()
        if "compression" in param.get("name", "").lower()
        and accession not in (ZLIB, NO_COMPRESSION, *NUMPRESS)
    ]
    if other:
        raise UnsupportedFormatError(
            source,
            f"is compressed by {other[0][:40]}",
            "zlib, numpress or no compression",
            RECOMPRESS,
        )
    length = read_length(length_text, source)
    state.spectra.reserve(length * np.dtype(np.float64).itemsize, source)
    text = array.findtext("{*}binary") or ""
    packed = next((accession for accession in NUMPRESS if accession in params), None)
    compressed = ZLIB in params or packed in ZLIB_AFTER_NUMPRESS
    if packed is not None:
        # An integer takes at most nine half bytes, after a header of 16 bytes.
        raw = unpack(text, 16 + 5 * length, source, compressed=compressed)
        try:
            return NUMPRESS[packed](raw, length)
        except ValueError as error:
            raise ReadError(
                source, f"has damaged data ({error})", f"{length:,} numbers", EXPORT_AGAIN
            ) from error
    dtype = next((code for accession, code in DTYPES.items() if accession in params), None)
    if dtype is None:
        raise ReadError(
            source,
            "has an array without a known number type",
            f"32- or 64-bit numbers ({', '.join(DTYPES)})",
            EXPORT_AGAIN,
        )
    size = length * np.dtype(dtype).itemsize
    raw = unpack(text, size, source, compressed=compressed)
    check_size(raw, size, length, source)
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file, which Run reports
        return np.frombuffer(raw, dtype).astype(np.float64)
