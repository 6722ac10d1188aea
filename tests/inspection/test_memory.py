"""What looks at a whole run takes memory by its ions, not by its scans times its m/z."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec
from gale.inspection import RULES, measures, oddities
from gale.plotting import measures as plotted
from gale.run import Run

S, M, PER_SCAN = 4_000, 900, 4
MOST = 30
"""Times the size of the columns; all cells of scans and m/z would take 90 times, and be copied."""


@pytest.fixture(scope="module")
def run() -> Run:
    rng = np.random.default_rng(0)
    mz = np.sort(rng.integers(40, 40 + M, (S, PER_SCAN)), axis=1).ravel() + 0.0
    intensity = rng.lognormal(5, 1, S * PER_SCAN)
    return Run.from_scans(np.arange(S) * 0.2 / 60, np.full(S, PER_SCAN), mz, intensity)


LOOKS: dict[str, Callable[[Run], object]] = {
    **RULES,
    "oddities": oddities,
    "ion map": plotted.ion_map,
    "base peak": plotted.base_peak,
    "summary": SummarySpec().features_of,
    "profile": ProfileSpec().features_of,
}


@pytest.mark.parametrize("name", LOOKS)
def test_memory_does_not_grow_with_scans_times_mz(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (measures, plotted):
        monkeypatch.setattr(module, "CELLS_AT_ONCE", 2**16)
    monkeypatch.setattr(plotted, "MOST_COLUMNS", 100)  # of the result, which has its own size
    LOOKS[name](run)  # imports what it needs
    columns = (run.time_min, run.scan_start, run.mz, run.intensity)
    tracemalloc.start()
    LOOKS[name](run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST * sum(column.nbytes for column in columns)


def test_an_elution_image_has_its_own_size() -> None:
    spec = ElutionSpec()
    assert spec.bins * spec.n_mz < 2**20


@pytest.mark.parametrize("cells", [1, 700, 2**20])
def test_blocks_make_no_difference(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 9, 300)
    n_ions = int(counts.sum())
    mz, intensity = rng.uniform(40, 90, n_ions), rng.lognormal(5, 3, n_ions)
    run = Run.from_scans(np.arange(300) / 60, counts, mz, intensity)
    dense = np.zeros((300, 91))
    np.add.at(dense, (run.scan_of_ion, np.rint(mz).astype(int)), intensity)
    for module in (measures, plotted):
        monkeypatch.setattr(module, "CELLS_AT_ONCE", cells)
    monkeypatch.setattr(plotted, "MOST_COLUMNS", 77)
    of_columns = np.maximum.reduceat(dense[:, 40:], np.arange(0, 300, 4), axis=0)
    np.testing.assert_allclose(plotted.ion_map(run, (40, 90)).intensity, of_columns.T)
    whole = measures.Elution(run).standing_together(5.0)
    monkeypatch.setattr(measures, "CELLS_AT_ONCE", 2**30)
    assert measures.Elution(run).standing_together(5.0) == whole
