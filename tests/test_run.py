from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import gale
from gale.errors import PlotError, ReadError
from gale.run import MAX_MZ, TIC_NOTE, Run
from helpers.errors import refused

TIME, COUNT = [1.0, 2.0, 3.0], [2, 0, 1]
MZ, INTENSITY = [50.0, 60.0, 55.0], [7.0, 8.0, 9.0]


def make(**changes: object) -> Run:
    columns = {"time_min": TIME, "ions_per_scan": COUNT, "mz": MZ, "intensity": INTENSITY}
    return Run.from_scans(**{**columns, "source": "x.csv", **changes})  # type: ignore[arg-type]


def rows(time_min: object, mz: object, intensity: object) -> Run:
    return Run.from_rows(time_min, mz, intensity, source="x.csv")  # type: ignore[arg-type]


def test_columns_of_a_run() -> None:
    run = make()
    assert (run.n_scans, run.n_ions) == (3, 3)
    assert run.time_min.tolist() == TIME
    assert run.scan_start.tolist() == [0, 2, 2, 3]
    assert run.ions_per_scan.tolist() == COUNT
    assert run.mz.tolist() == MZ
    assert run.intensity.tolist() == INTENSITY
    assert run.total_ion_current.tolist() == [15.0, 0.0, 9.0]
    assert run.notes == ()


def test_repr() -> None:
    assert repr(make(format="csv")) == (
        "<Run x.csv (csv): 3 scans, 1.00 to 3.00 min, 3 ions, m/z 50 to 60>"
    )


def test_a_run_cannot_be_changed() -> None:
    run = make(facts={"title": "a"})
    with pytest.raises(ValueError, match="read-only"):
        run.mz[0] = 1
    with pytest.raises(FrozenInstanceError):
        run.source = "y"  # type: ignore[misc]
    with pytest.raises(TypeError):
        run.facts["title"] = "b"  # type: ignore[index]


def test_a_run_shares_no_memory_with_its_maker() -> None:
    mz, facts = np.array(MZ), {"title": "a"}
    run = make(mz=mz, facts=facts)
    mz[0], facts["title"] = 99.0, "b"
    assert run.mz[0] == 50.0
    assert run.facts["title"] == "a"


def test_rows_share_no_memory_with_their_maker() -> None:
    columns = [np.array(column) for column in ([1.0, 2.0], [50.0, 60.0], [7.0, 8.0])]
    run = rows(*columns)
    for column in columns:
        column[:] = 99.0
    assert (run.time_min.tolist(), run.mz.tolist()) == ([1.0, 2.0], [50.0, 60.0])
    assert run.intensity.tolist() == [7.0, 8.0]


def test_with_notes_adds_notes_and_keeps_the_rest() -> None:
    run = make(notes=("one",), facts={"title": "a"}, format="andi")
    more = run.with_notes("two", "three")
    assert more.notes == ("one", "two", "three")
    assert (more.source, more.format, more.facts) == (run.source, run.format, run.facts)
    assert more.mz.tolist() == MZ
    assert run.notes == ("one",)


def test_rows_of_equal_time_are_a_scan() -> None:
    run = rows([1.0, 1.0, 2.0, 2.0, 2.0], [60, 50, 55, 56, 57], [1, 2, 3, 4, 5])
    assert run.time_min.tolist() == [1.0, 2.0]
    assert run.ions_per_scan.tolist() == [2, 3]
    assert run.mz.tolist() == [60, 50, 55, 56, 57]
    assert (run.notes, run.source, run.format) == ((), "x.csv", "memory")


def test_rows_out_of_order_are_sorted_and_noted() -> None:
    run = rows([2.0, 1.0, 2.0, 1.0], [60, 50, 55, 45], [1, 2, 3, 4])
    assert run.time_min.tolist() == [1.0, 2.0]
    assert run.mz.tolist() == [50, 45, 60, 55]
    assert run.intensity.tolist() == [2, 4, 1, 3]
    (note,) = run.notes
    assert "sorted" in note


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 500), st.integers(0, 10**6)), min_size=1
    ).filter(lambda table: len({time for time, _, _ in table}) > 1)
)
def test_from_rows_groups_as_a_plain_loop_does(table: list[tuple[int, int, int]]) -> None:
    time, mz, intensity = zip(*table, strict=True)
    run = rows(time, mz, intensity)
    scans = {t: [row for row in table if row[0] == t] for t in sorted(set(time))}
    assert run.time_min.tolist() == list(scans)
    assert run.ions_per_scan.tolist() == [len(scan) for scan in scans.values()]
    assert run.mz.tolist() == [row[1] for scan in scans.values() for row in scan]
    assert run.total_ion_current.tolist() == [
        sum(row[2] for row in scan) for scan in scans.values()
    ]


def test_fill_is_dropped_and_counted() -> None:
    run = make(ions_per_scan=[2, 2, 1], mz=[0, 60, -9999, 55, 0], intensity=[1, 2, 3, 4, 5])
    assert run.mz.tolist() == [60, 55]
    assert run.intensity.tolist() == [2, 4]
    assert run.ions_per_scan.tolist() == [1, 1, 0]
    (note,) = run.notes
    assert note.startswith("3 ions without a positive m/z")


def test_negative_intensities_become_zero_and_are_counted() -> None:
    run = make(intensity=[7, -8, -9], notes=("before",))
    assert run.intensity.tolist() == [7, 0, 0]
    before, note = run.notes
    assert before == "before"
    assert note.startswith("2 negative intensities")


def test_a_note_on_one_ion_is_in_the_singular() -> None:
    fill, negative = make(mz=[0, 60, 55], intensity=[7, -8, 9]).notes
    assert fill.startswith("1 ion without")
    assert negative.startswith("1 negative intensity")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("column", "place", "name"),
    [("time_min", "scan 2", "time"), ("mz", "ion 2", "m/z"), ("intensity", "ion 2", "intensity")],
)
def test_values_that_are_not_finite(column: str, place: str, name: str, value: float) -> None:
    with refused(ReadError, f"x.csv: {place}", found=[name, str(value)]) as caught:
        make(**{column: [1.0, value, 3.0]})
    assert "such values" not in caught.value.found


def test_values_that_are_not_finite_are_counted() -> None:
    with refused(ReadError, "x.csv: ion 2", found=["nan", "2 such values"]):
        make(mz=[50.0, np.nan, np.inf])


@pytest.mark.parametrize("at", [0, 1, 2])
def test_rows_that_are_not_finite(at: int) -> None:
    columns = [[1.0, 2.0, 3.0], [50.0, 60.0, 55.0], [7.0, 8.0, 9.0]]
    columns[at][1] = np.nan
    name = ("time", "m/z", "intensity")[at]
    with refused(ReadError, "x.csv: row 2", found=[name, "nan"]):
        rows(*columns)


@pytest.mark.parametrize(
    ("changes", "place", "found"),
    [
        ({"time_min": [-1.0, 2.0, 3.0]}, "", ["time", "-1 min"]),
        ({"time_min": [], "ions_per_scan": []}, "", ["no scans"]),
        ({"time_min": [1.0], "ions_per_scan": [3]}, "", ["1 scan"]),
        ({"ions_per_scan": [2, 0, 2]}, "", ["3 scan times", "3 scans", "4 ions", "3 m/z"]),
        ({"ions_per_scan": [2, 1]}, "", ["3 scan times", "2 scans", "3 ions"]),
        ({"intensity": [7.0, 8.0]}, "", ["3 ions", "3 m/z", "2 intensities"]),
        ({"ions_per_scan": [0, 0, 0], "mz": [], "intensity": []}, "", ["no ions", "3 scans"]),
        ({"mz": [0.0, 0.0, -1.0]}, "", ["no ions", "3 scans"]),
        ({"mz": [50.0, 9.97e36, 55.0]}, "", ["m/z", "9.97e+36"]),
        ({"intensity": [50.0, 9.97e36, 55.0]}, "", ["intensity", "9.97e+36"]),
    ],
)
def test_what_is_no_run_is_refused(
    changes: dict[str, object], place: str, found: list[str]
) -> None:
    with refused(ReadError, f"x.csv{place}", found=found):
        make(**changes)


def test_limits_are_named() -> None:
    with refused(ReadError, "x.csv", expected="20,000"):
        make(mz=[50.0, 20_001.0, 55.0])
    with refused(ReadError, "x.csv", expected="1e+30"):
        make(intensity=[7.0, 2e30, 9.0])


def test_columns_of_rows_have_to_be_equally_long() -> None:
    with refused(ReadError, "x.csv", found=["time 2", "m/z 3", "intensity 1"]):
        rows([1.0, 2.0], [50.0, 60.0, 55.0], [7.0])


def test_the_largest_mz_and_equal_times_are_allowed() -> None:
    assert make(mz=[50.0, 60.0, MAX_MZ], time_min=[0.0, 0.0, 3.0]).n_scans == 3


def test_no_rows() -> None:
    with refused(ReadError, "x.csv", found="no scans"):
        rows([], [], [])


@pytest.mark.parametrize("stated", [None, [15.0, 0.0, 9.0], [15.1, np.nan, -9999.0], [np.nan] * 3])
def test_stated_totals_that_agree_or_are_unknown(stated: list[float] | None) -> None:
    assert make(stated_tic=stated).notes == ()


def test_stated_totals_that_deviate_are_noted() -> None:
    (note,) = make(stated_tic=[30.0, np.nan, 9.0]).notes
    assert note.startswith(TIC_NOTE)
    for fact in ("1 of 2 scans", "0.5)"):
        assert fact in note


def test_stated_totals_of_another_number_of_scans_are_noted() -> None:
    run = make(stated_tic=[15.0, 0.0])
    (note,) = run.notes
    assert "2 total ion currents" in note
    assert "3 scans" in note
    assert run.stated_tic is None


def test_the_stated_total_is_compared() -> None:
    assert make().stated_tic is None
    assert make().tic_ratio is None
    assert make(stated_tic=[np.nan] * 3).stated_tic is None
    run = make(stated_tic=[30.0, np.nan, 0.0])
    assert run.stated_tic is not None
    np.testing.assert_array_equal(run.stated_tic, [30.0, np.nan, 0.0])
    with pytest.raises(ValueError, match="read-only"):
        run.stated_tic[0] = 1
    np.testing.assert_array_equal(run.tic_ratio, [0.5, np.nan, np.inf])
    again = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(again.stated_tic, run.stated_tic)


def test_a_scan_without_ions_agrees_with_a_stated_total_of_nothing() -> None:
    assert make(stated_tic=[15.0, 0.0, 9.0]).tic_ratio is not None
    np.testing.assert_array_equal(make(stated_tic=[15.0, 0.0, 9.0]).tic_ratio, 1.0)


def test_a_row_of_nothing_is_a_scan_without_ions() -> None:
    run = rows([1.0, 2.0, 2.0, 3.0], [0.0, 50.0, 60.0, 0.0], [0.0, 1.0, 2.0, 0.0])
    assert run.ions_per_scan.tolist() == [0, 2, 0]
    assert run.scan_of_ion.tolist() == [1, 1]
    assert run.notes == ()
    filled = rows([1.0, 1.0, 2.0, 3.0], [50.0, 0.0, 0.0, 60.0], [1.0, 0.0, 4.0, 2.0])
    assert filled.ions_per_scan.tolist() == [1, 0, 1]
    assert filled.notes[0].startswith("2 ions without a positive m/z")


def test_a_table_of_the_ions_and_a_run_of_the_table() -> None:
    run = make(ions_per_scan=[2, 0, 1])
    assert run.to_frame().to_dict(as_series=False) == {
        "scan": [0, 0, 2], "time_min": [1.0, 1.0, 3.0], "mz": MZ, "intensity": INTENSITY,
    }  # fmt: skip
    assert_frame_equal(pl.DataFrame(run), run.to_frame())
    again = gale.read_run(run.to_frame(), name="again")
    assert (again.source, again.mz.tolist(), again.n_scans) == ("again", MZ, 2)


def test_chromatograms_are_sums_of_rounded_ions_in_every_scan() -> None:
    run = make(mz=[50.4, 50.6, 51.4])
    assert run.chromatogram().to_dict(as_series=False) == {
        "time_min": TIME, "total": [15.0, 0.0, 9.0],
    }  # fmt: skip
    assert run.chromatogram([51, 99]).to_dict(as_series=False) == {
        "time_min": TIME, "51": [8.0, 0.0, 9.0], "99": [0.0, 0.0, 0.0],
    }  # fmt: skip
    assert run.chromatogram(50)["50"].to_list() == [7.0, 0.0, 0.0]


def test_the_spectrum_of_the_nearest_scan_in_order_of_mz() -> None:
    run = make(mz=[60.0, 50.0, 55.0])
    assert run.spectrum(1.4).rows() == [(50.0, 8.0), (60.0, 7.0)]
    assert run.spectrum(1.6).rows() == []
    with refused(PlotError, "x.csv", found="3.1 min", expected="1.000 to 3.000"):
        run.spectrum(3.1)
