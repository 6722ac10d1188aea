"""The journal of a training: its finished fits, from which it can resume after an interruption."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from gale.errors import TrainingError, warn
from gale.plumbing.arrays import DAMAGED, load_arrays
from gale.plumbing.files import writing
from gale.plumbing.locks import LOCK
from gale.plumbing.outputs import make_folder
from gale.plumbing.reading import read_bytes
from gale.plumbing.remote import TEMPORARY
from gale.plumbing.text import counted
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
"""Columns of the history. ``part`` is empty unless the recipe is a stack. ``stage`` is ``member``,
or ``soup`` for a fit that trains on from an average; its ``member`` is the iteration."""

STAMP = "fingerprint"
"""The file that says which training a journal belongs to."""


class Step(NamedTuple):
    """One fit of a training.

    Parameters
    ----------
    fold : int
    stage : str
        ``member`` or ``soup``, see :data:`HISTORY_SCHEMA`.
    number : int
        The member or the iteration, from 0.
    part : str
        Name of the part of a stack, else empty.
    """

    fold: int
    stage: str
    number: int
    part: str = ""


@dataclass
class Journal:
    """The finished fits of one training, in a folder or in memory.

    Parameters
    ----------
    folder : Path or None
        Has one ``.npz`` per fit, and the fingerprint of the training. None stands for memory.
    fingerprint : str
        Hash of everything that the fits depend on.
    """

    folder: Path | None = None
    fingerprint: str = ""
    _fits: dict[Step, Fit] = field(default_factory=dict)
    _epochs: dict[Step, tuple[Epoch, ...]] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: str | Path | None,
        fingerprint: str,
        *,
        resume: bool = False,
        restart: bool = False,
    ) -> Journal:
        """Begin a journal, or resume the one in the folder.

        Parameters
        ----------
        folder : str, Path or None
            Made when the first fit is finished.
        fingerprint : str
            Hash of everything that the fits depend on.
        resume : bool
            Whether to use the finished fits in the folder.
        restart : bool
            Whether to delete them.

        Raises
        ------
        TrainingError
            If there are finished fits and both are false, or the fits belong to another training;
            and as :func:`check_journal`.
        """
        check_journal(folder, resume=resume, restart=restart)
        folder = None if folder is None else Path(folder)
        journal = cls(folder, fingerprint)
        if folder is None or (n_fits := count_fits(folder)) == 0:
            if resume:
                warn(f"{folder}: has no finished fits to continue from, so all are made")
            return journal
        if restart:
            discard(folder)
        elif not resume:
            fits = counted(n_fits, "finished fit")
            raise TrainingError(
                folder,
                f"holds {fits} of an interrupted training",
                remedy="pass resume=True to continue it, or pass restart=True to begin anew",
            )
        elif journal._stamp() != fingerprint.encode():
            raise TrainingError(
                folder,
                "belongs to a training with other runs, labels, splits, recipe or seed",
                remedy="use the same ones to continue it, or pass restart=True to begin anew",
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
        """Return the finished fit of a step, or None if it is missing or damaged."""
        fit = self._fits.get(step) if self.folder is None else _read(_path(self.folder, step))
        if fit is not None:
            self._epochs[step] = fit.epochs
        return fit

    def history(self) -> pl.DataFrame:
        """Return the epochs of all fits kept or found, one row each, as in `HISTORY_SCHEMA`.

        Rows are in the order of the steps, whichever was finished first.
        """
        rows = [(step.part, *step[:3], epoch.number, epoch.train_loss, epoch.validation)
                for step in sorted(self._epochs, key=lambda step: (step.part, step))
                for epoch in self._epochs[step]]  # fmt: skip
        return pl.DataFrame(rows, schema=HISTORY_SCHEMA, orient="row")

    def _stamp(self) -> bytes | None:
        assert self.folder is not None
        path = self.folder / STAMP
        return read_bytes(path) if path.is_file() else None

    def _write(self, folder: Path, step: Step, fit: Fit) -> None:
        epochs = np.array([astuple(epoch) for epoch in fit.epochs], dtype=float).reshape(-1, 3)
        arrays = {**fit.weights, "/score": np.array(fit.validation), "/epochs": epochs}
        if self._stamp() != self.fingerprint.encode():
            self._begin(folder)
        with writing(_path(folder, step), force=True) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def _begin(self, folder: Path) -> None:
        make_folder(folder)
        with writing(folder / STAMP, force=True) as temporary:
            temporary.write_bytes(self.fingerprint.encode())


def check_journal(folder: str | Path | None, *, resume: bool, restart: bool) -> None:
    """Refuse to resume or restart without a journal, and to do both.

    Raises
    ------
    TrainingError
    """
    if resume and restart:
        raise TrainingError(
            "resume", "is true, and so is restart", "one of them", "leave out the other"
        )
    for name, value in (("resume", resume), ("restart", restart)):
        if value and folder is None:
            raise TrainingError(
                name, "is true, but there is no journal", "journal=, a folder of finished fits"
            )


def _path(folder: Path, step: Step) -> Path:
    return folder / f"{step.part}fold{step.fold}_{step.stage}{step.number}.npz"


def _read(path: Path) -> Fit | None:
    if not path.is_file():
        return None
    try:
        weights = load_arrays(read_bytes(path))
        if weights is None:
            return None
        score = float(weights.pop("/score"))
        rows = weights.pop("/epochs")
        epochs = tuple(Epoch(int(n), float(t), float(v)) for n, t, v in rows)
    except DAMAGED:
        return None
    return Fit(weights, score, epochs)


def count_fits(folder: Path) -> int:
    """Count the finished fits in a folder; 0 if there is no such folder."""
    return len(list(folder.glob("*.npz")))


def discard(folder: Path) -> None:
    """Delete the fits in a folder, half-written ones too, and the folder if it is then empty."""
    unfinished = (*folder.glob(f".*.{TEMPORARY}"), *folder.glob(f".*.{LOCK}"))
    for path in (*folder.glob("*.npz"), folder / STAMP, *unfinished):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
