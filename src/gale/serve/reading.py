"""What a worker process does: predict a run, make its page, list evidence and peaks, find runs."""

from __future__ import annotations

import datetime
import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gale.campaign.folder import recognise
from gale.errors import GaleError, GaleWarning
from gale.features.content import parse_with_content
from gale.model import Model, file
from gale.plumbing.files import writing
from gale.plumbing.frames import frame_bytes
from gale.plumbing.reading import read_bytes
from gale.plumbing.tables import FAILED, SPREAD, TRAINED_ON, UNLIKE
from gale.plumbing.text import escaped
from gale.readers import checksum_of, load, parse_run, runs_among
from gale.readers.instrument_folders import PackedFolder
from gale.run import Run
from gale.serve.pool import Answer, Handle, Task

if TYPE_CHECKING:
    import polars as pl

    from gale.matching import Matcher

FILE, FOLDER, BUNDLE, PATH = "file", "folder", "bundle", "path"
"""Kinds of what is read: a file; the packed folder of an instrument; several files; a path."""


def begin(paths: Mapping[str, str], columns: Mapping[str, str] | None) -> Handle:
    """Load the models in a worker process, and return what does its tasks.

    Parameters
    ----------
    paths : mapping of str to str
        The file of each model, by the name that people know it by.
    columns : mapping of str to str, optional
        As :func:`gale.read_run` takes them.
    """
    warnings.simplefilter("ignore", GaleWarning)  # each run says in its own row what is odd
    file.use_threads(1)
    models = {name: Model(read_bytes(path), name) for name, path in paths.items()}
    return Reader(models, columns)


class Reader:
    """Does the tasks of a worker.

    Parameters
    ----------
    models : mapping of str to Model
    columns : mapping of str to str, optional
    """

    def __init__(self, models: Mapping[str, Model], columns: Mapping[str, str] | None) -> None:
        self._models, self._columns = models, columns
        self._matcher: Matcher | None = None

    def __call__(self, task: Task) -> Answer:
        """Do a task; what a user can do something about is the answer ``error``."""
        try:
            match task["do"]:
                case "predict":
                    return self._predict(task)
                case "page":
                    return self._page(task)
                case "evidence":
                    return self._evidence(task)
                case "peaks":
                    return self._peaks(task)
                case "recognise":
                    return self._recognise(task)
                case _:
                    return self._unbundle(task)
        except GaleError as error:
            return {"error": str(error)}
        except OSError as error:
            found = f"cannot be read ({error.strerror or error})"
            return {"error": str(GaleError(task["name"], found, "a file", "send it again"))}

    def _read(self, task: Task, columns: Mapping[str, str] | None) -> Run:
        return parse_run(_content(task), task["name"], columns=columns)

    def _predict(self, task: Task) -> Answer:
        """Predict a run with every model; a run that cannot be read fails with each of them."""
        data = _content(task)
        checksum = checksum_of(data)
        read: dict[str, tuple[Run | str, str]] = {}
        predictions = []
        for model in self._models.values():
            columns = self._columns or model.remembered_columns
            key = repr(columns)
            if key not in read:
                try:
                    read[key] = parse_with_content(data, task["name"], columns, checksum)
                except GaleError as error:
                    read[key] = str(error), ""
            predictions.append(_prediction(model, *read[key], checksum))
        return {"sha256": checksum, "predictions": predictions}

    def _page(self, task: Task) -> Answer:
        from gale.report import run_report  # it draws: a second that most workers never need

        model = self._models[task["model"]]
        run = self._read(task, self._columns or model.remembered_columns)
        row = task["prediction"]
        numbers = {name: pair[0] for name, pair in row["families"].items()}
        spreads = {f"{name}{SPREAD}": pair[1] for name, pair in row["families"].items()}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        page = run_report(
            model,
            run,
            matcher=self._library(model),
            prediction={UNLIKE: row["unlike"], "status": row["status"], **numbers, **spreads},
            provenance={
                "SHA-256 of what is read": task["sha256"],
                "model file": f"{model.source}, SHA-256 {model.sha256}",
                "made by": f"gale {version('gale-ms')} on {now}",
            },
        )
        with writing(Path(task["page"]), force=True) as temporary:
            temporary.write_text(page, "utf-8")
        return {}

    def _evidence(self, task: Task) -> Answer:
        from gale.evidence import explain

        model = self._models[task["model"]]
        run = self._read(task, self._columns or model.remembered_columns)
        return _rows(explain(model, run, matcher=self._library(model)), task)

    def _peaks(self, task: Task) -> Answer:
        from gale.peaks import find_peaks

        columns = self._columns or self._models[task["model"]].remembered_columns
        return _rows(find_peaks(self._read(task, columns), matcher=self._spectra()).table, task)

    def _recognise(self, task: Task) -> Answer:
        """Say whether a file in a watched folder may be a run."""
        (model,) = self._models.values()
        path = Path(task["path"])
        return {"kind": recognise(path, self._columns or model.remembered_columns)}

    def _library(self, model: Model) -> Matcher | None:
        return self._spectra() if model.has_elution_network else None

    def _spectra(self) -> Matcher:
        """What spectra are compared with; it is read once."""
        from gale.matching import Matcher

        self._matcher = self._matcher or Matcher.default()
        return self._matcher

    def _unbundle(self, task: Task) -> Answer:
        """Write each run of a bundle into a file of its own, named by the server."""
        parts = [(name, Path(path)) for name, path in task["files"]]
        # what is in a dropped folder is called by its path, as the folder's files are
        source = "" if any("/" in name for name, _ in parts) else task["name"]
        runs, left_out = runs_among(parts, source, columns=self._columns)
        found: list[Answer] = []
        for number, content in enumerate(runs):
            path = Path(f"{task['into']}.{number}")
            try:
                data = content.read()
            except GaleError as error:
                found.append({"name": escaped(content.source), "error": str(error)})
                continue
            path.write_bytes(data)
            kind = FOLDER if isinstance(data, PackedFolder) else FILE
            found.append(
                {
                    "name": escaped(content.source),
                    "kind": kind,
                    "path": path.name,
                    "size": len(data),
                }
            )
        return {"runs": found, "left_out": [escaped(each) for each in left_out]}


def _content(task: Task) -> bytes:
    if task["kind"] == PATH:
        return load(task["path"])
    data = read_bytes(task["path"], most=None)
    return PackedFolder(data) if task["kind"] == FOLDER else data


def _prediction(model: Model, run: Run | str, *checksums: str) -> dict[str, Any]:
    """The row of one model for a run, or for what is wrong with it."""
    named = {"model": model.source, "model_sha256": model.sha256}
    if isinstance(run, str):
        empty = dict.fromkeys(model.families, (None, None))
        return {**named, "status": FAILED, "message": run, UNLIKE: None, "families": empty}
    row = model.predict(run).row(0, named=True)
    said: Sequence[str] = [TRAINED_ON] if model.is_trained_on(*checksums) else []
    message = "; ".join([*said, *filter(None, [row["message"]])])
    families = {name: (_number(row[name]), _number(row[name + SPREAD])) for name in model.families}
    return {
        **named,
        "status": row["status"],
        "message": message or None,
        UNLIKE: _number(row[UNLIKE]),
        "families": families,
    }


def _rows(table: pl.DataFrame, task: Task) -> Answer:
    """Give a table of a run as rows, or as the text of a CSV file."""
    from gale.peaks.table import rounded, texts_of

    if task["form"] == "csv":
        content = frame_bytes(rounded(table), ".csv", texts_of(table.columns))
        return {"csv": content.decode()}
    return {"columns": table.columns, "rows": table.to_dicts()}


def _number(value: float | None) -> float | None:
    """The shortest number that reads back as what the model computed, which is Float32."""
    if value is None or not math.isfinite(value):
        return None
    return float(str(np.float32(value)))
