"""mzML, the open XML format of mass spectrometry; accessions say what is what."""

from __future__ import annotations

import base64
import binascii
import io
import re
import zlib
from dataclasses import dataclass, field
from math import nan

import numpy as np
from lxml import etree

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.scans import FACT_SPECTRA, profile_error, sort_ions
from gale.run import Floats, Run

MS_LEVEL, MSN_SPECTRUM = "MS:1000511", "MS:1000580"
CENTROID, PROFILE = "MS:1000127", "MS:1000128"
SCAN_START_TIME, TOTAL_ION_CURRENT = "MS:1000016", "MS:1000285"
MZ_ARRAY, INTENSITY_ARRAY = "MS:1000514", "MS:1000515"
NO_COMPRESSION, ZLIB = "MS:1000576", "MS:1000574"
SERIAL_NUMBER, INSTRUMENT_MODEL = "MS:1000529", "MS:1000031"
"""What an instrument may have besides the name of its model; the latter of an unknown one."""

MINUTES = {"UO:0000031": 1.0, "UO:0000010": 1 / 60, "UO:0000028": 1 / 60_000}
"""How many minutes a unit is: minute, second, millisecond."""

DTYPES = {"MS:1000523": "<f8", "MS:1000521": "<f4", "MS:1000522": "<i8", "MS:1000519": "<i4"}

FACT_PREFIX = "gale: "
"""A userParam of the run with such a name is a fact of the file that it was converted from."""

_LENGTH = re.compile(r"[0-9]{1,8}")
"""How long an array may say it is: a hundred million would be no scan, but an attack."""

Params = dict[str, etree._Element]
"""cvParam elements by accession."""


@dataclass
class _Reading:
    """What has been read of a file so far."""

    source: str
    groups: dict[str, list[etree._Element]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    time_min: list[float] = field(default_factory=list)
    mz: list[Floats] = field(default_factory=list)
    intensity: list[Floats] = field(default_factory=list)
    tic: list[float] = field(default_factory=list)
    n_spectra: int = 0
    n_other_level: int = 0
    n_untimed: int = 0
    n_centroid: int = 0

    def params(self, element: etree._Element | None) -> Params:
        """Give the cvParams of an element, with those of the groups it refers to."""
        if element is None:
            return {}
        found = list(element.iterfind("{*}cvParam"))
        for reference in element.iterfind("{*}referenceableParamGroupRef"):
            found += self.groups.get(reference.get("ref", ""), [])
        return {param.get("accession", ""): param for param in found}


def read(data: bytes, source: str) -> Run:
    """Read an mzML file: its spectra of MS level 1; those of other levels are counted in a note.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.

    Raises
    ------
    UnsupportedFormatError
        If a spectrum is profile data or compressed in another way than zlib.
    ReadError
        If the file is cut short or damaged, or a spectrum lacks its time, a unit or an array.
    """
    if b"<!DOCTYPE" in data:
        raise ReadError(f"{source}: declares a DOCTYPE; expected mzML, which has none")
    reading = _Reading(source)
    takers = {
        "referenceableParamGroup": _take_group,
        "instrumentConfiguration": _take_instrument,
        "software": _take_software,
        "spectrum": _take_spectrum,
        "spectrumList": _take_list,
        "run": _take_run,
    }
    try:
        for _, element in etree.iterparse(
            io.BytesIO(data),
            tag=[f"{{*}}{name}" for name in takers],
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        ):
            takers[etree.QName(element).localname](reading, element)
    except etree.XMLSyntaxError as error:
        why = " ".join(str(error.msg).split())
        raise ReadError(
            f"{source}: the XML is cut short or damaged ({why}); expected a whole file; copy or "
            "export it again"
        ) from error
    return _finish(reading)


def _finish(reading: _Reading) -> Run:
    counts = np.array([len(mz) for mz in reading.mz], dtype=np.int64)
    mz = np.concatenate(reading.mz) if reading.mz else np.empty(0)
    intensity = np.concatenate(reading.intensity) if reading.intensity else np.empty(0)
    if reading.mz and reading.n_centroid == len(reading.mz):
        reading.facts[FACT_SPECTRA] = "centroid"
    notes = []
    if reading.n_other_level:
        notes.append(f"{reading.n_other_level:,} spectra of another MS level than 1 were left out")
    if reading.n_untimed:
        notes.append(f"{reading.n_untimed:,} spectra without a time and without ions were left out")
    mz, intensity = sort_ions(counts, mz, intensity)
    return Run.from_scans(
        reading.time_min,
        counts,
        mz,
        intensity,
        source=reading.source,
        format="mzml",
        facts=reading.facts,
        notes=tuple(notes),
        stated_tic=reading.tic,
    )


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
    if level not in (None, "1") or (level is None and MSN_SPECTRUM in params):
        reading.n_other_level += 1
    else:
        _take_scan(reading, element, params, name)
    element.clear()  # or the whole file would be in memory as a tree


def _take_scan(reading: _Reading, element: etree._Element, params: Params, name: str) -> None:
    if PROFILE in params:
        raise profile_error(reading.source, f"spectrum {name} is declared to be profile data")
    mz, intensity = _arrays(reading, element, name)
    time = _time_min(reading, element, name)
    if time is None and len(mz):
        raise ReadError(
            f"{reading.source}: spectrum {name} has ions and no scan start time; expected one"
        )
    if time is None:
        reading.n_untimed += 1
        return
    reading.n_centroid += CENTROID in params
    reading.time_min.append(time)
    reading.mz.append(mz)
    reading.intensity.append(intensity)
    reading.tic.append(_value(params, TOTAL_ION_CURRENT, reading.source, name))


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
                found[kind] = _decode(array, params, length, where)
    if default == "0":
        return np.empty(0), np.empty(0)
    if len(found) < 2 or len(found[MZ_ARRAY]) != len(found[INTENSITY_ARRAY]):
        raise ReadError(
            f"{reading.source}: spectrum {name} lacks an array; expected m/z and intensity of "
            "equal length"
        )
    return found[MZ_ARRAY], found[INTENSITY_ARRAY]


def _decode(array: etree._Element, params: Params, length: str, where: str) -> Floats:
    compression = [
        param.get("name", accession)
        for accession, param in params.items()
        if "compression" in param.get("name", "").lower()
        and accession not in (ZLIB, NO_COMPRESSION)
    ]
    if compression:
        raise UnsupportedFormatError(
            f"{where} is compressed by {compression[0]}; expected zlib or none; convert it again "
            "with msconvert --zlib"
        )
    dtype = next((code for accession, code in DTYPES.items() if accession in params), None)
    if dtype is None or not _LENGTH.fullmatch(length):
        raise ReadError(
            f"{where} has an array without a known number type or length; expected 32- or 64-bit "
            "numbers; export the run again"
        )
    size = int(length) * np.dtype(dtype).itemsize
    try:
        raw = base64.b64decode(array.findtext("{*}binary") or "")
        if ZLIB in params and raw:
            raw = zlib.decompressobj().decompress(raw, size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ReadError(f"{where} has damaged data ({error}); export the run again") from error
    if len(raw) != size:
        raise ReadError(
            f"{where} has {len(raw):,} bytes in an array; expected {size:,} for {length} numbers; "
            "the file may be damaged"
        )
    return np.frombuffer(raw, dtype).astype(np.float64)
