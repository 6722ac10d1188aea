"""mzML, the open XML format of mass spectrometry; accessions say what is what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import nan

import numpy as np
from lxml import etree

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.limits import max_unpacked
from gale.readers.xml import numpress
from gale.readers.xml.binary import check_size, read_length, unpack
from gale.readers.xml.spectra import Spectra, Spectrum, take_elements
from gale.run import Floats, Run

MS_LEVEL, MSN_SPECTRUM, SIM_SPECTRUM = "MS:1000511", "MS:1000580", "MS:1000582"
LIGHT = {"MS:1000804", "MS:1000805", "MS:1000806", "MS:1000617"}
"""Spectra of light, and the array of wavelengths that they have."""
CENTROID, PROFILE = "MS:1000127", "MS:1000128"
SCAN_START_TIME, TOTAL_ION_CURRENT = "MS:1000016", "MS:1000285"
MZ_ARRAY, INTENSITY_ARRAY = "MS:1000514", "MS:1000515"
NO_COMPRESSION, ZLIB = "MS:1000576", "MS:1000574"
SERIAL_NUMBER, INSTRUMENT_MODEL = "MS:1000529", "MS:1000031"
"""What an instrument may have besides the name of its model; the latter of an unknown one."""

MINUTES = {"UO:0000031": 1.0, "UO:0000010": 1 / 60, "UO:0000028": 1 / 60_000}
"""How many minutes a unit is: minute, second, millisecond."""

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
"""A userParam of the run with such a name is a fact of the file that it was converted from."""

_FUNCTION = re.compile(r"(?:^|\s)function=(\S+)")
"""How the identifiers of spectra tell the functions of an instrument apart."""

Params = dict[str, etree._Element]
"""cvParam elements by accession."""


@dataclass
class _Reading:
    """What has been read of a file so far."""

    source: str
    spectra: Spectra
    groups: dict[str, list[etree._Element]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    n_spectra: int = 0

    def params(self, element: etree._Element | None) -> Params:
        """Give the cvParams of an element, with those of the groups it refers to."""
        if element is None:
            return {}
        found = list(element.iterfind("{*}cvParam"))
        for reference in element.iterfind("{*}referenceableParamGroupRef"):
            found += self.groups.get(reference.get("ref", ""), [])
        return {param.get("accession", ""): param for param in found}


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read an mzML file: its spectra of MS level 1; those of other levels are counted in a note.

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
        If a spectrum is profile data or compressed in another way than zlib and numpress.
    ReadError
        If the file is cut short or damaged, or a spectrum lacks its time, a unit or an array.
    """
    reading = _Reading(source, Spectra(source, max_unpacked(len(data)), profile))
    takers = {
        "referenceableParamGroup": _take_group,
        "instrumentConfiguration": _take_instrument,
        "software": _take_software,
        "spectrum": _take_spectrum,
        "spectrumList": _take_list,
        "run": _take_run,
    }
    take_elements(data, source, "mzML", takers, reading)
    return reading.spectra.to_run("mzml", reading.facts)


def _take_group(reading: _Reading, element: etree._Element) -> None:
    reading.groups[element.get("id", "")] = list(element.iterfind("{*}cvParam"))


def _take_instrument(reading: _Reading, element: etree._Element) -> None:
    names = [
        param.get("name", "")
        for accession, param in reading.params(element).items()
        if accession not in (SERIAL_NUMBER, INSTRUMENT_MODEL)
    ]
    if names:
        reading.facts.setdefault("instrument", names[0])


def _take_software(reading: _Reading, element: etree._Element) -> None:
    names = [param.get("name", "") for param in reading.params(element).values()]
    this = f"{names[0] if names else element.get('id', '')} {element.get('version', '')}".strip()
    before = reading.facts.get("software")
    reading.facts["software"] = f"{before}; {this}" if before else this


def _take_run(reading: _Reading, element: etree._Element) -> None:
    for fact, attribute in (("title", "id"), ("date", "startTimeStamp")):
        if value := element.get(attribute):
            reading.facts[fact] = value
    told = {
        param.get("name", "").removeprefix(FACT_PREFIX): param.get("value", "")
        for param in element.iterfind("{*}userParam")
        if param.get("name", "").startswith(FACT_PREFIX)
    }
    reading.facts = told or reading.facts


def _take_list(reading: _Reading, element: etree._Element) -> None:
    declared = element.get("count")
    if declared is not None and declared != str(reading.n_spectra):
        raise ReadError(
            f"{reading.source}: has {reading.n_spectra:,} spectra; expected the {declared} that "
            "its spectrumList declares; the file may be cut short"
        )


def _take_spectrum(reading: _Reading, element: etree._Element) -> None:
    reading.n_spectra += 1
    name = element.get("id") or f"number {reading.n_spectra}"
    params = reading.params(element)
    level = params[MS_LEVEL].get("value") if MS_LEVEL in params else None
    if _is_light(reading, element, params):
        reading.spectra.left_out["spectra of light"] += 1
    elif level not in (None, "1") or (level is None and MSN_SPECTRUM in params):
        reading.spectra.left_out["spectra of another MS level than 1"] += 1
    else:
        _take_scan(reading, element, params, name)
    element.clear()  # or the whole file would be in memory as a tree


def _is_light(reading: _Reading, element: etree._Element, params: Params) -> bool:
    """Whether a spectrum is that of a diode array, whose axis is a wavelength."""
    arrays = element.iterfind("{*}binaryDataArrayList/{*}binaryDataArray")
    return bool(LIGHT & params.keys()) or any(
        LIGHT & reading.params(array).keys() for array in arrays
    )


def _take_scan(reading: _Reading, element: etree._Element, params: Params, name: str) -> None:
    profile = PROFILE in params
    mz = intensity = np.empty(0)
    if not profile or reading.spectra.profile:
        mz, intensity = _arrays(reading, element, name)
    time = _time_min(reading, element, name)
    if time is None and (profile or len(mz)):
        raise ReadError(
            f"{reading.source}: spectrum {name} has ions and no scan start time; expected one"
        )
    if time is None:
        reading.spectra.left_out["spectra without a time and without ions"] += 1
        return
    function = _FUNCTION.search(name)
    reading.spectra.kept.append(
        Spectrum(
            name,
            time,
            mz,
            intensity,
            _value(params, TOTAL_ION_CURRENT, reading.source, name),
            function=function[1] if function else "",
            sim=SIM_SPECTRUM in params,
            centroid=CENTROID in params,
            profile=profile,
        )
    )


def _value(params: Params, accession: str, source: str, name: str) -> float:
    """Give the value of a cvParam as a number; NaN if it is not there."""
    if accession not in params:
        return nan
    text = params[accession].get("value", "")
    try:
        return float(text)
    except ValueError:
        raise ReadError(
            f"{source}: spectrum {name} has {text[:40]!r} for {accession}; expected a number"
        ) from None


def _time_min(reading: _Reading, element: etree._Element, name: str) -> float | None:
    params = reading.params(element.find("{*}scanList/{*}scan"))
    if SCAN_START_TIME not in params:
        return None
    unit = params[SCAN_START_TIME].get("unitAccession")
    if unit not in MINUTES:
        raise ReadError(
            f"{reading.source}: the time of spectrum {name} is in unit {unit}; expected minutes "
            "(UO:0000031) or seconds (UO:0000010); export the run again"
        )
    return _value(params, SCAN_START_TIME, reading.source, name) * MINUTES[unit]


def _arrays(reading: _Reading, element: etree._Element, name: str) -> tuple[Floats, Floats]:
    """m/z and intensity of a spectrum, both as long as the spectrum declares."""
    found: dict[str, Floats] = {}
    default = element.get("defaultArrayLength", "")
    for array in element.iterfind("{*}binaryDataArrayList/{*}binaryDataArray"):
        params = reading.params(array)
        for kind in (MZ_ARRAY, INTENSITY_ARRAY):
            if kind in params:
                length = array.get("arrayLength", default)
                where = f"{reading.source}: spectrum {name}"
                found[kind] = _decode(reading, array, params, length, where)
    if default == "0":
        return np.empty(0), np.empty(0)
    if len(found) < 2 or len(found[MZ_ARRAY]) != len(found[INTENSITY_ARRAY]):
        raise ReadError(
            f"{reading.source}: spectrum {name} lacks an array; expected m/z and intensity of "
            "equal length"
        )
    return found[MZ_ARRAY], found[INTENSITY_ARRAY]


def _decode(
    reading: _Reading, array: etree._Element, params: Params, length_text: str, where: str
) -> Floats:
    other = [
        param.get("name", accession)
        for accession, param in params.items()
        if "compression" in param.get("name", "").lower()
        and accession not in (ZLIB, NO_COMPRESSION, *NUMPRESS)
    ]
    if other:
        raise UnsupportedFormatError(
            f"{where} is compressed by {other[0]}; expected zlib, numpress or none; convert it "
            "again with msconvert --zlib"
        )
    length = read_length(length_text, where)
    reading.spectra.take_room(length * np.dtype(np.float64).itemsize, where)
    text = array.findtext("{*}binary") or ""
    packed = next((accession for accession in NUMPRESS if accession in params), None)
    compressed = ZLIB in params or packed in ZLIB_AFTER_NUMPRESS
    if packed is not None:
        # Nine half bytes are the most that an integer takes, behind a header of 16 bytes.
        raw = unpack(text, 16 + 5 * length, where, compressed=compressed)
        try:
            return NUMPRESS[packed](raw, length)
        except ValueError as error:
            raise ReadError(
                f"{where} has damaged data ({error}); expected {length} numbers; export the run "
                "again"
            ) from error
    dtype = next((code for accession, code in DTYPES.items() if accession in params), None)
    if dtype is None:
        raise ReadError(
            f"{where} has an array without a known number type; expected 32- or 64-bit numbers; "
            "export the run again"
        )
    size = length * np.dtype(dtype).itemsize
    raw = unpack(text, size, where, compressed=compressed)
    check_size(raw, size, length, where)
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file, which Run reports
        return np.frombuffer(raw, dtype).astype(np.float64)
