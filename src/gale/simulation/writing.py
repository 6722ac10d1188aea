"""A simulated campaign on disk: the competition's layout, with the truth beside it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gale.plumbing.batches import (
    Chunk,
    Finished,
    Item,
    Part,
    Partial,
    chunks_of,
    identity,
    may_replace,
)
from gale.plumbing.files import write_content, write_csv, writing_folder
from gale.plumbing.frames import write_frames
from gale.plumbing.places import make_place, put
from gale.plumbing.progress import Progress
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

SHORT = 40
"""Longer texts are hashed where it counts only whether they are the same."""

METADATA = "metadata.csv"
"""The table by which a folder is known as a campaign of this layout."""

FILES = (
    "*_features/*.csv",
    "*_labels.csv",
    "submission_format.csv",
    METADATA,
    "runs.csv",
    "truth.parquet",
    "simulation.json",
)
"""Files of a campaign."""

RUNS_OF_A_CHUNK = 4
"""On average: each takes long."""

RUN_MARK = "S"
"""What the name of a run begins with, before its number."""


RUNS, TRUTHS = "runs", "truth"
"""Tables of a part: a row for each run, and one for each substance in it."""

RUN: dict[str, pl.DataType | type[pl.DataType]] = {
    "md5": pl.String,
    "scans": pl.Int64,
    "ions": pl.Int64,
}
"""Columns of the first one."""


class RunWriter:
    """Simulates runs and writes them into the folder of a campaign.

    Each process has one, which holds what all runs share.
    """

    def __init__(self, folder: Path, laboratory: Laboratory, thresholds: tuple[float, ...]) -> None:
        self.folder, self.laboratory, self.thresholds = folder, laboratory, thresholds

    def write(self, path: str, plan: Plan) -> tuple[tuple[str, int, int], list[Truth]]:
        """Simulate one run and write its file; return its row of `RUN`, and its truth."""
        recorded, truth = simulate_run(self.laboratory, plan, self.thresholds[plan.instrument])
        table = pl.DataFrame(
            {"time": recorded.time_min, "mass": recorded.mz, "intensity": recorded.intensity}
        )
        text = io.BytesIO()
        table.write_csv(text)
        write_content(self.folder / path, text.getbuffer())
        md5 = hashlib.md5(text.getbuffer(), usedforsecurity=False).hexdigest()
        n_scans = len(self.laboratory.instruments[plan.instrument].time_min)
        return (md5, n_scans, len(table)), truth


_WRITER: list[RunWriter] = []
"""The writer of a worker process."""


def _begin_worker(writer: RunWriter) -> None:
    _WRITER[:] = [writer]


@dataclass(frozen=True)
class SimulateTask:
    """Simulates the runs of a chunk.

    Parameters
    ----------
    plans : sequence, or mapping of int to Plan
        By the numbers of the runs.
    writer : RunWriter, optional
        By default that with which a worker process has begun.
    """

    plans: Sequence[Plan] | Mapping[int, Plan]
    writer: RunWriter | None

    def for_chunk(self, chunk: Chunk) -> SimulateTask:
        """Leave out the plans of other runs."""
        numbers = map(_number_of, chunk)
        return replace(self, plans={number: self.plans[number] for number in numbers})

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Simulate and write the runs of a chunk."""
        writer = self.writer or _WRITER[0]
        rows, truths, written = [], list[dict[str, object]](), []
        for item in chunk:
            row, truth = writer.write(item.target, self.plans[_number_of(item)])
            rows.append(row)
            truths += ({"run": item.name, **each} for each in truth)
            written.append(identity(str(writer.folder / item.target)))
            progress.step()
        tables = {
            RUNS: pl.DataFrame(rows, schema=RUN, orient="row"),
            TRUTHS: pl.DataFrame(truths, schema=TRUTH),
        }
        return Part({"written": written}, tables)


def run_names(design: Design) -> list[str]:
    """Name the runs as the competition does: S0000, S0001, ..."""
    width = max(len(str(len(design.plans) - 1)), 4)
    return [f"{RUN_MARK}{number:0{width}d}" for number in range(len(design.plans))]


def _number_of(item: Item) -> int:
    return int(item.name.removeprefix(RUN_MARK))


def writing_campaign(folder: Path, *, resume: bool) -> AbstractContextManager[Path]:
    """Make the folder of a campaign, see `gale.plumbing.files.writing_folder`."""
    replaces = FILES if may_replace(folder, resume=resume) else None
    return writing_folder(folder, replaces=replaces, last=METADATA)


def write_runs(folder: Path, partial: Partial, series: Series, work: Work) -> Finished:
    """Simulate and write all runs that are not finished, and put their files into a folder."""
    design, made = series.design, partial.made
    make_place(made)
    for split, place in product(dict.fromkeys(design.splits), (folder, made)):
        make_place(place / f"{split}_features")
    writer = RunWriter(made, series.laboratory, series.thresholds)
    names, paths = run_names(design), _paths(design)
    items = (Item(name, "", path) for name, path in zip(names, paths, strict=True))

    def are_there(chunk: Chunk, facts: Mapping[str, Any]) -> bool:
        found = [identity(str(made / item.target)) for item in chunk]
        return bool(found == facts["written"])

    work.progress.begin("simulating runs", len(names))
    with worker_pool(work.workers, _begin_worker, (writer,), work.executor) as pool:
        executor = pool or work.executor
        task = SimulateTask(design.plans, writer if pool is None else None)
        chunks = chunks_of(items, RUNS_OF_A_CHUNK)
        how = replace(work, executor=executor)
        finished = Finished.of(chunks, task, partial, how, are_there)
    put(paths, made, folder)
    return finished


def write_tables(folder: Path, series: Series, finished: Finished, labels: Booleans) -> None:
    """Write metadata, labels, submission format, truth, runs and instruments.

    Parameters
    ----------
    folder : Path
    series : Series
    finished : Finished
        What :func:`write_runs` gave.
    labels : array of bool, shape (R, K)
        As they are to be written, with their noise.
    """
    design, families = series.design, series.laboratory.compounds.family_names
    names, written = run_names(design), pl.concat(finished.tables(RUNS))
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
            "derivatized": [1 if each else None for each in design.derivatized.tolist()],
            "features_path": _paths(design),
            "features_md5_hash": written["md5"],
        },
        schema_overrides={"derivatized": pl.Int64},
    )
    write_csv(metadata, folder / METADATA)
    runs = pl.DataFrame(
        {
            "sample_id": names,
            "instrument": design.instrument,
            "position": design.position,
            **design.columns,
            "scans": written["scans"],
            "ions": written["ions"],
        }
    )
    write_csv(runs, folder / "runs.csv")
    write_frames(finished.tables(TRUTHS), folder / "truth.parquet")


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
    write_content(folder / "simulation.json", json.dumps(facts, indent=1) + "\n")


def made_with(
    setup: Setup, runs: Mapping[str, int], compounds: int | None, seed: int
) -> dict[str, str]:
    """Say what the runs of a campaign depend on."""
    known: dict[str, Any] = {
        "version of gale": version("gale-ms"),
        "design": setup.design,
        "library": setup.libraries,
        "seed": seed,
        "runs": runs,
        "ions": setup.ions,
        "compounds": compounds,
        "instruments": setup.instruments,
        "new-instrument": setup.new_instrument,
        "new-compounds": setup.new_compounds,
        "physics": setup.physics.to_dict(),
        "families": setup.table,
        "prevalence": setup.prevalence.tolist(),
    }
    texts = {name: json.dumps(each, default=str) for name, each in known.items()}
    return {
        name: text if len(text) < SHORT else hashlib.sha256(text.encode()).hexdigest()[:12]
        for name, text in texts.items()
    }


def _paths(design: Design) -> list[str]:
    return [
        f"{split}_features/{name}.csv"
        for split, name in zip(design.splits, run_names(design), strict=True)
    ]
