"""benchmarks.speed.readers: every format is written so that gale reads the run that was meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import readers, run_files
from gale.readers import read_run

N_SCANS, N_IONS = 30, 600


@pytest.mark.parametrize("name", readers.FORMATS)
def test_what_is_timed_is_the_run(name: str, tmp_path: Path) -> None:
    form = readers.FORMATS[name]
    make = run_files.make_nominal_run if form.nominal else run_files.make_run
    run, path = make(N_SCANS, N_IONS), tmp_path / f"run{form.suffix}"
    form.write(run, path)
    found = read_run(path)
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    np.testing.assert_allclose(found.time_min, run.time_min, atol=1e-5)
    np.testing.assert_allclose(found.mz, run.mz, rtol=1e-6)
    np.testing.assert_allclose(found.intensity, run.intensity, rtol=1e-3)


@pytest.mark.slow
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["csv", "chemstation"]
    readers.main(["--ions", "600", "--scans", "30", "--repeats", "1", "--formats", *names])
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    assert list(lines)[-3:] == ["format", *names]
    assert " polars " in lines["csv"]
