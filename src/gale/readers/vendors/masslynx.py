"""Waters MassLynx ``.raw`` folders, which PerkinElmer's TurboMass also writes.

``_FUNCTNS.INF`` has a record for each function, one of a run's modes of acquisition.
``_FUNC001.IDX`` has the time, total and number of ions of each scan of the first function, and
``_FUNC001.DAT`` its ions, six bytes each. The formats follow the readers of rainbow (LGPL) and of
the MS File Info Scanner (PNNL); the totals of the scans and the acquired range of m/z show whether
a folder keeps to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import listed
from gale.readers.ionisation import stated
from gale.readers.refused import CONVERT
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
"""Size of a scan in the index; its last bytes, the base peak, are not read."""

MS_SCAN = 0
TYPES = {0: "MS scan", 1: "selected ions", 9: "MRM", 11: "MS/MS", 12: "diode array", 13: "TOF"}
"""Types of functions; gale reads MS scans."""

ION_MODES = [
    f"{kind}{sign}" for kind in ("EI", "CI", "FAB", "TS", "ES", "API", "LD") for sign in "+-"
]
"""Ionisation and polarity of a function, by its ion mode."""

MAX_DEVIATION = 0.5
"""Largest relative difference between sum and total, in the median scan, of ions read rightly."""

MIN_WITHIN, MZ_MARGIN = 0.9, 1.0
"""Least share of ions within the m/z range of the function, and a margin around it (m/z)."""

CONVERT_UNKNOWN = f"{CONVERT}, since gale may not know how its ions are stored"

MAX_TERMS = 10
"""Most coefficients of a calibration."""

_CALIBRATION = re.compile(rb"^\$\$ Cal Function (\d{1,3}):([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_FACT = re.compile(rb"^\$\$ ([^:\r\n]+):([^\r\n]*)", re.MULTILINE)
_FACTS = {
    b"acquired name": "title",
    b"acquired date": "date",
    b"instrument": "instrument",
}

Unpack = Callable[[Integers, Integers], tuple[Floats, Floats]]
"""Decode the first two bytes and the other four of ions to m/z and intensity, shape (N,)."""


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
"""Layout of the six bytes of an ion, by the data type of the function."""


def read(files: Mapping[str, bytes], source: str) -> Run:
    """Read the MS scans of a folder; of several such functions, the one with most scans.

    Parameters
    ----------
    files : mapping of str to bytes
        ``_functns.inf``, ``_funcNNN.idx`` and ``_funcNNN.dat`` for each function, and optionally
        ``_header.txt``.
    source : str
        Name of the folder in messages.

    Raises
    ------
    UnsupportedFormatError
        If no function has MS scans, or gale does not know how they are stored, which also shows
        where ions do not sum to the totals of the scans.
    ReadError
        If a file is cut short.
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
            source,
            f"has no MS scans among its functions ({listed(kinds) or 'none'})",
            "a run of full scans",
            "acquire the sample in full-scan mode",
        )
    chosen = max(n_scans, key=lambda number: n_scans[number])
    run = _read_function(files, chosen, functions[chosen - 1], source)
    others = [f"{number} ({kind})" for number, kind in enumerate(kinds, 1) if number != chosen]
    if not others:
        return run
    return run.with_notes(f"function {chosen} was read; left out: {listed(others)}")


def _read_function(files: Mapping[str, bytes], number: int, function: np.void, source: str) -> Run:
    """Read function `number` of a folder; `function` is its record."""
    place = f"{source}: function {number}"
    data_type = int(function["packed"]) >> 10 & 15
    index, ions = (files[f"_func{number:03}.{suffix}"] for suffix in ("idx", "dat"))
    unpack = LAYOUTS.get(data_type)
    if unpack is None:
        raise UnsupportedFormatError(
            place,
            f"has data of type {data_type}",
            f"centroids of type {', '.join(map(str, LAYOUTS))}",
            CONVERT,
        )
    header = files.get("_header.txt", b"")
    scans, count = _scans(index, ions, place)
    three = np.frombuffer(ions, "<u2", 3 * count.sum()).reshape(-1, 3).astype(np.int64)
    mz, intensity = unpack(three[:, 0], three[:, 1] | three[:, 2] << 16)
    mz, intensity = sort_ions(count, _calibrate(mz, header, number, place), intensity)
    run = Run.from_scans(
        scans["time_min"],
        count,
        mz,
        intensity,
        source=source,
        format="masslynx",
        facts={**_facts(header), **stated(mode := _ion_mode(function), mode)},
        stated_tic=scans["tic"],
    )
    _check_layout(run, scans["tic"], function, place)
    return run


def _ion_mode(function: np.void) -> list[str]:
    """The ion mode that the record of a function states, as a list of one; empty if not known."""
    number = int(function["packed"]) >> 5 & 31
    return ION_MODES[number : number + 1]


def _check_layout(run: Run, tic: NDArray[np.float32], function: np.void, source: str) -> None:
    """Check that the ions sum to the totals of the scans and lie in the m/z range of the function.

    Totals and a range that are not numbers are not compared.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        stated = np.where(tic > 0, tic.astype(np.float64), np.nan)
        deviation = np.abs(run.total_ion_current / stated - 1)
        low, high = float(function["mz_min"]), float(function["mz_max"])
    if np.isfinite(deviation).any() and (median := np.nanmedian(deviation)) > MAX_DEVIATION:
        raise UnsupportedFormatError(
            source,
            f"has ions whose sum differs from the total by {median:.1%} in the median scan",
            f"a difference of at most {MAX_DEVIATION:.0%}",
            CONVERT_UNKNOWN,
        )
    within = float(np.mean((run.mz >= low - MZ_MARGIN) & (run.mz <= high + MZ_MARGIN)))
    if 0 < low < high and within < MIN_WITHIN:
        raise UnsupportedFormatError(
            source,
            f"has {within:.1%} of its ions within its m/z range, {low:g} to {high:g}",
            f"at least {MIN_WITHIN:.0%}",
            CONVERT_UNKNOWN,
        )


def _scans(index: bytes, ions: bytes, source: str) -> tuple[NDArray[np.void], Integers]:
    """The scans of a function and the number of ions of each, shape (S,)."""
    n_scans, rest = divmod(len(index), SCAN_BYTES)
    records = np.frombuffer(index, np.uint8, n_scans * SCAN_BYTES).reshape(n_scans, SCAN_BYTES)
    scans = records[:, : SCAN.itemsize].copy().view(SCAN)[:, 0] if n_scans else np.empty(0, SCAN)
    count = (scans["packed"] & 0x3FFFFF).astype(np.int64)
    before = np.cumsum(count) - count
    elsewhere = (count > 0) & (scans["place"] != BYTES_PER_ION * before)
    if rest or elsewhere.any() or BYTES_PER_ION * count.sum() != len(ions):
        raise ReadError(
            source,
            f"has {len(ions):,} bytes of ions, and {n_scans:,} scans of {count.sum():,} ions",
            f"{BYTES_PER_ION} bytes per ion, scan after scan",
            f"copy the folder again, or {CONVERT}",
        )
    return scans, count


def _calibrate(mz: Floats, header: bytes, number: int, source: str) -> Floats:
    """Apply the calibration in the header, a polynomial, to the m/z of a function."""
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
                source,
                f"has the calibration {text.decode('latin-1').strip()[:60]!r}",
                f"at most {MAX_TERMS} coefficients and T0",
                CONVERT,
            )
        with np.errstate(over="ignore", invalid="ignore"):  # Run reports what is not finite
            return np.asarray(np.polyval(polynomial[::-1], mz), dtype=np.float64)
    return mz


def _facts(header: bytes) -> dict[str, str]:
    found = {}
    for name, value in _FACT.findall(header):
        fact = _FACTS.get(name.strip().lower())
        if fact and (text := " ".join(value.decode("latin-1").split())):
            found[fact] = text
    return found
