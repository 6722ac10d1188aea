"""What a training has finished so far: kept on disk, so that it can go on after an interruption."""

from __future__ import annotations

import zipfile
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from gale.errors import OutputError, TrainingError
from gale.plumbing.files import writing
from gale.training.fitting import Epoch, Fit

HISTORY_SCHEMA = {
    "part": pl.String,
    "fold": pl.Int64,
    "stage": pl.String,
    "member": pl.Int64,
    "epoch": pl.Int64,
    "train_loss": pl.Float64,
    "validation_log_loss": pl.Float64,
}
"""Columns of the history. ``part`` is that of a recipe of several, else empty. ``stage`` is
``member``, or ``soup`` for a training-on from an average; ``member`` then is the iteration."""

DAMAGED = (EOFError, KeyError, OSError, RuntimeError, ValueError, zipfile.BadZipFile)
"""What numpy and zipfile raise for a file that is cut short or otherwise broken."""


STAMP = "fingerprint"
"""The file that says which training a journal belongs to."""


class Step(NamedTuple):
    """One fit within a training: which fold, whether a member or a soup, its number, and of which
    part of the recipe, if there are several."""  # noqa: D205, D209

    fold: int
    stage: str
    number: int
    part: str = ""


@dataclass
class Journal:
    """Finished fits of one training; without a folder they are kept in memory.

    Parameters
    ----------
    folder : Path or None
        One ``.npz`` for each fit, and the fingerprint of the training they belong to.
    fingerprint : str
        Of everything that the fits depend on.
    """

    folder: Path | None = None
    fingerprint: str = ""
    _fits: dict[Step, Fit] = field(default_factory=dict)
    _epochs: dict[Step, tuple[Epoch, ...]] = field(default_factory=dict)

    @classmethod
    def open(
        cls, folder: Path | None, fingerprint: str, *, resume: bool = False, restart: bool = False
    ) -> Journal:
        """Begin a journal, or go on with the one in the folder.

        Parameters
        ----------
        folder : Path or None
            Made when the first fit is finished.
        fingerprint : str
            Of everything that the fits depend on.
        resume : bool
            Whether finished fits that are already there are used.
        restart : bool
            Whether they are deleted.

        Raises
        ------
        TrainingError
            If there are finished fits and neither is wanted, or if they belong to another
            training.
        """
        journal = cls(folder, fingerprint)
        if folder is None or (n_fits := count_fits(folder)) == 0:
            return journal
        if restart:
            discard(folder)
        elif not resume:
            raise TrainingError(
                f"{folder}: holds {n_fits} finished fits of an interrupted training; "
                "use --resume to go on with it, or --force to begin anew"
            )
        elif journal._stamp() != fingerprint.encode():
            raise TrainingError(
                f"{folder}: belongs to a training with other runs, labels, recipe or seed; "
                "use the same ones to go on with it, or --force to begin anew"
            )
        return journal

    def keep(self, step: Step, fit: Fit) -> None:
        """Keep a finished fit."""
        if self.folder is None:
            self._fits[step] = fit
        else:
            self._write(self.folder, step, fit)
        self._epochs[step] = fit.epochs

    def find(self, step: Step) -> Fit | None:
        """Return the finished fit of a step, or None if there is none that is whole."""
        fit = self._fits.get(step) if self.folder is None else _read(_path(self.folder, step))
        if fit is not None:
            self._epochs[step] = fit.epochs
        return fit

    def history(self) -> pl.DataFrame:
        """All epochs of all fits that were kept or found, with the columns of `HISTORY_SCHEMA`.

        One row each, in the order of the steps, whichever was finished first.
        """
        rows = [(step.part, *step[:3], epoch.number, epoch.train_loss, epoch.validation)
                for step in sorted(self._epochs, key=lambda step: (step.part, step))
                for epoch in self._epochs[step]]  # fmt: skip
        return pl.DataFrame(rows, schema=HISTORY_SCHEMA, orient="row")

    def _stamp(self) -> bytes | None:
        assert self.folder is not None
        path = self.folder / STAMP
        return path.read_bytes() if path.is_file() else None

    def _write(self, folder: Path, step: Step, fit: Fit) -> None:
        epochs = np.array([astuple(epoch) for epoch in fit.epochs], dtype=float).reshape(-1, 3)
        arrays = {**fit.weights, "/score": np.array(fit.validation), "/epochs": epochs}
        if self._stamp() != self.fingerprint.encode():
            self._begin(folder)
        with writing(_path(folder, step), force=True) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def _begin(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose another output"
            ) from error
        with writing(folder / STAMP, force=True) as temporary:
            temporary.write_bytes(self.fingerprint.encode())


def _path(folder: Path, step: Step) -> Path:
    return folder / f"{step.part}fold{step.fold}_{step.stage}{step.number}.npz"


def _read(path: Path) -> Fit | None:
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        score = float(weights.pop("/score"))
        rows = weights.pop("/epochs")
    except DAMAGED:
        return None
    epochs = tuple(Epoch(int(n), float(t), float(v)) for n, t, v in rows)
    return Fit(weights, score, epochs)


def count_fits(folder: Path) -> int:
    """Count the finished fits that a folder holds; 0 if there is no such folder."""
    return len(list(folder.glob("*.npz")))


def discard(folder: Path) -> None:
    """Delete the finished fits that a folder holds, and the folder if nothing else is in it."""
    for path in (*folder.glob("*.npz"), folder / STAMP):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
