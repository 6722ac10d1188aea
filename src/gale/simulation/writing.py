"""A simulated campaign on disk: the competition's layout, and the truth beside it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gale.plumbing.progress import Progress
from gale.simulation.compounds import Flags
from gale.simulation.design import Design
from gale.simulation.laboratory import Laboratory
from gale.simulation.plan import Plan
from gale.simulation.run import Truth, simulate_run

TRUTH: dict[str, pl.DataType | type[pl.DataType]] = {
    "run": pl.String,
    "compound": pl.String,
    "inchikey": pl.String,
    "derivative": pl.String,
    "role": pl.String,
    "families": pl.List(pl.String),
    "retention_time_min": pl.Float64,
    "width_min": pl.Float64,
    "abundance": pl.Float64,
}
"""Columns of ``truth.parquet``: one row for each substance of each run."""


class Written(NamedTuple):
    """What is known of a run once it is on disk."""

    md5: str
    n_scans: int
    n_ions: int
    truth: list[Truth]


class Writer:
    """Simulates runs and writes them into the folder of a campaign.

    One for each process, which keeps what all runs have in common.
    """

    def __init__(self, folder: Path, laboratory: Laboratory, thresholds: tuple[float, ...]) -> None:
        self.folder, self.laboratory, self.thresholds = folder, laboratory, thresholds

    def write(self, path: str, plan: Plan) -> Written:
        """Simulate one run and write its file."""
        recorded, truth = simulate_run(self.laboratory, plan, self.thresholds[plan.instrument])
        table = pl.DataFrame(
            {"time": recorded.time_min, "mass": recorded.mz, "intensity": recorded.intensity}
        )
        text = io.BytesIO()
        table.write_csv(text)
        (self.folder / path).write_bytes(text.getbuffer())
        return Written(
            hashlib.md5(text.getbuffer(), usedforsecurity=False).hexdigest(),
            len(self.laboratory.instruments[plan.instrument].time_min),
            len(table),
            truth,
        )


_WRITER: list[Writer] = []
"""The writer of this process, where it is one of several."""


def begin_worker(folder: Path, laboratory: Laboratory, thresholds: tuple[float, ...]) -> None:
    """Give this process its writer."""
    _WRITER[:] = [Writer(folder, laboratory, thresholds)]


def _write_in_worker(path: str, plan: Plan) -> Written:
    return _WRITER[0].write(path, plan)


def run_names(design: Design) -> list[str]:
    """Name the runs, as the competition does: S0000, S0001, ..."""
    width = max(len(str(len(design.plans) - 1)), 4)
    return [f"S{number:0{width}d}" for number in range(len(design.plans))]


def write_runs(
    writer: Writer, design: Design, executor: Executor | None, progress: Progress
) -> list[Written]:
    """Simulate and write all runs, in the processes of `executor` if there is one."""
    for split in dict.fromkeys(design.splits):
        (writer.folder / f"{split}_features").mkdir()
    tasks = (_paths(design), design.plans)
    results: Iterable[Written] = (
        map(writer.write, *tasks)
        if executor is None
        else executor.map(_write_in_worker, *tasks, chunksize=4)
    )
    progress.begin("simulating runs", len(design.plans))
    written = []
    for each in results:
        written.append(each)
        progress.step()
    return written


def write_tables(
    folder: Path, design: Design, labels: Flags, laboratory: Laboratory, written: list[Written]
) -> None:
    """Write metadata, labels, submission format, truth, runs and instruments.

    Parameters
    ----------
    labels : array of bool, shape (R, K)
        As they are to be told.
    """
    names = run_names(design)
    families = laboratory.compounds.family_names
    table = pl.DataFrame({"sample_id": names, "split": design.splits}).with_columns(
        pl.Series(family, labels[:, k].astype(np.int64)) for k, family in enumerate(families)
    )
    for split in dict.fromkeys(design.splits):
        table.filter(split=split).drop("split").write_csv(folder / f"{split}_labels.csv")
    asked = table.filter(pl.col("split") != "train").drop("split")
    if len(asked):
        asked.with_columns(pl.lit(0.0).alias(family) for family in families).write_csv(
            folder / "submission_format.csv"
        )
    pl.DataFrame(
        {
            "sample_id": names,
            "split": design.splits,
            "derivatized": [1 if plan.derivatized else None for plan in design.plans],
            "features_path": _paths(design),
            "features_md5_hash": [each.md5 for each in written],
        },
        schema_overrides={"derivatized": pl.Int64},
    ).write_csv(folder / "metadata.csv")
    pl.DataFrame(
        {
            "sample_id": names,
            "instrument": [plan.instrument for plan in design.plans],
            "position": design.position,
            "scans": [each.n_scans for each in written],
            "ions": [each.n_ions for each in written],
        }
    ).write_csv(folder / "runs.csv")
    pl.DataFrame(
        [
            {"run": name, **row}
            for name, each in zip(names, written, strict=True)
            for row in each.truth
        ],
        schema=TRUTH,
    ).write_parquet(folder / "truth.parquet")


def write_facts(
    folder: Path, laboratory: Laboratory, thresholds: Iterable[float], asked: dict[str, Any]
) -> None:
    """Write ``simulation.json``: what was asked for, and every instrument that was drawn."""
    instruments = [
        {**asdict(each), "threshold": threshold}
        for each, threshold in zip(laboratory.instruments, thresholds, strict=True)
    ]
    text = json.dumps({**asked, "instruments": instruments}, indent=1)
    (folder / "simulation.json").write_text(text + "\n", "utf-8")


def _paths(design: Design) -> list[str]:
    return [
        f"{split}_features/{name}.csv"
        for split, name in zip(design.splits, run_names(design), strict=True)
    ]
