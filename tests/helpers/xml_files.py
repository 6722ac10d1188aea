"""mzXML, and mzML with numpress, written plainly."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from gale.run import Run
from helpers.run_files import CENTROID, at, cv, mzml_file

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


def nibbles_of(value: int) -> list[int]:
    """One integer of 32 bits as half bytes, by the published rule."""
    digits = [(value >> (4 * i)) & 15 for i in range(8)]  # the least significant first
    zeros = next((i for i, digit in enumerate(reversed(digits)) if digit), 8)
    if zeros:
        return [zeros, *digits[: 8 - zeros]]
    ones = next((i for i, digit in enumerate(reversed(digits)) if digit != 15), 7)
    ones = min(ones, 7)
    return [ones + 8 if ones else 0, *digits[: 8 - ones]]


def packed(values: list[int]) -> bytes:
    halves = [half for value in values for half in nibbles_of(value & 0xFFFFFFFF)]
    halves += [0] * (len(halves) % 2)
    return bytes(16 * a + b for a, b in zip(halves[::2], halves[1::2], strict=True))


def linear(values: list[float], fixed_point: float) -> bytes:
    whole = [round(value * fixed_point) for value in values]
    errors = [c - (2 * b - a) for a, b, c in zip(whole, whole[1:], whole[2:], strict=False)]
    first = b"".join(struct.pack("<I", value) for value in whole[:2])
    return struct.pack(">d", fixed_point) + first + packed(errors)


def pic(values: list[float]) -> bytes:
    return packed([round(value) for value in values])


def slof(values: list[float], fixed_point: float) -> bytes:
    shorts = [int(math.log(value + 1) * fixed_point + 0.5) for value in values]
    return struct.pack(">d", fixed_point) + struct.pack(f"<{len(shorts)}H", *shorts)


def numpress_mzml(run: Run, intensities: str, *, zlib_as: str) -> bytes:
    """mzML with numpress, with intensities as ``slof`` or ``pic``."""
    spectra = []
    for s in range(run.n_scans):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        mz, counts = run.mz[ions].tolist(), run.intensity[ions].tolist()
        how = slof(counts, 3000.0) if intensities == "slof" else pic(counts)
        raw = {"linear": linear(mz, 1e5), intensities: how}
        spectra.append(
            numpress_spectrum(at(run.time_min[s]), raw, len(mz), cv(CENTROID), zlib_as=zlib_as)
        )
    return mzml_file(spectra)


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
    """One scan of mzXML that declares `count` peaks, with the scans `inside` nested in it."""
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
