"""The files of a training: the model, and what lies beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gale.errors import ModelError, TableError
from gale.model import Model
from gale.plumbing.files import exists, writing
from gale.plumbing.progress import Progress
from gale.plumbing.reading import read_bytes, sha256_of
from gale.plumbing.tables import HEADER
from gale.plumbing.text import display_name, listed
from gale.report.charts import HISTORY, NUMBERS
from gale.report.shares import TRUTH
from gale.simulation.writing import TRUTH as WRITTEN

TRAIN_AGAIN = "train the model again"


@dataclass(frozen=True)
class TrainingFiles:
    """The model file of a training, and the files beside it.

    Parameters
    ----------
    model : Path
    history : Path
        Losses of every epoch, as :func:`gale.train` writes them.
    out_of_fold : Path
        Predictions of the labelled runs, each by members that did not train on it.
    report : Path
        The page of the training.

    Examples
    --------
    >>> TrainingFiles.of("models/mine.onnx").history.name
    'mine.history.csv'
    """

    model: Path
    history: Path
    out_of_fold: Path
    report: Path

    @classmethod
    def of(cls, model: str | Path) -> TrainingFiles:
        """Name the files beside a model as `gale train` does."""
        model = Path(model)
        if not model.name:
            raise ModelError(model, "is a folder", "a model file (.onnx)", "give the file")
        stem = model.name.removesuffix(".onnx")
        return cls(
            model,
            *(
                model.with_name(f"{stem}.{ending}")
                for ending in ("history.csv", "out_of_fold.csv", "report.html")
            ),
        )

    @contextmanager
    def writing_tables(self) -> Iterator[dict[str, Path]]:
        """Yield temporary files for the tables of a training, as arguments of :func:`gale.train`.

        They take their names on success, so save the model before: a training that ends early
        leaves no table beside another's model.

        Raises
        ------
        OutputError
            If a table cannot be written.
        """
        with (
            writing(self.history, force=True) as history,
            writing(self.out_of_fold, force=True) as out_of_fold,
        ):
            yield {"history": history, "out_of_fold": out_of_fold}

    @property
    def beside(self) -> tuple[Path, Path, Path]:
        """The files beside the model."""
        return self.history, self.out_of_fold, self.report

    def read_out_of_fold(self, model: Model) -> pl.DataFrame:
        """Read the held-out predictions of the training of `model`.

        Raises
        ------
        TableError
            If the file is missing, was written by another training, or has other columns.
        """
        if not exists(self.out_of_fold):
            raise TableError(
                self.out_of_fold,
                "does not exist",
                "the held-out predictions that a training writes beside its model",
                TRAIN_AGAIN,
            )
        self._check_same(self.out_of_fold, "out_of_fold", model)
        table = read_predicted(self.out_of_fold)
        columns = [*HEADER, *model.families]
        if table.columns != columns:
            raise TableError(
                self.out_of_fold,
                f"found the columns {listed(table.columns)}",
                listed(columns),
                TRAIN_AGAIN,
            )
        if not all(table[name].is_between(0, 1).all() for name in model.families):
            raise TableError(
                self.out_of_fold, "has values that are no probabilities", "0 to 1", TRAIN_AGAIN
            )
        return table

    def _check_same(self, file: Path, fact: str, model: Model) -> None:
        """Refuse a file that is not the one that the training of `model` wrote.

        Models of older versions of gale do not say which one that is.
        """
        written = model.facts.get("files", {}).get(fact)
        if written is not None and sha256_of(file) != written:
            raise TableError(
                file,
                f"is not the file that the training of {model.source} wrote",
                "the one that it wrote, unchanged",
                f"put it back, or {TRAIN_AGAIN}; after an interruption, resume the training",
            )

    def read_history(self, model: Model, progress: Progress) -> pl.DataFrame | None:
        """Read the losses of every epoch, if the file exists and has any.

        A regression has none. If the model is of an older gale and the file is something else, note
        it.

        Raises
        ------
        TableError
            If the file was written by another training.
        """
        if not exists(self.history):
            return None
        self._check_same(self.history, "history", model)
        try:
            table = pl.read_csv(read_bytes(self.history), infer_schema_length=None)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            table = pl.DataFrame()
        if table.is_empty() and set(HISTORY) <= set(table.columns):
            return None
        numbers = table.select(pl.selectors.numeric()).columns
        whole = [name for name in numbers if not table[name].null_count()]
        if set(HISTORY) <= set(table.columns) and set(NUMBERS) <= set(whole):
            return table
        progress.note(
            f"{display_name(self.history)}: is not the history of a training; the report has no "
            "learning curves"
        )
        return None


def read_truth(campaign: Path, progress: Progress) -> pl.DataFrame | None:
    """Read the truth of a simulated campaign, if there is one; if it is something else, note it."""
    file = campaign / "truth.parquet"
    if not exists(file):
        return None
    try:
        table = pl.read_parquet(io.BytesIO(read_bytes(file)))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        table = pl.DataFrame()
    if all(table.schema.get(name) == WRITTEN[name] for name in TRUTH):
        return table
    progress.note(
        f"{display_name(file)}: is not the truth of a simulated campaign; the report does not show "
        "what is found by abundance"
    )
    return None


def read_predicted(file: Path) -> pl.DataFrame:
    """Read predictions that a training wrote; names and messages are texts, all else numbers.

    Raises
    ------
    TableError
        If it cannot be read.
    """
    try:
        data = read_bytes(file)
        # polars leaves quotes in the names of columns doubled
        names = next(csv.reader(io.StringIO(data.decode(), newline="")), [])
        types = [pl.String if name in HEADER else pl.Float64 for name in names]
        return pl.read_csv(data, schema_overrides=types, new_columns=names)
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
        csv.Error,
    ) as error:
        why = str(error).partition("\n")[0][:120]
        raise TableError(
            file,
            f"cannot be read ({why})",
            "the predictions that a training writes beside its model",
            TRAIN_AGAIN,
        ) from error
