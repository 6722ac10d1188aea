"""Waters MassLynx ``.raw`` folders, as PerkinElmer's TurboMass writes them, too.

``_FUNCTNS.INF`` has a record for each function, which is one way of acquiring among those of a
run; ``_FUNC001.IDX`` has the time, total and number of ions of each scan of the first function, and
``_FUNC001.DAT`` its ions, six bytes each. The formats are those that the readers of rainbow (LGPL)
and of the MS File Info Scanner (PNNL) describe; the totals of the scans and the range of m/z that
was acquired show whether they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import listed
from gale.readers.scans import sort_ions
from gale.run import Floats, Integers, Run

FUNCTION = np.dtype(
    {
        "names": ["packed", "mz_min", "mz_max"],
        "formats": ["<u2", "<f4", "<f4"],
        "offsets": [0, 160, 288],
        "itemsize": 416,
    }
)
BYTES_PER_ION = 6
SCAN = np.dtype([("place", "<u4"), ("packed", "<u4"), ("tic", "<f4"), ("time_min", "<f4")])
SCAN_BYTES = 22
"""Of a scan in the index; after what is read comes its base peak."""

MS_SCAN = 0
TYPES = {0: "MS scan", 1: "selected ions", 9: "MRM", 11: "MS/MS", 12: "diode array", 13: "TOF"}
"""Types of functions, of which MS scans are read."""

MAX_DEVIATION = 0.5
"""Relative difference of total and sum, in the median scan, from which the ions are misread."""

MIN_WITHIN, MZ_MARGIN = 0.9, 1.0
"""Share of the ions that have to be within the range of m/z of the function, give or take this."""

MAX_TERMS = 10
"""More coefficients than this are no calibration."""

_CALIBRATION = re.compile(rb"^\$\$ Cal Function (\d{1,3}):([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_FACT = re.compile(rb"^\$\$ ([^:\r\n]+):([^\r\n]*)", re.MULTILINE)
_FACTS = {
    b"acquired name": "title",
    b"acquired date": "date",
    b"instrument": "instrument",
}

Unpack = Callable[[Integers, Integers], tuple[Floats, Floats]]
"""From the first two bytes and the other four of ions to their m/z and intensity."""


def _standard(low: Integers, high: Integers) -> tuple[Floats, Floats]:
    return (high & 0xFFFFFF) / 1024, (low >> 3) * 4.0 ** (low & 7)


def _intense(low: Integers, high: Integers) -> tuple[Floats, Floats]:
    return (high >> 4) / 128, _signed(low) * 4.0 ** (high & 15)


def _accurate(low: Integers, high: Integers) -> tuple[Floats, Floats]:
    return (high >> 9) * 2.0 ** ((high >> 4 & 31) - 23), _signed(low) * 4.0 ** (high & 15)


def _signed(low: Integers) -> Integers:
    return np.where(low < 1 << 15, low, low - (1 << 16))


LAYOUTS: dict[int, Unpack] = {
    1: _standard,
    8: _intense,
    9: _accurate,
    11: _accurate,
    12: _accurate,
}
"""How the six bytes of an ion are used, by the data type that a function states."""


def read(files: Mapping[str, bytes], source: str) -> Run:
    """Read the MS scans of a folder: of several such functions, the one with most scans.

    Parameters
    ----------
    files : mapping of str to bytes
        ``_functns.inf``, ``_funcNNN.idx`` and ``_funcNNN.dat`` for each function, and
        ``_header.txt`` if it is there.
    source : str
        Name of the folder in messages.

    Raises
    ------
    UnsupportedFormatError
        If no function is of MS scans, or they are stored in a way that gale does not know.
    ReadError
        If a file is cut short, or the ions do not sum up to the totals of the scans.
    """
    inf = files["_functns.inf"]
    functions = np.frombuffer(inf, FUNCTION, len(inf) // FUNCTION.itemsize)
    packed = functions["packed"].tolist()
    n_scans = {
        number: len(files[index]) // SCAN_BYTES
        for number, bits in enumerate(packed, 1)
        if bits & 31 == MS_SCAN
        and (index := f"_func{number:03}.idx") in files
        and f"_func{number:03}.dat" in files
    }
    kinds = [TYPES.get(bits & 31, "unknown") for bits in packed]
    if not n_scans:
        raise UnsupportedFormatError(
            f"{source}: has no MS scans among its functions ({listed(kinds) or 'none'}); "
            "expected a run of full scans; acquire one"
        )
    chosen = max(n_scans, key=lambda number: n_scans[number])
    run = _read_function(files, chosen, functions[chosen - 1], source)
    others = [f"{number} ({kind})" for number, kind in enumerate(kinds, 1) if number != chosen]
    if not others:
        return run
    return run.with_notes(f"function {chosen} was read; left out: {listed(others)}")


def _read_function(files: Mapping[str, bytes], number: int, function: np.void, source: str) -> Run:
    data_type = int(function["packed"]) >> 10 & 15
    index, ions = (files[f"_func{number:03}.{suffix}"] for suffix in ("idx", "dat"))
    unpack = LAYOUTS.get(data_type)
    if unpack is None:
        raise UnsupportedFormatError(
            f"{source}: function {number} has data of type {data_type}; expected centroids of type "
            f"{', '.join(map(str, LAYOUTS))}; convert the folder to mzML with ProteoWizard's "
            "msconvert (peak picking on)"
        )
    header = files.get("_header.txt", b"")
    scans, count = _scans(index, ions, source)
    three = np.frombuffer(ions, "<u2", 3 * count.sum()).reshape(-1, 3).astype(np.int64)
    mz, intensity = unpack(three[:, 0], three[:, 1] | three[:, 2] << 16)
    mz, intensity = sort_ions(count, _calibrate(mz, header, number, source), intensity)
    run = Run.from_scans(
        scans["time_min"],
        count,
        mz,
        intensity,
        source=source,
        format="masslynx",
        facts=_facts(header),
        stated_tic=scans["tic"],
    )
    _check_layout(run, scans["tic"], function, f"{source}: the ions of function {number}")
    return run


def _check_layout(run: Run, tic: NDArray[np.float32], function: np.void, ions: str) -> None:
    """See that the ions sum up to the totals, and are in the range of m/z, where these are known.

    What is not a number among them is not known.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        stated = np.where(tic > 0, tic.astype(np.float64), np.nan)
        deviation = np.abs(run.total_ion_current / stated - 1)
        low, high = float(function["mz_min"]) - MZ_MARGIN, float(function["mz_max"]) + MZ_MARGIN
    sums_up = not np.isfinite(deviation).any() or np.nanmedian(deviation) <= MAX_DEVIATION
    within = float(np.mean((run.mz >= low) & (run.mz <= high)))
    known = 0 < low + MZ_MARGIN < high - MZ_MARGIN
    if not sums_up or (known and within < MIN_WITHIN):
        raise UnsupportedFormatError(
            f"{ions} do not sum up to the totals of the scans or are not in its range of m/z; "
            "expected both; they are stored in a way that gale does not know: convert the folder "
            "to mzML with ProteoWizard's msconvert (peak picking on)"
        )


def _scans(index: bytes, ions: bytes, source: str) -> tuple[NDArray[np.void], Integers]:
    """The scans of a function, and how many ions each has, one scan after the other."""
    n_scans, rest = divmod(len(index), SCAN_BYTES)
    records = np.frombuffer(index, np.uint8, n_scans * SCAN_BYTES).reshape(n_scans, SCAN_BYTES)
    scans = records[:, : SCAN.itemsize].copy().view(SCAN)[:, 0] if n_scans else np.empty(0, SCAN)
    count = (scans["packed"] & 0x3FFFFF).astype(np.int64)
    before = np.cumsum(count) - count
    elsewhere = (count > 0) & (scans["place"] != BYTES_PER_ION * before)
    if rest or elsewhere.any() or BYTES_PER_ION * count.sum() != len(ions):
        raise ReadError(
            f"{source}: the index has {n_scans:,} scans of {count.sum():,} ions for "
            f"{len(ions):,} bytes of ions; expected {BYTES_PER_ION} bytes an ion, scan after scan; "
            "the folder may be cut short, or of an instrument that gale does not know: copy it "
            "again, or convert it to mzML with ProteoWizard's msconvert (peak picking on)"
        )
    return scans, count


def _calibrate(mz: Floats, header: bytes, number: int, source: str) -> Floats:
    """Apply the polynomial that the header has for a function, if there is one."""
    for function, text in _CALIBRATION.findall(header):
        if int(function) != number or not text.strip():
            continue
        *terms, kind = text.decode("latin-1").strip().split(",")
        try:
            polynomial = [float(term) for term in terms]
        except ValueError:
            polynomial = []
        if kind.strip() != "T0" or not 0 < len(polynomial) <= MAX_TERMS:
            raise UnsupportedFormatError(
                f"{source}: the calibration of function {number} is {text[:60]!r}; expected a "
                "polynomial of kind T0; convert the folder to mzML with ProteoWizard's msconvert"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite, Run reports
            return np.asarray(np.polyval(polynomial[::-1], mz), dtype=np.float64)
    return mz


def _facts(header: bytes) -> dict[str, str]:
    found = {}
    for name, value in _FACT.findall(header):
        fact = _FACTS.get(name.strip().lower())
        if fact and (text := " ".join(value.decode("latin-1").split())):
            found[fact] = text
    return found
