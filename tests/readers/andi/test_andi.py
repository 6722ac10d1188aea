from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import parse_run
from gale.run import TIC_NOTE, Run
from helpers.errors import refused
from helpers.run_files import andi, assert_same, small_run

NETCDF_FILL = 9.969209968386869e36


def test_scans_without_ions_are_kept() -> None:
    run = small_run(empty=(0, 3, 4, 39))
    assert_same(parse_run(andi(run), "x"), run)


def test_missing_scan_index() -> None:
    run = small_run(empty=(2,))
    assert_same(parse_run(andi(run, drop=("scan_index",)), "x"), run)


def test_records_between_the_scans_are_skipped() -> None:
    run = small_run()
    # Two flag records lie before the ions of every scan.
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    places = np.arange(run.n_ions) + 2 * (scan + 1)
    mz = np.full(run.n_ions + 2 * run.n_scans, 77.0)
    intensity = np.full(len(mz), 1e6)
    mz[places], intensity[places] = run.mz, run.intensity
    data = andi(
        run,
        replace={
            "scan_index": ("i", run.scan_start[:-1] + 2 * np.arange(1, run.n_scans + 1)),
            "mass_values": ("d", mz),
            "intensity_values": ("d", intensity),
        },
    )
    assert_same(parse_run(data, "x"), run)


def test_scale_factors_and_offsets_are_applied() -> None:
    run = Run.from_scans([1, 3], [2, 1], [50.25, 60.5, 70.75], [1000.5, 2000.5, 3000.5])
    data = andi(
        run,
        replace={
            "mass_values": ("i", np.array([50250, 60500, 70750])),
            "intensity_values": ("h", np.array([10, 20, 30])),
            "total_intensity": ("i", np.array([3001, 3000])),
        },
        scale={
            "mass_values": {"scale_factor": np.float64(0.001)},
            "intensity_values": {"scale_factor": 100.0, "add_offset": 0.5},
        },
    )
    found = parse_run(data, "x")
    np.testing.assert_allclose(found.mz, run.mz, rtol=1e-12)
    np.testing.assert_array_equal(found.intensity, run.intensity)


@pytest.mark.parametrize("variable", ["mass_values", "intensity_values"])
@pytest.mark.parametrize("fill", [-9999.0, NETCDF_FILL])
def test_fill_values_are_dropped(variable: str, fill: float) -> None:
    run = small_run()
    values = {"mass_values": run.mz, "intensity_values": run.intensity}[variable].copy()
    values[[1, 30]] = fill
    found = parse_run(
        andi(
            run,
            replace={variable: ("d", values)},
            scale={variable: {"scale_factor": 1.0}},
            drop=("total_intensity",),
        ),
        "x",
    )
    keep = np.setdiff1d(np.arange(run.n_ions), [1, 30])
    np.testing.assert_array_equal(found.mz, run.mz[keep])
    np.testing.assert_array_equal(found.intensity, run.intensity[keep])
    (note,) = found.notes
    assert "2 ions" in note


def test_fill_of_the_total_is_no_deviation() -> None:
    run = small_run()
    totals = run.total_ion_current.copy()
    totals[:10], totals[10:20] = -9999.0, NETCDF_FILL
    assert parse_run(andi(run, replace={"total_intensity": ("d", totals)}), "x").notes == ()


def test_a_deviating_total_is_noted() -> None:
    run = small_run()
    data = andi(run, replace={"total_intensity": ("d", 2 * run.total_ion_current)})
    (note,) = parse_run(data, "x").notes
    assert note.startswith(TIC_NOTE)
    assert "40 of 40 scans" in note
    assert "0.5" in note


def test_times_in_declared_minutes() -> None:
    run = small_run()
    times = {"scan_acquisition_time": ("d", run.time_min)}
    found = parse_run(andi(run, replace=times), "x")
    assert found.time_min[-1] == pytest.approx(run.time_min[-1] / 60)
    units = {"scan_acquisition_time": {"units": "Minutes"}}
    assert_same(parse_run(andi(run, replace=times, scale=units), "x"), run)


@pytest.mark.parametrize("unit", ["", "Seconds", "Arbitrary Time Units"])
def test_times_are_seconds_otherwise(unit: str) -> None:
    scale = {"scan_acquisition_time": {"units": unit}} if unit else {}
    assert_same(parse_run(andi(small_run(), scale=scale), "x"), small_run())


def test_facts() -> None:
    run = small_run()
    name = np.frombuffer(b"4021/INCOS\0\0\0", "S1")
    attributes = {
        "experiment_type": "Centroided Mass Spectrum",
        "experiment_title": "  a   sample ",
        "experiment_date_time_stamp": "20070923040800+0200",
        "source_file_format": "Vector/Two",
    }
    data = andi(run, attributes=attributes, replace={"instrument_name": ("c", name)})
    assert dict(parse_run(data, "x").facts) == {
        "title": "a sample",
        "date": "2007-09-23 04:08:00",
        "instrument": "4021/INCOS",
        "software": "Vector/Two",
        "spectra": "centroid",
    }


def test_text_in_no_known_encoding() -> None:
    data = andi(small_run(), attributes={"experiment_title": b"\xce\xb4\xb4\xa6"})
    assert parse_run(data, "x").facts["title"] == "Î´´¦"


@pytest.mark.parametrize(
    ("options", "found", "expected"),
    [
        ({"drop": ("scan_acquisition_time",)}, "library", "scan_acquisition_time"),
        (
            {"replace": {"scan_acquisition_time": ("d", np.full(40, -9999.0))}},
            ("library", "'Centroided Mass Spectrum'"),
            "scan_acquisition_time",
        ),
        (
            {"attributes": {"experiment_type": "Library Mass Spectrum"}},
            "'Library Mass Spectrum'",
            "scan_acquisition_time",
        ),
        (
            {"attributes": {"experiment_type": "Continuum Mass Spectrum"}},
            ("'Continuum Mass Spectrum'", "profile"),
            "centroid",
        ),
        (
            {"drop": ("mass_values",), "replace": {"ordinate_values": ("f", np.ones(5))}},
            "ANDI chromatogram",
            "mass_values",
        ),
        ({"drop": ("mass_values",)}, "['intensity_values', ", "mass_values"),
    ],
)
def test_other_netcdf_is_refused_by_name(
    options: dict[str, Any], found: str | tuple[str, ...], expected: str
) -> None:
    with refused(UnsupportedFormatError, "x", found=found, expected=expected):
        parse_run(andi(small_run(), **options), "x")


def counts(**changes: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    values = small_run().ions_per_scan.copy()
    for scan, count in changes.items():
        values[int(scan[1:])] = count
    return values


N_IONS = small_run().n_ions


@pytest.mark.parametrize(
    ("options", "place", "found", "expected"),
    [
        ({"drop": ("point_count",)}, "variable point_count", "missing", "ANDI-MS"),
        ({"drop": ("intensity_values",)}, "variable intensity_values", "missing", "ANDI-MS"),
        (
            {"replace": {"point_count": ("i", counts(s39=100))}},
            "scan 40",
            "100 points",
            f"{N_IONS}",
        ),
        ({"replace": {"point_count": ("i", counts(s3=-1))}}, "scan 4", "-1 points", f"{N_IONS}"),
        (
            {"replace": {"point_count": ("i", counts()[:-1])}},
            "variable point_count",
            "39 values",
            "40 scans",
        ),
        (
            {"replace": {"point_count": ("d", counts() + 0.5)}},
            "variable point_count",
            f"({counts()[0]}.5)",
            "whole numbers",
        ),
        (
            {"replace": {"scan_index": ("i", counts() - 1000)}},
            "scan 1",
            f"from {counts()[0] - 1000}",
            f"{N_IONS}",
        ),
        (
            {
                "replace": {
                    "scan_index": ("i", 0 * counts()),
                    "point_count": ("i", 0 * counts() + 9),
                }
            },
            "variable point_count",
            "360 points",
            f"{N_IONS}",
        ),
        ({"replace": {"mass_values": ("d", np.ones(7))}}, "", ("7 m/z", f"{N_IONS} int"), "equal"),
        (
            {"replace": {"mass_values": ("c", np.full(7, b"a"))}},
            "variable mass_values",
            "numbers",
            "numbers",
        ),
        (
            {"scale": {"mass_values": {"scale_factor": "one"}}},
            "variable mass_values",
            "one",
            "numbers",
        ),
    ],
)
def test_damaged_files(
    options: dict[str, Any], place: str, found: str | tuple[str, ...], expected: str
) -> None:
    with refused(ReadError, f"x: {place}" if place else "x", found=found, expected=expected):
        parse_run(andi(small_run(), **options), "x")
