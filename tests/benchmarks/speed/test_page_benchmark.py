"""benchmarks.speed.page: both pages of a model are opened and answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.speed import page
from helpers.benchmark_runs import rows_of
from helpers.browsers import CHROMIUM

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "model" / "models" / "elution.onnx"
RUN = ROOT / "tests" / "portable" / "format1" / "run.csv"


@pytest.mark.slow
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    runtime = Path(os.environ.get("GALE_NODE_MODULES", "")) / "onnxruntime-web"
    if CHROMIUM is None or not runtime.is_dir():
        pytest.skip("no chromium, or no onnxruntime-web in GALE_NODE_MODULES")
    page.main([str(MODEL), str(RUN), "--runtime", str(runtime), "--repeats", "1",
               "--chromium", CHROMIUM])  # fmt: skip
    rows = rows_of(capsys.readouterr().out)
    size, *seconds = map(float, rows["8 bits"])
    assert 3 < size < float(rows["as in the model file"][0])
    assert all(each > 0 for each in seconds)
