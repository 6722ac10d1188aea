"""benchmarks.speed.run_pages: a page of a run is made, timed and weighed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.speed import run_pages
from helpers.benchmark_runs import rows_of

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "model" / "models" / "elution.onnx"
RUN = ROOT / "tests" / "portable" / "format1" / "run.csv"


@pytest.mark.slow
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    run_pages.main([str(RUN), "--model", str(MODEL), "--repeats", "1"])
    ions, page, picture, size = rows_of(capsys.readouterr().out)["run.csv"]
    assert int(ions.replace(",", "")) > 0
    assert 0 < float(picture) < float(page) < 60
    assert 54 < float(size.replace(",", "")) < 2000
