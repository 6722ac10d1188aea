"""Times of the scans in every format alike: their unit, their order, and those that were lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gale.errors import ReadError
from gale.readers import parse_run
from gale.readers.times import PER_MIN, Pace, Unit, plausible_unit
from gale.run import EARLIEST_MIN, Run
from gale.writers.table import write_csv
from helpers.errors import refused
from helpers.run_files import WRITERS, andi, jcamp
from helpers.vendor_files import data_ms
from helpers.xml_files import mzxml

Floats = NDArray[Any]
Writer = Callable[[Run], bytes]

FORMATS: dict[str, Writer] = {**WRITERS, "mzxml": mzxml}
OF_SCANS = {
    **{name: writer for name, writer in FORMATS.items() if name not in ("csv", "parquet")},
    "chemstation": data_ms,
}
"""Formats that keep scans without ions."""


def run_at(time_min: Floats, *, empty: tuple[int, ...] = (), ions: int = 3) -> Run:
    """A run with scans at these times, in whatever order, and none of their ions checked."""
    counts = np.full(len(time_min), ions)
    counts[list(empty)] = 0
    mz = np.concatenate([40.0 + np.arange(n) for n in counts])
    intensity = np.repeat(100.0 + np.arange(len(time_min)), counts)
    return Run(time_min, np.append(0, np.cumsum(counts)), mz, intensity)


def csv_rt(times: Floats) -> bytes:
    rows = "".join(f"{time!r},50,7\n{time!r},60,8\n" for time in times.tolist())
    return f"rt,mz,intensity\n{rows}".encode()


def andi_in(unit: str | None) -> Callable[[Floats], bytes]:
    def write(times: Floats) -> bytes:
        scale = {"scan_acquisition_time": {"units": unit}} if unit else None
        return andi(run_at(times / 60), scale=scale)

    return write


def jcamp_in(unit: str) -> Callable[[Floats], bytes]:
    return lambda times: re.sub(rb"(T=.*)", rb"\1 " + unit.encode(), jcamp(run_at(times / 60)))


def mzxml_plain(times: Floats) -> bytes:
    return re.sub(rb'"PT([^"]*)S"', rb'"\1"', mzxml(run_at(times / 60)))


WITHOUT_UNIT: dict[str, Callable[[Floats], bytes]] = {
    "andi": andi_in(None),
    "jcamp": jcamp_in(""),
    "mzxml": mzxml_plain,
}
MINUTES = 3 + np.arange(240) * 0.025


@pytest.mark.parametrize("name", WITHOUT_UNIT)
@pytest.mark.parametrize("unit", PER_MIN)
def test_times_without_a_unit_are_read_in_a_plausible_one(name: str, unit: str) -> None:
    run = parse_run(WITHOUT_UNIT[name](MINUTES * PER_MIN[unit]), "x")
    np.testing.assert_allclose(run.time_min, MINUTES)
    if unit != "seconds":
        assert f"read as {unit}" in run.notes[0]
    elif name != "mzxml":  # which says so of every such file
        assert run.notes == ()


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_a_table_has_to_name_a_unit_that_is_not_minutes(unit: str) -> None:
    short = MINUTES if unit == "milliseconds" else MINUTES / 1.5  # at most five hours as minutes
    with refused(
        ReadError,
        "x: column 'rt'",
        found=["no unit", "s from scan to scan", unit],
        remedy=["time_min", "time_s"],
    ):
        parse_run(csv_rt(short * PER_MIN[unit]), "x")
    assert parse_run(csv_rt(MINUTES), "x").notes == ()


@pytest.mark.parametrize(
    "data",
    [
        csv_rt(MINUTES * 60).replace(b"rt", b"time_min", 1),
        andi_in("Minutes")(MINUTES * 60),
        jcamp_in("MIN")(MINUTES * 60),
        FORMATS["mzml"](run_at(MINUTES * 60)),
        mzxml(run_at(MINUTES * 60)),
    ],
    ids=["csv", "andi", "jcamp", "mzml", "mzxml"],
)
def test_an_implausible_unit_that_the_file_names_is_noted(data: bytes) -> None:
    run = parse_run(data, "x")
    np.testing.assert_allclose(run.time_min, MINUTES * 60)
    (note,) = run.notes
    assert "the scans are 90 s apart" in note
    assert "another unit" in note


@pytest.mark.parametrize(
    ("units", "minutes"), [(b"Seconds", 0.05), (b"Minutes", 3.0), (b"Arbitrary Time Units", 3.0)]
)
def test_the_unit_of_a_whole_andi_file_is_that_of_its_times(units: bytes, minutes: float) -> None:
    stated = {"experiment_type": "Centroided Mass Spectrum", "units": units}
    run = parse_run(andi(run_at(MINUTES / 60), attributes=stated), "x")
    assert run.time_min[0] == pytest.approx(minutes)


@pytest.mark.parametrize(
    ("unit", "per_min"),
    [("Seconds", 60), ("s", 60), ("time in minutes", 1), ("MIN", 1), ("ms", 6e4), ("msec", 6e4)],
)
def test_the_unit_of_the_times_of_andi(unit: str, per_min: float) -> None:
    run = parse_run(andi_in(unit)(MINUTES * per_min), "x")
    np.testing.assert_allclose(run.time_min, MINUTES)
    assert run.notes == ()


def test_what_names_no_unit_of_time_is_none() -> None:
    assert parse_run(andi_in("scan number")(MINUTES), "x").time_min[0] == pytest.approx(3)


def test_two_plausible_units_are_noted() -> None:
    unit = plausible_unit(np.arange(0, 200, 0.05), "minutes")
    assert unit.name == "minutes"
    assert "seconds are as plausible" in unit.notes[0]


@given(
    st.floats(0.02, 5.0),
    st.integers(50, 4000),
    st.floats(0, 20),
    st.sampled_from(sorted(PER_MIN)),
    st.sampled_from(sorted(PER_MIN)),
)
def test_a_wrong_unit_never_passes_without_a_word(
    step_s: float, n_scans: int, start: float, unit: str, default: str
) -> None:
    times = (start + np.arange(n_scans) * step_s / 60) * PER_MIN[unit]
    found = plausible_unit(times, default)
    if Pace.of(times / PER_MIN[unit]).is_plausible and found.name != unit:
        assert found.notes or not Pace.of(times / PER_MIN[found.name]).is_plausible


def test_few_scans_keep_the_default() -> None:
    assert plausible_unit(15.0 * np.arange(49.0), "minutes") == Unit("minutes")
    assert plausible_unit(0.25 * np.arange(400.0), "minutes").name == "seconds"
    assert plausible_unit(np.array([np.nan] * 99), "minutes") == Unit("minutes")


@pytest.mark.parametrize("times", [MINUTES * 10, np.arange(0, 200, 0.05), MINUTES * 100])
def test_a_run_in_doubt_reads_back_unchanged(times: Floats, tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    write_csv(run_at(times), path)
    np.testing.assert_array_equal(parse_run(path.read_bytes(), "x").time_min, times)


@pytest.mark.parametrize("name", FORMATS | OF_SCANS)
def test_scans_out_of_order_are_sorted(name: str) -> None:
    order = np.random.default_rng(0).permutation(60)
    run = run_at(MINUTES[:60])
    found = parse_run((FORMATS | OF_SCANS)[name](run_at(MINUTES[:60][order])), "x")
    np.testing.assert_allclose(found.time_min, run.time_min)
    expected = np.repeat(100.0 + np.argsort(order), 3)
    np.testing.assert_array_equal(found.intensity, expected)
    (note,) = found.notes
    assert "not in order of time; they were sorted" in note
    if found.stated_tic is not None and not np.isnan(found.stated_tic).all():
        np.testing.assert_allclose(found.stated_tic, found.total_ion_current)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("first", [-0.0005, EARLIEST_MIN])
def test_a_first_time_a_little_below_0_is_kept_and_noted(name: str, first: float) -> None:
    times = np.append(first, np.arange(1, 200) * 0.02)
    found = parse_run(FORMATS[name](run_at(times)), "x")
    np.testing.assert_allclose(found.time_min, times)
    (note,) = found.notes
    assert note.startswith("1 time is below 0")
    with refused(ReadError, "x", found="-0.2 min", expected="-0.1 min"):
        parse_run(FORMATS[name](run_at(np.append(-0.2, times[1:]))), "x")


@pytest.mark.parametrize("name", OF_SCANS)
@pytest.mark.parametrize("empty", [(), (90, 150, 239)])
def test_scans_whose_times_were_lost_are_left_out(name: str, empty: tuple[int, ...]) -> None:
    times = MINUTES.copy()
    times[[90, 150, 239]] = 0
    found = parse_run(OF_SCANS[name](run_at(times, empty=empty)), "x")
    np.testing.assert_allclose(found.time_min, times[times > 0])
    assert found.notes == ("3 scans at time 0 after later ones were left out, since the times "
                           "were lost",)  # fmt: skip


def test_a_row_of_a_wide_table_whose_time_was_lost_is_left_out() -> None:
    rows = "".join(f"{time},7,8\n" for time in MINUTES.tolist())
    run = parse_run(f"time,43,57\n{rows}0,,\n".encode(), "x")
    assert (run.time_min[0], run.n_scans) == (3, 240)
    assert run.notes[0].startswith("1 scan at time 0 after later ones was left out")


def test_rows_of_a_lost_time_are_left_out() -> None:
    rows = "".join(f"{time},50,7\n" for time in MINUTES.tolist())
    run = parse_run(f"time,mass,intensity\n{rows}0,0,0\n".encode(), "x")
    assert run.time_min[0] == 3
    assert run.notes[0].startswith("1 scan at time 0 after later ones was left out")


def test_a_scan_at_time_0_with_ions_is_sorted() -> None:
    times = np.append(np.arange(1, 100) * 0.02, 0.0)
    run = parse_run(OF_SCANS["mzml"](run_at(times)), "x")
    assert run.time_min[0] == 0
    assert "sorted" in run.notes[0]


@pytest.mark.parametrize("order", [1, -1, 0])
@pytest.mark.parametrize("ions", [1, 6])
def test_scans_whose_times_were_rounded_alike_are_noted(order: int, ions: int) -> None:
    spectrum = 40.0 + np.arange(ions) * 7
    if order == 0:
        spectrum = np.random.default_rng(0).permutation(spectrum)
    times = np.repeat(3 + np.arange(600) * 0.0033, ions)
    mz = np.tile(spectrum[:: order or 1], 600)
    for decimals, notes in ((2, 1), (4, 0)):
        columns = (np.round(times, decimals), mz, np.ones(len(mz)))
        rows = "".join(f"{t!r},{m!r},{i!r}\n" for t, m, i in np.column_stack(columns).tolist())
        run = parse_run(f"time,mass,intensity\n{rows}".encode(), "x")
        assert len(run.notes) == notes
        if notes:
            assert "times were rounded alike" in run.notes[0]
            assert run.n_scans < 202
