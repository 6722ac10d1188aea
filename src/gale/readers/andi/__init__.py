"""ANDI-MS, also called AIA: netCDF files of scans, as most GC-MS software exports them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers.andi import netcdf
from gale.readers.ionisation import stated
from gale.readers.refused import refusal
from gale.readers.scans import FACT_SPECTRA, profile_error, sort_ions
from gale.readers.times import PER_MIN, Unit, plausible_unit
from gale.run import Floats, Integers, Run

ANDI_FILL = -9999.0
FILLS = ("_FillValue", "missing_value")
NETCDF_FILL = 9.9e36
"""A value above this is the default fill of netCDF, 9.969e36."""

UNITS = {
    "minutes": re.compile(r"\bmin"),
    "milliseconds": re.compile(r"\b(?:ms\b|msec|milli)"),
    "seconds": re.compile(r"\b(?:s\b|sec)"),
}
"""What a text has to contain to name a unit of time."""

EXPORT_AGAIN = "export the run again"
COPY_AGAIN = "copy or export the file again"

Variables = Mapping[str, netcdf.Variable]


def read(data: bytes, source: str, *, profile: bool = False) -> Run:
    """Read an ANDI-MS file.

    Scan s has the ``point_count[s]`` ions from ``scan_index[s]`` on. Scale factors and offsets are
    applied, and fill values dropped. Times are in seconds, as the standard says, unless the file
    names another unit, or names none and :func:`~gale.readers.times.plausible_unit` finds another.

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
        If the file is netCDF but not a run of centroid scans: a chromatogram without masses, a
        library, profile data, or something else.
    ReadError
        If the file is damaged or cut short.
    MissingExtraError
        If it is netCDF-4 and h5py is not installed.
    """
    file = netcdf.read(data, source)
    variables = file.variables
    kind = _text(file.attributes.get("experiment_type", ""))
    _check_kind(variables, kind, source, profile=profile)
    times = _numbers(variables, "scan_acquisition_time", source)
    unit = _unit(file) or plausible_unit(times, "seconds")
    counts = _integers(variables, "point_count", len(times), source)
    mz, intensity = _points(variables, source)
    ions = _indices(variables, counts, len(mz), source)
    mz, intensity = sort_ions(counts, mz[ions], intensity[ions])
    return Run.from_scans(
        times / PER_MIN[unit.name],
        counts,
        mz,
        intensity,
        source=source,
        format="andi",
        facts=_facts(file, variables, kind),
        notes=unit.notes,
        stated_tic=_stated_tic(variables, len(times), source),
    )


def _check_kind(variables: Variables, kind: str, source: str, *, profile: bool) -> None:
    """Refuse netCDF that is not a run of centroid scans, and say what it is."""
    for name, variable in (("mzmlb", "mzML"), ("mz5", "SpectrumMZ")):
        if variable in variables:
            raise refusal(name, b"", source)
    if "mass_values" not in variables:
        what = (
            "an ANDI chromatogram, a detector's signal without masses"
            if "ordinate_values" in variables
            else f"netCDF with the variables {sorted(variables)[:8]}"
        )
        raise UnsupportedFormatError(
            source, f"is {what}", "ANDI-MS with mass_values", "export the mass spectra"
        )
    time = variables.get("scan_acquisition_time")
    if time is None or "library" in kind.lower() or np.all(time.data == ANDI_FILL):
        raise UnsupportedFormatError(
            source,
            f"is ANDI-MS without a time axis, such as a library (experiment type {kind[:80]!r})",
            "a run, with scan_acquisition_time",
            "export the run itself",
        )
    for name in ("intensity_values", "point_count"):
        if name not in variables:
            raise ReadError(
                f"{source}: variable {name}", "is missing", "all variables of ANDI-MS", EXPORT_AGAIN
            )
    if "continu" in kind.lower() and not profile:
        raise profile_error(source, f"declares profile data (experiment type {kind[:80]!r})")


def _unit(file: netcdf.NetCDF) -> Unit | None:
    """Unit of the times that their variable names, or else the whole file; None if there is none.

    The standard calls the unit of the whole file ``units``: "Seconds", or "Arbitrary Time Units".
    """
    for attributes in (file.variables["scan_acquisition_time"].attributes, file.attributes):
        said = _text(attributes.get("units", "")).lower()
        for name, pattern in UNITS.items():
            if pattern.search(said):
                return Unit(name)
    return None


def _numbers(variables: Variables, name: str, source: str) -> Floats:
    """Values of a variable, stored × scale_factor + add_offset; NaN where they are fill."""
    variable = variables[name]
    try:
        with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file
            stored = np.array(variable.data, dtype=np.float64).ravel()
        scale = float(variable.attributes.get("scale_factor", 1.0))
        declared = [
            float(variable.attributes[fill]) for fill in FILLS if fill in variable.attributes
        ]
        offset = float(variable.attributes.get("add_offset", 0.0))
    except (TypeError, ValueError) as error:
        raise ReadError(
            f"{source}: variable {name}",
            f"does not hold numbers ({error})",
            "numbers",
            EXPORT_AGAIN,
        ) from error
    is_fill = (stored == ANDI_FILL) | (stored > NETCDF_FILL)
    for value in declared:
        is_fill |= stored == value
    stored[is_fill] = np.nan
    with np.errstate(over="ignore", invalid="ignore"):  # Run reports what is not finite
        return stored * scale + offset


def _integers(variables: Variables, name: str, n_scans: int, source: str) -> Integers:
    """Values of a variable with one whole number per scan, shape (S,)."""
    values = _numbers(variables, name, source)
    if len(values) != n_scans:
        raise ReadError(
            f"{source}: variable {name}",
            f"has {len(values):,} values",
            f"one for each of the {n_scans:,} scans",
            COPY_AGAIN,
        )
    whole = (np.abs(values) < 2**31) & (values == np.floor(values))
    if not whole.all():
        raise ReadError(
            f"{source}: variable {name}",
            f"contains values that are not whole numbers ({values[np.argmin(whole)]:g})",
            "32-bit whole numbers",
            EXPORT_AGAIN,
        )
    return values.astype(np.int64)


def _points(variables: Variables, source: str) -> tuple[Floats, Floats]:
    """m/z and intensity of all points of the file, shape (P,); both are 0 where either is fill."""
    mz = _numbers(variables, "mass_values", source)
    intensity = _numbers(variables, "intensity_values", source)
    if len(mz) != len(intensity):
        raise ReadError(
            source,
            f"has {len(mz):,} m/z and {len(intensity):,} intensities",
            "equal numbers of both",
            COPY_AGAIN,
        )
    fill = np.isnan(mz) | np.isnan(intensity)
    return np.where(fill, 0.0, mz), np.where(fill, 0.0, intensity)


def _indices(variables: Variables, counts: Integers, n_points: int, source: str) -> Integers:
    """Index of each ion among the points of the file, scan after scan, shape (N,)."""
    before = np.cumsum(counts) - counts
    start = (
        _integers(variables, "scan_index", len(counts), source)
        if "scan_index" in variables
        else before
    )
    outside = (counts != 0) & ((counts < 0) | (start < 0) | (start + counts > n_points))
    if outside.any():
        scan = int(np.argmax(outside))
        raise ReadError(
            f"{source}: scan {scan + 1:,}",
            f"has {counts[scan]:,} points from {start[scan]:,} on",
            f"points within the {n_points:,} of the file",
            COPY_AGAIN,
        )
    if counts.sum() > n_points:
        raise ReadError(
            f"{source}: variable point_count",
            f"counts {counts.sum():,} points in all",
            f"at most the {n_points:,} of the file",
            COPY_AGAIN,
        )
    return np.repeat(start - before, counts) + np.arange(counts.sum())


def _stated_tic(variables: Variables, n_scans: int, source: str) -> Floats | None:
    if "total_intensity" not in variables:
        return None
    total = _numbers(variables, "total_intensity", source)
    return total if len(total) == n_scans else None


def _facts(file: netcdf.NetCDF, variables: Variables, kind: str) -> dict[str, str]:
    def attribute(name: str) -> str:
        return _text(file.attributes.get(name, ""))

    def variable(name: str) -> str:
        return _text(variables[name].data.tobytes()) if name in variables else ""

    facts = {
        "title": attribute("experiment_title"),
        "date": _date(attribute("experiment_date_time_stamp")),
        "instrument": f"{variable('instrument_name')} {variable('instrument_model')}".strip(),
        "maker": variable("instrument_mfr"),
        "software": variable("instrument_app_version") or attribute("source_file_format"),
        **stated([attribute("test_ionization_mode")], [attribute("test_ionization_polarity")]),
    }
    for word, spectra in (("centroid", "centroid"), ("continu", "profile")):
        if word in kind.lower():
            facts[FACT_SPECTRA] = spectra
    return {key: value for key, value in facts.items() if value}


def _text(value: Any) -> str:
    """Text of an attribute or variable, in UTF-8 or else Latin-1: no encoding is declared."""
    text = str(value)
    if isinstance(value, bytes):
        value = value.partition(b"\0")[0]
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
    return " ".join(text.split())


def _date(stamp: str) -> str:
    """Write ``20070923040800+0200`` as ``2007-09-23 04:08:00``; return other text as it is."""
    match = re.match(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", stamp)
    return "{}-{}-{} {}:{}:{}".format(*match.groups()) if match else stamp
