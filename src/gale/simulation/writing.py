"""A simulated campaign on disk: the competition's layout, with the truth beside it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from gale.plumbing.files import write_csv, write_parquet
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.simulation.compounds import Booleans
from gale.simulation.design import Design
from gale.simulation.laboratory import Laboratory
from gale.simulation.plan import Plan
from gale.simulation.run import Truth, simulate_run
from gale.simulation.series import Series, Setup

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
"""Columns of ``truth.parquet``: one row per substance and run."""


class WrittenRun(NamedTuple):
    """Facts of a run that is on disk."""

    md5: str
    n_scans: int
    n_ions: int
    truth: list[Truth]


class RunWriter:
    """Simulates runs and writes them into the folder of a campaign.

    Each process has one, which holds what all runs share.
    """

    def __init__(self, folder: Path, laboratory: Laboratory, thresholds: tuple[float, ...]) -> None:
        self.folder, self.laboratory, self.thresholds = folder, laboratory, thresholds

    def write(self, path: str, plan: Plan) -> WrittenRun:
        """Simulate one run and write its file."""
        recorded, truth = simulate_run(self.laboratory, plan, self.thresholds[plan.instrument])
        table = pl.DataFrame(
            {"time": recorded.time_min, "mass": recorded.mz, "intensity": recorded.intensity}
        )
        text = io.BytesIO()
        table.write_csv(text)
        (self.folder / path).write_bytes(text.getbuffer())
        return WrittenRun(
            hashlib.md5(text.getbuffer(), usedforsecurity=False).hexdigest(),
            len(self.laboratory.instruments[plan.instrument].time_min),
            len(table),
            truth,
        )


_WRITER: list[RunWriter] = []
"""The writer of a worker process."""


def _begin_worker(writer: RunWriter) -> None:
    _WRITER[:] = [writer]


def _write_in_worker(path: str, plan: Plan) -> WrittenRun:
    return _WRITER[0].write(path, plan)


def run_names(design: Design) -> list[str]:
    """Name the runs as the competition does: S0000, S0001, ..."""
    width = max(len(str(len(design.plans) - 1)), 4)
    return [f"S{number:0{width}d}" for number in range(len(design.plans))]


def write_runs(folder: Path, series: Series, work: Work) -> list[WrittenRun]:
    """Simulate and write all runs, in the worker processes if there are several."""
    design = series.design
    for split in dict.fromkeys(design.splits):
        (folder / f"{split}_features").mkdir()
    writer = RunWriter(folder, series.laboratory, series.thresholds)
    tasks = (_paths(design), design.plans)
    with worker_pool(work.workers, _begin_worker, (writer,), work.executor) as executor:
        results: Iterable[WrittenRun] = (
            map(writer.write, *tasks)
            if executor is None
            else executor.map(_write_in_worker, *tasks, chunksize=4)
        )
        work.progress.begin("simulating runs", len(design.plans))
        written = []
        for run in results:
            written.append(run)
            work.progress.step()
    return written


def write_tables(
    folder: Path, series: Series, written: Sequence[WrittenRun], labels: Booleans
) -> None:
    """Write metadata, labels, submission format, truth, runs and instruments.

    Parameters
    ----------
    folder : Path
    series : Series
    written : sequence of WrittenRun, length R
    labels : array of bool, shape (R, K)
        As they are to be written, with their noise.
    """
    design, families = series.design, series.laboratory.compounds.family_names
    names = run_names(design)
    table = pl.DataFrame({"sample_id": names, "split": design.splits}).with_columns(
        pl.Series(family, labels[:, k].astype(np.int64)) for k, family in enumerate(families)
    )
    for split in dict.fromkeys(design.splits):
        of_split = table.filter(split=split).drop("split")
        write_csv(of_split, folder / f"{split}_labels.csv")
    to_predict = table.filter(pl.col("split") != "train").drop("split")
    if len(to_predict):
        form = to_predict.with_columns(pl.lit(0.0).alias(family) for family in families)
        write_csv(form, folder / "submission_format.csv")
    metadata = pl.DataFrame(
        {
            "sample_id": names,
            "split": design.splits,
            "derivatized": [1 if plan.derivatized else None for plan in design.plans],
            "features_path": _paths(design),
            "features_md5_hash": [run.md5 for run in written],
        },
        schema_overrides={"derivatized": pl.Int64},
    )
    write_csv(metadata, folder / "metadata.csv")
    runs = pl.DataFrame(
        {
            "sample_id": names,
            "instrument": [plan.instrument for plan in design.plans],
            "position": design.position,
            **design.columns,
            "scans": [run.n_scans for run in written],
            "ions": [run.n_ions for run in written],
        }
    )
    write_csv(runs, folder / "runs.csv")
    truth = pl.DataFrame(
        [
            {"run": name, **row}
            for name, run in zip(names, written, strict=True)
            for row in run.truth
        ],
        schema=TRUTH,
    )
    write_parquet(truth, folder / "truth.parquet")


def write_facts(
    folder: Path,
    series: Series,
    setup: Setup,
    *,
    runs: Mapping[str, int],
    compounds: int | None,
    label_noise: float,
    seed: int,
) -> None:
    """Write ``simulation.json``: the options, and every instrument that was drawn."""
    facts = {
        "gale": version("gale-ms"),
        "design": setup.design,
        "library": setup.source,
        "libraries": setup.libraries,
        "seed": seed,
        "runs": runs,
        "ions": setup.ions,
        "compounds": compounds,
        "new_instrument": setup.new_instrument,
        "new_compounds": setup.new_compounds,
        "label_noise": label_noise,
        "physics": setup.physics.to_dict(),
        "prevalence": dict(
            zip(setup.analytes.family_names, setup.prevalence.tolist(), strict=True)
        ),
        "instruments": [
            {**asdict(instrument), "threshold": threshold}
            for instrument, threshold in zip(
                series.laboratory.instruments, series.thresholds, strict=True
            )
        ],
    }
    (folder / "simulation.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _paths(design: Design) -> list[str]:
    return [
        f"{split}_features/{name}.csv"
        for split, name in zip(design.splits, run_names(design), strict=True)
    ]
