"""benchmarks.speed.run_pages: a page of a run is made, timed and weighed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.speed import run_pages
from helpers.benchmark_runs import rows_of

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "model" / "models" / "elution.onnx"
RUN = ROOT / "tests" / "portable" / "format1" / "run.csv"


@pytest.mark.slow
def test_the_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 3, 3, 5, 5, 6, 6, 10])  # pages take 3 and 1 seconds, pictures 2 and 4
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    run_pages.main([str(RUN), "--model", str(MODEL), "--repeats", "2"])
    ions, page, picture, size = rows_of(capsys.readouterr().out)["run.csv"]
    assert int(ions.replace(",", "")) > 0
    assert (page, picture) == ("1.00", "2.00")
    assert 54 < float(size.replace(",", "")) < 2000
