"""Agilent MassHunter's ``AcqData``, the folder of acquired data in a ``.D`` folder.

``MSScan.bin`` has a record a scan, laid out as ``MSScan.xsd`` beside it says, with the place of
its centroids in ``MSPeak.bin``. Read are instruments that store m/z, as quadrupoles do; those that
store flight times are refused, as is profile data.
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
from gale.readers.scans import sort_ions
from gale.run import Floats, Run

TYPES = {"byte": "i1", "short": "<i2", "int": "<i4", "long": "<i8", "float": "<f4", "double": "<f8"}
"""The numbers of the schema, which are little-endian."""

RECORD, SPECTRUM = "ScanRecordType", "SpectrumParamsType"
NEEDED = {
    **dict.fromkeys(("ScanID", "MSLevel", "ScanType"), "i"),
    **dict.fromkeys(("SpectrumOffset", "ByteCount", "PointCount"), "i"),
    **dict.fromkeys(("ScanTime", "TIC", "MaxY"), "f"),
}
"""What the records have to say, and whether as a whole number or as a float."""

FULL_SCAN = 1
"""The type of scan over a range of m/z; others are of selected ions or reactions."""

FIRST_RECORD_AT = 0x58
BYTES_PER_ION = 16
"""m/z and intensity, each as a double; first all m/z of a scan, then all intensities."""

MAX_XML_BYTES = 1 << 20

_NUMBER = re.compile(r"[0-9]{1,9}")
_FACTS = {
    "date": "AcquiredTime",
    "instrument": "InstrumentName",
    "software": "AcqSoftwareVersion",
}


def read(files: Mapping[str, bytes], source: str) -> Run:
    """Read the full scans of MS level 1; others are counted in a note.

    Parameters
    ----------
    files : mapping of str to bytes
        ``msscan.xsd``, ``msscan.bin`` and ``mspeak.bin``; ``msts.xml`` and ``contents.xml`` if
        they are there.
    source : str
        Name of the folder in messages.

    Raises
    ------
    UnsupportedFormatError
        If there are no full scans, or they are stored in a way that gale does not know.
    ReadError
        If a file is cut short, or what the records say of the spectra is not so.
    """
    records = _records(files, source)
    scanning = (records["MSLevel"] == 1) & (records["ScanType"] == FULL_SCAN)
    if len(records) and not scanning.any():
        raise UnsupportedFormatError(
            f"{source}: has no full scans among its {len(records):,}, but selected ions or "
            "reactions; expected a run of full scans; acquire one"
        )
    scans = records[scanning]
    count, mz, intensity = _ions(scans, files["mspeak.bin"], source)
    mz, intensity = sort_ions(count, mz, intensity)
    notes = [*_compare_number(len(records), files.get("msts.xml", b""))]
    if n_other := len(records) - len(scans):
        notes.append(f"{n_other:,} spectra that are no full scans were left out")
    return Run.from_scans(
        scans["ScanTime"],
        count,
        mz,
        intensity,
        source=source,
        format="masshunter",
        facts=_facts(files.get("contents.xml", b"")),
        notes=tuple(notes),
        stated_tic=scans["TIC"],
    )


def _records(files: Mapping[str, bytes], source: str) -> NDArray[np.void]:
    """The records of MSScan.bin, one a scan."""
    layout = _layout(files["msscan.xsd"], source)
    data = files["msscan.bin"]
    start = struct.unpack_from("<I", data, FIRST_RECORD_AT)[0] if len(data) > 0x5C else 0
    n_records, rest = divmod(len(data) - start, layout.itemsize)
    if start <= FIRST_RECORD_AT or n_records < 0:
        raise ReadError(f"{source}: MSScan.bin is cut short; expected a whole file; copy it again")
    records = np.frombuffer(data, layout, n_records, start)
    if rest or np.any(np.diff(records["ScanID"].astype(np.int64)) <= 0):
        raise UnsupportedFormatError(
            f"{source}: MSScan.bin is not made of records with one spectrum each; expected "
            "centroids alone; if the folder was copied whole, convert it to mzML with "
            "ProteoWizard's msconvert (peak picking on)"
        )
    return records


def _layout(schema: bytes, source: str) -> np.dtype[np.void]:
    """What a record consists of: the numbers of a scan, then those of its one spectrum."""
    tree = _xml(schema)
    if tree is None:
        raise ReadError(f"{source}: MSScan.xsd is damaged; expected XML; copy the folder again")
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
            f"{source}: MSScan.xsd describes records that gale does not know; expected numbers, "
            f"with {', '.join(NEEDED)}; convert the folder to mzML with ProteoWizard's msconvert"
        )
    return np.dtype(list(fields.items()))


def _ions(
    scans: NDArray[np.void], peaks: bytes, source: str
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """How many ions each scan has, and all of them."""
    count = scans["PointCount"].astype(np.int64)
    start = scans["SpectrumOffset"].astype(np.int64)
    size = scans["ByteCount"].astype(np.int64)
    if np.any((count < 0) | (size != BYTES_PER_ION * count)):
        raise UnsupportedFormatError(
            f"{source}: the spectra do not have {BYTES_PER_ION} bytes an ion; expected m/z and "
            "intensity as 64-bit numbers; convert the folder to mzML with ProteoWizard's msconvert"
        )
    full = count > 0
    outside = full & ((start < 0) | (start > len(peaks) - size))
    if outside.any() or size.sum() > len(peaks):
        raise ReadError(
            f"{source}: {int(outside.sum()):,} spectra are not within the {len(peaks):,} bytes of "
            "MSPeak.bin; expected all; the file may be cut short: copy it again"
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
            f"{source}: in {n_wrong:,} of {len(scans):,} scans the highest ion is another than "
            "MSScan.bin states; expected the same; the files may be damaged or of different runs: "
            "copy the folder again"
        )
    return count, np.concatenate(mz), np.concatenate(intensity)


def _compare_number(found: int, segments: bytes) -> Iterator[str]:
    """Say if MSTS.xml states another number of scans, all segments of time together."""
    tree = _xml(segments)
    texts = [] if tree is None else [element.text or "" for element in tree.iter("{*}NumOfScans")]
    stated = sum(int(text) for text in texts if _NUMBER.fullmatch(text))
    if texts and stated != found:
        yield f"{found:,} scans were found and {stated:,} are stated; the run may be cut short"


def _facts(contents: bytes) -> dict[str, str]:
    """What Contents.xml says of the run; nothing if it is damaged, for no number hangs on it."""
    tree = _xml(contents)
    if tree is None:
        return {}
    texts = {fact: " ".join((tree.findtext(tag) or "").split()) for fact, tag in _FACTS.items()}
    return {fact: text for fact, text in texts.items() if text}


def _xml(data: bytes) -> etree._Element | None:
    """The root of a small XML file without DOCTYPE; None if it is none."""
    if len(data) > MAX_XML_BYTES or b"<!DOCTYPE" in data:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
