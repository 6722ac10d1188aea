"""Runs whose peaks are all known: of gale's simulator, and of one that is not gale's."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

import gale
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.run import Run
from gale.simulation.peaks import EVOLVED_GAS

BROADEST = 25
"""Scans at half height up to which what the other simulator adds is a peak, and no gas or
background."""

MOST_IONS = 200
"""Ions up to which it is that of a compound."""


@dataclass(frozen=True)
class TruePeak:
    """A peak that was put into a run.

    Parameters
    ----------
    compound : str
        Empty if it has no name.
    time_min : float
    abundance : float
        Height of its highest ion at the apex over the detection limit.
    is_compound : bool
        Whether it is to be found: no gas that lasts for minutes.
    """

    compound: str
    time_min: float
    abundance: float
    is_compound: bool = True


Known = tuple[Run, list[TruePeak]]


def own(folder: Path, n_runs: int, seed: int) -> Iterator[Known]:
    """Simulate runs with gale, unless they are in the folder, and read them with their truth."""
    if not folder.exists():
        gale.simulate(
            folder, design="different", runs=n_runs, seed=seed, work=Work(progress=Progress())
        )
    truth = pl.read_parquet(folder / "truth.parquet").partition_by("run", as_dict=True)
    campaign = gale.Campaign.open(folder)
    for name, path in zip(campaign.runs, campaign.paths, strict=True):
        rows = truth[name,].iter_rows(named=True) if (name,) in truth else ()
        yield gale.read_run(path), [
            TruePeak(row["compound"], row["retention_time_min"], row["abundance"],
                     row["role"] != EVOLVED_GAS)
            for row in rows
        ]  # fmt: skip


def foreign(script: Path, folder: Path, n_runs: int, seed: int) -> Iterator[Known]:
    """Make runs with the other simulator, unless they are in the folder, and read them.

    Its truth lists compounds alone; so what it adds to each run is written down as it does so.
    """
    everything = folder.with_suffix(".json")
    if not everything.exists():
        added = _watched(script, folder, n_runs, seed)
        everything.write_text(json.dumps(added), "utf-8")
    truth = json.loads(everything.read_text("utf-8"))
    named = json.loads((folder / "truth.json").read_text("utf-8"))
    campaign = gale.Campaign.open(folder)
    for name, path in zip(campaign.runs, campaign.paths, strict=True):
        compounds = named[name]["compounds"]
        yield gale.read_run(path), [
            TruePeak(_name_of(time_min, times_over, compounds), time_min, times_over,
                     width <= BROADEST)
            for time_min, times_over, width in truth[name]
        ]  # fmt: skip


def _name_of(time_min: float, times_over: float, compounds: list[Any]) -> str:
    """Name the compound of the truth with this time and height; empty for a contaminant."""
    for name, at, decades, _role in compounds:
        if abs(at - time_min) < 0.05 and abs(10**decades / times_over - 1) < 0.6:
            return str(name)
    return ""


def _watched(script: Path, folder: Path, n_runs: int, seed: int) -> dict[str, Any]:
    """Run the other simulator in this process, and note the peaks that it adds."""
    simulator = _load(script)
    added: dict[str, list[tuple[float, float, int]]] = {}
    peaks: list[tuple[int, float, int, np.ndarray]] = []
    plain_add, plain_run = simulator.add, simulator.make_run

    def add(signal: np.ndarray, times: np.ndarray, spectrum: np.ndarray) -> None:
        course = np.broadcast_to(times, len(signal))
        apex = int(course.argmax())
        width = int((course >= course[apex] / 2).sum())
        n_ions = int((spectrum > 0.05 * spectrum.max()).sum())
        if 0 < apex < len(course) - 1 and n_ions <= MOST_IONS:
            peaks.append((apex, float(course[apex]), width, spectrum.copy()))
        plain_add(signal, times, spectrum)

    def make_run(job: Any) -> Any:
        peaks.clear()
        result, device = plain_run(job), job[0]
        recorded = slice(device["low"], device["high"])
        added[Path(job[6]).stem] = [
            (float(device["start"] + apex * device["step"]),
             float(height * spectrum[recorded].max() / 10 ** device["floor"]), width)
            for apex, height, width, spectrum in peaks
        ]  # fmt: skip
        return result

    train = max(n_runs - 2, 1)
    words = [str(script), str(folder), "--seed", str(seed), "--runs", f"{train},1,1"]
    with (
        patch.object(simulator, "add", add),
        patch.object(simulator, "make_run", make_run),
        patch.object(simulator, "ProcessPoolExecutor", _InProcess),
        patch.object(sys, "argv", words),
    ):
        simulator.main()
    return added


class _InProcess:
    """Stands for an executor, and works in this process."""

    def __init__(self, *_: Any) -> None:
        return

    def __enter__(self) -> _InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def map(self, function: Any, jobs: Any, chunksize: int = 1) -> Iterator[Any]:
        del chunksize
        return map(function, jobs)


def _load(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("other_simulator", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
