"""mzML 1.1, the open XML format of mass spectrometry, which most of its software reads.

Files are indexed: behind the spectra is the byte at which each begins, so that software opens one
spectrum without reading the others, and then a SHA-1 of all that comes before it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import numpy as np
from lxml import etree

from gale.readers.xml.mzml import FACT_PREFIX
from gale.run import Floats, Run

NAMESPACE = "http://psi.hupo.org/ms/mzml"

MINUTE = ("UO", "UO:0000031", "minute")
COUNTS = ("MS", "MS:1000131", "number of detector counts")
MZ = ("MS", "MS:1000040", "m/z")

VOCABULARIES = (
    ("MS", "Proteomics Standards Initiative Mass Spectrometry Ontology",
     "https://raw.githubusercontent.com/HUPO-PSI/psi-ms-CV/master/psi-ms.obo"),
    ("UO", "Unit Ontology",
     "https://raw.githubusercontent.com/bio-ontology-research-group/unit-ontology/master/unit.obo"),
)  # fmt: skip

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def write(run: Run, path: Path) -> None:
    """Write a run as indexed mzML: every scan as a centroid spectrum of MS level 1, 64-bit, zlib.

    Scans without ions are kept, and `Run.facts` as userParam of the run.
    """
    with path.open("wb") as file:
        counted = _Counted(file)
        with etree.xmlfile(counted, encoding="utf-8") as xml:
            xml.write_declaration()
            with xml.element("indexedmzML", nsmap={None: NAMESPACE}):
                begins = _write_run(run, xml, counted)
                _write_index(begins, xml, counted)


class _Counted:
    """A file that knows how many bytes were written, and their SHA-1."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.at, self.sha1 = 0, hashlib.sha1(usedforsecurity=False)

    def write(self, data: bytes) -> int:
        self.at += len(data)
        self.sha1.update(data)
        return self._file.write(data)


def _write_run(run: Run, xml: etree._IncrementalFileWriter, file: _Counted) -> list[int]:
    """Write the mzML inside the index, and return the byte at which each spectrum begins."""
    begins = []
    with xml.element("mzML", version="1.1.0"):
        for part in _before_run(run):
            xml.write(part)
        with xml.element(
            "run", id=_identifier(run.source), defaultInstrumentConfigurationRef="instrument"
        ):
            for name, value in run.facts.items():
                xml.write(_element("userParam", name=f"{FACT_PREFIX}{name}", value=value))
            with xml.element(
                "spectrumList", count=str(run.n_scans), defaultDataProcessingRef="conversion"
            ):
                for scan in range(run.n_scans):
                    xml.write("\n")
                    xml.flush()
                    begins.append(file.at)
                    xml.write(_spectrum(run, scan))
    return begins


def _write_index(begins: list[int], xml: etree._IncrementalFileWriter, file: _Counted) -> None:
    xml.write("\n")
    xml.flush()
    list_begins = file.at
    with xml.element("indexList", count="1"), xml.element("index", name="spectrum"):
        for scan, begin in enumerate(begins):
            offset = _element("offset", idRef=_native_id(scan))
            offset.text = str(begin)
            xml.write("\n", offset)
    xml.write("\n")
    with xml.element("indexListOffset"):
        xml.write(str(list_begins))
    xml.write("\n")
    with xml.element("fileChecksum"):  # of all bytes up to here, this opening tag included
        xml.flush()
        xml.write(file.sha1.hexdigest())


def _native_id(scan: int) -> str:
    return f"scan={scan + 1}"


def _before_run(run: Run) -> list[etree._Element]:
    """Return the elements that mzML requires before the spectra."""
    vocabularies = [
        _element("cv", id=name, fullName=full, URI=address) for name, full, address in VOCABULARIES
    ]
    source = _element(
        "sourceFile",
        _param("MS:1000776", "scan number only nativeID format"),
        id="source",
        name=_name(run.source),
        location="file:///",
    )
    content = _element(
        "fileContent",
        _param("MS:1000579", "MS1 spectrum"),
        _param("MS:1000127", "centroid spectrum"),
    )
    gale = _element(
        "software",
        _param("MS:1000799", "custom unreleased software tool", "gale"),
        id="gale",
        version=version("gale-ms"),
    )
    instrument = _element(
        "instrumentConfiguration", _param("MS:1000031", "instrument model"), id="instrument"
    )
    method = _element(
        "processingMethod",
        _param("MS:1000544", "Conversion to mzML"),
        order="0",
        softwareRef="gale",
    )
    return [
        _element("cvList", *vocabularies, count=str(len(vocabularies))),
        _element("fileDescription", content, _element("sourceFileList", source, count="1")),
        _element("softwareList", gale, count="1"),
        _element("instrumentConfigurationList", instrument, count="1"),
        _element(
            "dataProcessingList",
            _element("dataProcessing", method, id="conversion"),
            count="1",
        ),
    ]


def _spectrum(run: Run, scan: int) -> etree._Element:
    ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
    time = _param("MS:1000016", "scan start time", float(run.time_min[scan]), unit=MINUTE)
    params = [
        _param("MS:1000511", "ms level", 1),
        _param("MS:1000579", "MS1 spectrum"),
        _param("MS:1000127", "centroid spectrum"),
    ]
    if run.stated_tic is not None and np.isfinite(stated := run.stated_tic[scan]):
        params.append(_param("MS:1000285", "total ion current", float(stated), unit=COUNTS))
    return _element(
        "spectrum",
        *params,
        _element(
            "scanList", _param("MS:1000795", "no combination"), _element("scan", time), count="1"
        ),
        _element(
            "binaryDataArrayList",
            _array(run.mz[ions], _param("MS:1000514", "m/z array", unit=MZ)),
            _array(run.intensity[ions], _param("MS:1000515", "intensity array", unit=COUNTS)),
            count="2",
        ),
        index=str(scan),
        id=_native_id(scan),
        defaultArrayLength=str(int(run.ions_per_scan[scan])),
    )


def _array(values: Floats, kind: etree._Element) -> etree._Element:
    text = base64.b64encode(zlib.compress(values.astype("<f8").tobytes())).decode()
    binary = _element("binary")
    binary.text = text
    return _element(
        "binaryDataArray",
        _param("MS:1000523", "64-bit float"),
        _param("MS:1000574", "zlib compression"),
        kind,
        binary,
        encodedLength=str(len(text)),
    )


def _param(
    accession: str, name: str, value: object = "", *, unit: tuple[str, str, str] | None = None
) -> etree._Element:
    """Return a cvParam: a term of a vocabulary, its value, and the unit of the value."""
    vocabulary = accession.partition(":")[0]
    param = _element("cvParam", cvRef=vocabulary, accession=accession, name=name, value=str(value))
    if unit is not None:
        for key, text in zip(("unitCvRef", "unitAccession", "unitName"), unit, strict=True):
            param.set(key, text)
    return param


def _name(source: str) -> str:
    """Return the name of a file without its folders, with either separator."""
    return re.split(r"[/\\]", source)[-1]


def _identifier(source: str) -> str:
    """Return the name of a file as an identifier in XML."""
    return re.sub(r"^(?![A-Za-z_])", "_", re.sub(r"[^A-Za-z0-9_.-]", "_", _name(source)))


def _element(tag: str, /, *children: etree._Element, **attributes: str) -> etree._Element:
    """Return an element in the namespace of the document that it is written into."""
    clean = {
        key: _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text) for key, text in attributes.items()
    }
    element = etree.Element(tag, clean)
    element.extend(children)
    return element
