"""What a training has finished so far: kept on disk, so that it can go on after an interruption."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from gale.errors import OutputError, TrainingError
from gale.fitting import Epoch, Fit
from gale.output import writing

HISTORY_SCHEMA = {
    "fold": pl.Int64,
    "stage": pl.String,
    "member": pl.Int64,
    "epoch": pl.Int64,
    "train_loss": pl.Float64,
    "validation_log_loss": pl.Float64,
}
"""Columns of the history. ``stage`` is ``member``, or ``soup`` for a training-on from an average;
``member`` then is the iteration."""

DAMAGED = (EOFError, KeyError, OSError, RuntimeError, ValueError, zipfile.BadZipFile)
"""What numpy and zipfile raise for a file that is cut short or otherwise broken."""


class Step(NamedTuple):
    """One fit within a training: which fold, whether a member or a soup, and its number."""

    fold: int
    stage: str
    number: int


@dataclass
class Journal:
    """Finished fits of one training; without a folder they are remembered and not kept.

    Parameters
    ----------
    folder : Path or None
        One ``.npz`` for each fit, and the fingerprint of the training they belong to.
    """

    folder: Path | None = None
    _epochs: dict[Step, tuple[Epoch, ...]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path | None, fingerprint: str, *, resume: bool) -> Journal:
        """Begin a journal, or go on with the one in the folder.

        Parameters
        ----------
        folder : Path or None
        fingerprint : str
            Of everything that the fits depend on.
        resume : bool
            Whether a journal that is already there may be used.

        Raises
        ------
        TrainingError
            If there is a journal and `resume` is false, or if it belongs to another training.
        OutputError
            If the folder cannot be made.
        """
        if folder is None:
            return cls()
        stamp = folder / "fingerprint"
        if folder.exists():
            n_fits = len(list(folder.glob("*.npz")))
            if not resume:
                raise TrainingError(
                    f"{folder}: holds {n_fits} finished fits of an interrupted training; "
                    "use --resume to go on with it, or --force to begin anew"
                )
            if not stamp.is_file() or stamp.read_bytes() != fingerprint.encode():
                raise TrainingError(
                    f"{folder}: belongs to a training with other runs, labels, recipe or seed; "
                    "use the same ones to go on with it, or --force to begin anew"
                )
            return cls(folder)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose another output"
            ) from error
        with writing(stamp) as temporary:
            temporary.write_bytes(fingerprint.encode())
        return cls(folder)

    def fit(self, step: Step, compute: Callable[[], Fit]) -> Fit:
        """Return the finished fit of a step, computing and keeping it if it is not there."""
        fit = self._read(step)
        if fit is None:
            fit = compute()
            self._write(step, fit)
        self._epochs[step] = fit.epochs
        return fit

    def history(self) -> pl.DataFrame:
        """All epochs of all finished fits, one row each, with the columns of `HISTORY_SCHEMA`."""
        rows = [
            (*step, *astuple(epoch)) for step, epochs in self._epochs.items() for epoch in epochs
        ]
        return pl.DataFrame(rows, schema=HISTORY_SCHEMA, orient="row")

    def _path(self, step: Step) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / f"fold{step.fold}_{step.stage}{step.number}.npz"

    def _read(self, step: Step) -> Fit | None:
        path = self._path(step)
        if path is None or not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                weights = {name: arrays[name] for name in arrays.files}
            score = float(weights.pop("/score"))
            rows = weights.pop("/epochs")
        except DAMAGED:
            return None  # computed again
        epochs = tuple(Epoch(int(n), float(t), float(v)) for n, t, v in rows)
        return Fit(weights, score, epochs)

    def _write(self, step: Step, fit: Fit) -> None:
        path = self._path(step)
        if path is None:
            return
        epochs = np.array([astuple(epoch) for epoch in fit.epochs], dtype=float).reshape(-1, 3)
        with writing(path, force=True) as temporary, temporary.open("wb") as file:
            arrays = {**fit.weights, "/score": np.array(fit.score), "/epochs": epochs}
            np.savez(file, **arrays)  # type: ignore[arg-type]
