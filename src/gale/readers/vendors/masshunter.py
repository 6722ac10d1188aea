"""Agilent MassHunter's ``AcqData``, the folder of acquired data in a ``.D`` folder.

``MSScan.bin`` has one record per scan, laid out as in ``MSScan.xsd``, with the place of its
centroids in ``MSPeak.bin``. gale reads instruments that store m/z, as quadrupoles do; flight times
and profile data are refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.ionisation import stated
from gale.readers.refused import CONVERT
from gale.readers.scans import sort_ions
from gale.run import Floats, Run

TYPES = {"byte": "i1", "short": "<i2", "int": "<i4", "long": "<i8", "float": "<f4", "double": "<f8"}
"""The types of numbers in the schema; all are little-endian."""

RECORD, SPECTRUM = "ScanRecordType", "SpectrumParamsType"
NEEDED = {
    **dict.fromkeys(("ScanID", "MSLevel", "ScanType"), "i"),
    **dict.fromkeys(("SpectrumOffset", "ByteCount", "PointCount"), "i"),
    **dict.fromkeys(("ScanTime", "TIC", "MaxY"), "f"),
}
"""Fields that the records need, and whether each is a whole number or a float."""

FULL_SCAN = 1
"""The type of a scan over a range of m/z; other types are of selected ions or reactions."""

IONISATIONS = {2: "EI", 4: "CI", 8: "MALDI", 16: "APPI", 32: "APCI", 64: "ESI", 128: "nanoESI"}
POLARITIES = {0: "+", 1: "-"}
"""What the optional fields IonMode and IonPolarity of a scan mean."""

FIRST_RECORD_AT = 0x58
BYTES_PER_ION = 16
"""m/z and intensity, each a double; all m/z of a scan come before all its intensities."""

MAX_XML_BYTES = 1 << 20
COPY_AGAIN = "copy the folder again"

_NUMBER = re.compile(r"[0-9]{1,9}")
_FACTS = {
    "date": "AcquiredTime",
    "instrument": "InstrumentName",
    "software": "AcqSoftwareVersion",
}


def read(files: Mapping[str, bytes], source: str) -> Run:
    """Read the full scans of MS level 1; a note counts other spectra.

    Parameters
    ----------
    files : mapping of str to bytes
        ``msscan.xsd``, ``msscan.bin`` and ``mspeak.bin``; optionally ``msts.xml`` and
        ``contents.xml``.
    source : str
        Name of the folder in messages.

    Raises
    ------
    UnsupportedFormatError
        If there are no full scans, or gale does not know how they are stored.
    ReadError
        If a file is cut short or damaged, or the records and the spectra disagree.
    """
    records = _records(files, source)
    scanning = (records["MSLevel"] == 1) & (records["ScanType"] == FULL_SCAN)
    if len(records) and not scanning.any():
        raise UnsupportedFormatError(
            source,
            f"has {len(records):,} scans of selected ions or reactions, and no full scans",
            "a run of full scans",
            "acquire the sample in full-scan mode",
        )
    scans = records[scanning]
    count, mz, intensity = _ions(scans, files["mspeak.bin"], source)
    mz, intensity = sort_ions(count, mz, intensity)
    notes = [*_compare_number(len(records), files.get("msts.xml", b""))]
    if n_other := len(records) - len(scans):
        spectra = (
            "spectrum that is not a full scan was"
            if n_other == 1
            else "spectra that are not full scans were"
        )
        notes.append(f"{n_other:,} {spectra} left out")
    return Run.from_scans(
        scans["ScanTime"],
        count,
        mz,
        intensity,
        source=source,
        format="masshunter",
        facts={**_facts(files.get("contents.xml", b"")), **_ionisation(scans)},
        notes=tuple(notes),
        stated_tic=scans["TIC"],
    )


def _records(files: Mapping[str, bytes], source: str) -> NDArray[np.void]:
    """The records of MSScan.bin, one per scan, shape (S,)."""
    layout = _layout(files["msscan.xsd"], source)
    data = files["msscan.bin"]
    start = struct.unpack_from("<I", data, FIRST_RECORD_AT)[0] if len(data) > 0x5C else 0
    n_records, rest = divmod(len(data) - start, layout.itemsize)
    if start <= FIRST_RECORD_AT or n_records < 0:
        raise ReadError(f"{source}: MSScan.bin", "is cut short", "a whole file", COPY_AGAIN)
    records = np.frombuffer(data, layout, n_records, start)
    if rest or np.any(np.diff(records["ScanID"].astype(np.int64)) <= 0):
        raise UnsupportedFormatError(
            f"{source}: MSScan.bin",
            f"does not consist of records of {layout.itemsize} bytes in order of ScanID",
            "records with one spectrum each, of centroids",
            f"{COPY_AGAIN}, or {CONVERT}",
        )
    return records


def _layout(schema: bytes, source: str) -> np.dtype[np.void]:
    """Layout of a record: the numbers of a scan, then those of its one spectrum."""
    tree = _xml(schema)
    if tree is None:
        raise ReadError(f"{source}: MSScan.xsd", "is damaged", "XML", COPY_AGAIN)
    fields: dict[str, np.dtype[Any]] = {}
    known = True
    for kind in (RECORD, SPECTRUM):
        path = f"{{*}}complexType[@name='{kind}']/{{*}}sequence/{{*}}element"
        for element in tree.iterfind(path):
            name, number = element.get("name"), element.get("type", "").rpartition(":")[2]
            if name and number in TYPES:
                fields[name] = np.dtype(TYPES[number])
            else:
                known = known and number == SPECTRUM
    if not known or any(name not in fields or fields[name].kind != NEEDED[name] for name in NEEDED):
        raise UnsupportedFormatError(
            f"{source}: MSScan.xsd",
            "describes records that gale does not know",
            f"records of numbers, including {', '.join(NEEDED)}",
            CONVERT,
        )
    return np.dtype(list(fields.items()))


def _ions(
    scans: NDArray[np.void], peaks: bytes, source: str
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Number of ions of each scan, shape (S,), and m/z and intensity of all ions, shape (N,)."""
    count = scans["PointCount"].astype(np.int64)
    start = scans["SpectrumOffset"].astype(np.int64)
    size = scans["ByteCount"].astype(np.int64)
    if np.any((count < 0) | (size != BYTES_PER_ION * count)):
        raise UnsupportedFormatError(
            f"{source}: MSScan.bin",
            f"describes spectra that do not have {BYTES_PER_ION} bytes per ion",
            "m/z and intensity as 64-bit numbers",
            CONVERT,
        )
    full = count > 0
    outside = full & ((start < 0) | (start > len(peaks) - size))
    if outside.any() or size.sum() > len(peaks):
        raise ReadError(
            f"{source}: MSPeak.bin",
            f"has {len(peaks):,} bytes, and {int(outside.sum()):,} spectra lie outside them",
            f"all {len(scans):,} spectra, {size.sum():,} bytes, inside the file",
            COPY_AGAIN,
        )
    mz, intensity = [np.empty(0)], [np.empty(0)]
    highest, n_wrong = scans["MaxY"], 0
    for scan in np.flatnonzero(full):
        pair = np.frombuffer(peaks, "<f8", 2 * count[scan], start[scan]).reshape(2, -1)
        mz.append(pair[0])
        intensity.append(pair[1])
        n_wrong += not isclose(pair[1].max(), highest[scan], rel_tol=1e-6)
    if n_wrong:
        raise ReadError(
            f"{source}: MSPeak.bin",
            f"has another base peak than MSScan.bin states in {n_wrong:,} of {len(scans):,} scans",
            "two files of the same run",
            COPY_AGAIN,
        )
    return count, np.concatenate(mz), np.concatenate(intensity)


def _compare_number(found: int, segments: bytes) -> Iterator[str]:
    """Note if the time segments in MSTS.xml state another number of scans in all."""
    tree = _xml(segments)
    texts = [] if tree is None else [element.text or "" for element in tree.iter("{*}NumOfScans")]
    stated = sum(int(text) for text in texts if _NUMBER.fullmatch(text))
    if texts and stated != found:
        yield f"the run has {found:,} scans and states {stated:,}; it may be cut short"


def ionisation_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """What ``msscan.bin`` states of the ionisation; nothing if it is missing or damaged."""
    if not {"msscan.xsd", "msscan.bin"} <= files.keys():
        return {}
    try:
        return _ionisation(_records(files, ""))
    except ReadError:  # no number is needed of it
        return {}


def _ionisation(scans: NDArray[np.void]) -> dict[str, str]:
    """What the scans state of how their ions were made, and of which sign they are."""

    def of(field: str, words: Mapping[int, str]) -> list[str]:
        known = field in (scans.dtype.names or ())
        return [words.get(int(each), "") for each in np.unique(scans[field])] if known else []

    return stated(of("IonMode", IONISATIONS), of("IonPolarity", POLARITIES))


def _facts(contents: bytes) -> dict[str, str]:
    """What Contents.xml says of the run; nothing if it is damaged, since no number needs it."""
    tree = _xml(contents)
    if tree is None:
        return {}
    texts = {fact: " ".join((tree.findtext(tag) or "").split()) for fact, tag in _FACTS.items()}
    return {fact: text for fact, text in texts.items() if text}


def _xml(data: bytes) -> etree._Element | None:
    """The root of a small XML file without DOCTYPE; None for anything else."""
    if len(data) > MAX_XML_BYTES or b"<!DOCTYPE" in data:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
