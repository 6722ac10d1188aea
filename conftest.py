"""What examples in docstrings find in their namespace: a small model and a small run, as files."""

from __future__ import annotations

import os

# Before numpy and torch are imported, here and in processes that tests start: all is so small that
# threads would only wait for each other, a hundred times longer where other work runs beside.
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import numpy as np
import polars as pl
import pytest

MODEL_FILE = Path(__file__).parent / "tests" / "model" / "models" / "elution.onnx"
"""A model of two networks, one of them an elution network, trained on 84 short simulated runs."""

PEAKS = {3.0: {31: 900.0, 45: 300.0}, 7.0: {65: 100.0, 91: 800.0, 92: 500.0}}
"""Spectra, at minutes of the run: an alcohol, then an aromatic hydrocarbon."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores, for some tests wait: for servers, browsers, other commands."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def example_files(
    doctest_namespace: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Offer examples a `model_file` and a `run_file` of 10 minutes."""
    time_min, mz = np.linspace(0, 10, 241), np.arange(26, 96)
    signal = np.where(mz == 28, 50.0, 1.0) * np.ones((len(time_min), 1))
    for at, spectrum in PEAKS.items():
        shape = np.exp(-0.5 * ((time_min - at) / 0.06) ** 2)
        for ion, height in spectrum.items():
            signal[:, mz == ion] += height * shape[:, None]
    table = pl.DataFrame(
        {
            "time": np.repeat(time_min, len(mz)),
            "mass": np.tile(mz.astype(float), len(time_min)),
            "intensity": signal.ravel(),
        }
    )
    run_file = tmp_path_factory.mktemp("examples") / "run.csv"
    table.write_csv(run_file)
    doctest_namespace.update(model_file=MODEL_FILE, run_file=run_file)
