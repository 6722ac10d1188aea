"""Predictions of a run while it is recorded, against those of the same scans read as a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import gale
from gale.errors import GaleError, ModelError, ReadError
from gale.run import Run
from helpers.elution_runs import noisy_run
from helpers.errors import refused
from helpers.run_files import runs

MODELS = Path(__file__).with_name("models")
MODEL = gale.Model.load(MODELS / "elution.onnx")
PEAKS = {0.3: {31: 300.0, 45: 200.0}, 0.7: {91: 800.0, 92: 500.0, 65: 100.0}}

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")


def fed(stream: gale.Stream, run: Run, end: int) -> list[pl.DataFrame]:
    """What a stream says while it is given the first scans of a run."""
    rows = []
    for scan in range(end):
        ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
        row = stream.add(run.time_min[scan], run.mz[ions], run.intensity[ions])
        if row is not None:
            rows.append(row)
    return rows


def cut(run: Run, end: int, source: str = "stream") -> Run:
    last = run.scan_start[end]
    count = run.ions_per_scan[:end]
    return Run.from_scans(
        run.time_min[:end], count, run.mz[:last], run.intensity[:last], source=source
    )


@pytest.mark.slow
@given(runs(), st.data())
@settings(max_examples=25)
def test_every_prediction_is_that_of_the_scans_so_far(run: Run, data: st.DataObject) -> None:
    end = data.draw(st.integers(2, run.n_scans))
    stream = gale.Stream(MODEL, every_min=0)
    rows = fed(stream, run, end)
    if run.scan_start[end] == 0:
        assert rows == []
        return
    expected = MODEL.predict(cut(run, end)).insert_column(
        0, pl.Series("time_min", [run.time_min[end - 1]])
    )
    assert_frame_equal(rows[-1], expected)
    assert_frame_equal(stream.predict(), expected)
    assert len(rows) == sum(run.scan_start[at + 1] > 0 for at in range(1, end))


def test_the_last_prediction_is_that_of_the_whole_run() -> None:
    run = noisy_run(PEAKS, n_scans=400, mz=np.arange(26.0, 96.0), minutes=10.0)  # from minute 2
    stream = gale.Stream(MODEL, every_min=1.0, source="noisy")
    rows = fed(stream, run, run.n_scans)
    times = [row["time_min"].item() for row in rows]
    np.testing.assert_allclose(times, 2 + np.arange(1, 11), atol=10 / 399)
    assert_frame_equal(stream.predict().drop("time_min", "run"), MODEL.predict(run).drop("run"))
    assert stream.predict()["run"].item() == "noisy"
    assert_frame_equal(stream.evidence(), MODEL.evidence(run))
    assert repr(stream) == "<Stream noisy: 400 scans until 12.00 min>"


def test_until_there_is_something_to_predict() -> None:
    stream = gale.Stream(MODEL, every_min=0)
    with refused(ReadError, "stream", found="no scans"):
        stream.predict()
    assert stream.add(0.0, [], []) is None
    assert stream.add(0.1, [], []) is None
    with refused(ReadError, "stream", found="no ions"):
        stream.predict()
    row = stream.add(0.2, [500.0], [9.0])
    assert row is not None
    assert row["status"].item() == "failed"
    assert "no ion at m/z" in row["message"].item()
    row = stream.add(0.2, [43.0, -1.0], [9.0, 3.0])
    assert row is not None
    assert row["status"].item() != "failed"
    assert stream.run.n_ions == 2


@pytest.mark.parametrize(
    ("scan", "found"),
    [
        ((0.9, [43.0], [1.0]), "0.9"),
        ((float("nan"), [43.0], [1.0]), "not finite"),
        ((2.0, [43.0], [float("inf")]), "not finite"),
        ((2.0, [43.0, 44.0], [1.0]), "shape"),
        ((2.0, [[43.0]], [[1.0]]), "shape"),
    ],
)
def test_a_scan_that_cannot_be_is_no_part_of_the_run(
    scan: tuple[float, list[float], list[float]], found: str
) -> None:
    stream = gale.Stream(MODEL)
    stream.add(1.0, [43.0], [1.0])
    with refused(ReadError, "stream: scan 2", found=found):
        stream.add(*scan)
    assert stream.n_scans == 1


def test_what_a_stream_needs() -> None:
    with refused(GaleError, "every_min", found="-1"):
        gale.Stream(MODEL, every_min=-1)
    with pytest.raises(GaleError):
        gale.Stream("model.onnx")  # type: ignore[arg-type]
    stream = gale.Stream(gale.Model.load(MODELS / "format1.onnx"))
    stream.add(1.0, [57.0], [1.0])
    stream.add(2.0, [57.0], [1.0])
    with pytest.raises(ModelError):
        stream.evidence()
