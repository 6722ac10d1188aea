"""ANDI-MS, also called AIA (ASTM E2077 and E2078): netCDF that most GC-MS software imports.

It has the dimensions, variables and attributes of the standard, those that gale does not know with
its fill value, since some readers refuse a file in which one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gale.readers.andi import ANDI_FILL
from gale.readers.ionisation import ELECTRON, FACT_IONISATION, FACT_POLARITY
from gale.run import Floats, Run
from gale.writers import netcdf
from gale.writers.netcdf import Variable

SECONDS = 60.0

TEXT_SIZES = (32, 64, 128, 255)
"""Lengths that the standard has for texts."""

INSTRUMENT = {
    "instrument_name": "instrument",
    "instrument_id": "",
    "instrument_mfr": "maker",
    "instrument_model": "",
    "instrument_serial_no": "",
    "instrument_sw_version": "",
    "instrument_fw_version": "",
    "instrument_os_version": "",
    "instrument_app_version": "software",
    "instrument_comments": "",
}
"""Variables that describe the instrument, and the fact of a run that each holds."""

UNKNOWN = (
    "a_d_sampling_rate",
    "scan_duration",
    "inter_scan_time",
    "resolution",
    "time_range_min",
    "time_range_max",
)
"""Variables of one number per scan that a run does not have."""

STANDARD_WORDS = {ELECTRON: "Electron Impact", "chemical ionisation": "Chemical Ionization"}
"""What the standard calls ionisations."""

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)")


def write(run: Run, path: Path) -> None:
    """Write a run as ANDI: every scan as centroids, numbers in 64 bits, times in seconds.

    Times differ from those of the run by rounding from minutes to seconds and back. The total
    intensity of a scan is the one that the original file stated, or the sum of its ions.
    """
    variables = {**_of_scans(run), **_of_points(run), **_of_instrument(run.facts)}
    dimensions = {
        **{f"_{size}_byte_string": size for size in TEXT_SIZES},
        "point_number": run.n_ions,
        "scan_number": run.n_scans,
        "instrument_number": 1,
    }
    netcdf.write(dimensions, _attributes(run.facts), variables, path)


def _of_scans(run: Run) -> dict[str, Variable]:
    """Give the variables of one value per scan."""
    total = run.total_ion_current if run.stated_tic is None else run.stated_tic
    lowest, highest = _mz_ranges(run)
    unknown = np.full(run.n_scans, ANDI_FILL)
    floats = {
        "scan_acquisition_time": run.time_min * SECONDS,
        "total_intensity": np.where(np.isnan(total), ANDI_FILL, total),
        "mass_range_min": lowest,
        "mass_range_max": highest,
        **dict.fromkeys(UNKNOWN, unknown),
    }
    whole = {
        "actual_scan_number": np.arange(run.n_scans),
        "scan_index": run.scan_start[:-1],
        "point_count": run.ions_per_scan,
        "flag_count": np.zeros(run.n_scans),
    }
    units = {"scan_acquisition_time": {"units": "Seconds"}}
    of_scans = ("scan_number",)
    return {
        **{
            name: Variable(of_scans, values.astype(">f8"), units.get(name, {}))
            for name, values in floats.items()
        },
        **{name: Variable(of_scans, values.astype(">i4")) for name, values in whole.items()},
    }


def _mz_ranges(run: Run) -> tuple[Floats, Floats]:
    """Lowest and highest m/z of each scan, shape (S,); fill where it has no ions."""
    some = run.ions_per_scan > 0
    ranges = []
    for extreme in (np.minimum, np.maximum):
        found = np.full(run.n_scans, ANDI_FILL)
        found[some] = extreme.reduceat(run.mz, run.scan_start[:-1][some])
        ranges.append(found)
    return ranges[0], ranges[1]


def _of_points(run: Run) -> dict[str, Variable]:
    """Give the variables of one value per ion."""
    points = ("point_number",)
    return {
        "mass_values": Variable(points, run.mz.astype(">f8"), {"units": "M/Z"}),
        "intensity_values": Variable(
            points, run.intensity.astype(">f8"), {"units": "Arbitrary Intensity Units"}
        ),
    }


def _of_instrument(facts: Mapping[str, str]) -> dict[str, Variable]:
    variables = {}
    for name, fact in INSTRUMENT.items():
        value = facts.get(fact, "")
        needed = len(value.encode()) + 1
        size = next((each for each in TEXT_SIZES if each >= needed), TEXT_SIZES[-1])
        variables[name] = Variable(
            ("instrument_number", f"_{size}_byte_string"), netcdf.text(value, size)[np.newaxis]
        )
    return variables


def _ionisation(facts: Mapping[str, str]) -> dict[str, str]:
    """Say how ions were made, in the words of the standard; both polarities have none."""
    kind, polarity = facts.get(FACT_IONISATION, ""), facts.get(FACT_POLARITY, "")
    found = {"test_ionization_mode": STANDARD_WORDS.get(kind, kind)}
    if polarity in ("positive", "negative"):
        found["test_ionization_polarity"] = f"{polarity.capitalize()} Polarity"
    return {name: value for name, value in found.items() if value}


def _attributes(facts: Mapping[str, str]) -> dict[str, str]:
    """Give what the standard says of a whole file."""
    date = facts.get("date", "")
    known = _DATE.fullmatch(date)
    return {
        "dataset_completeness": "C1+C2",
        "ms_template_revision": "1.0.1",
        "netcdf_revision": "2.3.2",
        "languages": "English",
        "experiment_title": facts.get("title", ""),
        "experiment_date_time_stamp": "".join(known.groups()) if known else date,
        "experiment_type": "Centroided Mass Spectrum",
        "raw_data_mass_format": "Double",
        "raw_data_time_format": "Double",
        "raw_data_intensity_format": "Double",
        "units": "Seconds",
        **_ionisation(facts),
        "administrative_comments": f"written by gale {version('gale-ms')}",
    }
