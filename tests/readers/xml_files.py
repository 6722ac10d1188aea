"""mzXML, and mzML with numpress, written plainly."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from run_files import cv

from gale.run import Run

NUMPRESS = {
    "linear": ("MS:1002312", "MS:1002746", "MS:1000514"),
    "pic": ("MS:1002313", "MS:1002747", "MS:1000515"),
    "slof": ("MS:1002314", "MS:1002748", "MS:1000515"),
}


def numpress_spectrum(
    time: str, raw: Mapping[str, bytes], length: int, params: str, *, zlib_as: str
) -> str:
    """A spectrum of arrays by kind of numpress; zlib as a term of its ``own``, or ``beside``."""
    arrays = ""
    for kind, data in raw.items():
        alone, with_zlib, array = NUMPRESS[kind]
        text = base64.b64encode(zlib.compress(data) if zlib_as else data).decode()
        packing = cv(with_zlib if zlib_as == "own" else alone, "MS-Numpress compression")
        if zlib_as == "beside":
            packing += cv("MS:1000574", "zlib compression")
        arrays += (
            f"<binaryDataArray>{cv('MS:1000523')}{packing}{cv(array)}"
            f"<binary>{text}</binary></binaryDataArray>"
        )
    return (
        f'<spectrum id="scan" defaultArrayLength="{length}">{cv("MS:1000511", "", 1)}{params}'
        f"<scanList><scan>{time}</scan></scanList>"
        f"<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>"
    )


def scan(
    number: int,
    time: str,
    pairs: list[tuple[float, float]],
    *,
    inside: str = "",
    precision: int = 64,
    compress: bool = False,
    count: object = None,
    **attributes: Any,
) -> str:
    """One scan of mzXML; `count` is what it says of its peaks, `inside` scans nested in it."""
    code = "d" if precision == 64 else "f"
    flat = [value for pair in pairs for value in pair]
    raw = struct.pack(f">{len(flat)}{code}", *flat)
    text = base64.b64encode(zlib.compress(raw) if compress else raw).decode()
    packing = f'compressionType="{"zlib" if compress else "none"}" compressedLen="0"'
    stated = {"msLevel": 1, "centroided": 1, **attributes}
    others = " ".join(f'{key}="{value}"' for key, value in stated.items())
    return (
        f'<scan num="{number}" peaksCount="{len(pairs) if count is None else count}" '
        f'retentionTime="{time}" {others}><peaks precision="{precision}" byteOrder="network" '
        f'contentType="m/z-int" {packing}>{text}</peaks>{inside}</scan>'
    )


def mzxml_file(scans: list[str], *, count: int | None = None) -> bytes:
    number = len(scans) if count is None else count
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<mzXML xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">'
        f'<msRun scanCount="{number}"><msInstrument><msManufacturer value="Maker"/>'
        '<msModel value="Quad"/></msInstrument><dataProcessing><software type="conversion" '
        f'name="tool" version="3"/></dataProcessing>{"".join(scans)}</msRun>'
        '<index name="scan"><offset id="1">7</offset></index><indexOffset>1</indexOffset>'
        "</mzXML>\n"
    ).encode()


def mzxml(run: Run, **options: Any) -> bytes:
    scans = []
    for s, time in enumerate(run.time_min.tolist()):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        pairs = list(zip(run.mz[ions].tolist(), run.intensity[ions].tolist(), strict=True))
        tic = float(run.total_ion_current[s])
        scans.append(scan(s + 1, f"PT{time * 60!r}S", pairs, totIonCurrent=tic, **options))
    return mzxml_file(scans)
