"""Predicting a run while it is being recorded."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from gale.errors import GaleError, GaleWarning, ReadError
from gale.model import Model
from gale.plumbing.arguments import check_kind
from gale.plumbing.kinds import checked
from gale.run import Floats, Run

EVERY_MIN = 0.25
"""Minutes between two predictions, unless another number is asked for."""


class Stream:
    """A run that is still being recorded: scans in, probabilities so far out.

    Every prediction is that of the scans so far, as if the run had ended with them; so the last one
    is the prediction of the whole run. What the first part of a run is worth is in
    ``docs/streams.md``.

    Parameters
    ----------
    model : Model
    every_min : float
        Minutes of the run between two predictions; one takes about as long as that of a whole run.
    source : str
        Name of the run in messages, and in the column ``run``.

    Raises
    ------
    GaleError
        If `every_min` is below 0.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> import gale
    >>> model, run = gale.Model.load(model_file), gale.read_run(run_file)
    >>> stream = gale.Stream(model, every_min=2)
    >>> for time_min, first, last in zip(run.time_min, run.scan_start, run.scan_start[1:]):
    ...     row = stream.add(time_min, run.mz[first:last], run.intensity[first:last])
    ...     if row is not None:
    ...         print(f"{row['time_min'][0]:.1f} min: {row['alcohol'][0]:.2f}")
    2.0 min: 0.06
    4.0 min: 0.09
    6.0 min: 0.09
    8.0 min: 0.11
    10.0 min: 0.11
    >>> stream.predict()["alcohol"].equals(model.predict(run)["alcohol"])
    True
    >>> stream.evidence().columns[:3]
    ['time_min', 'aromatic', 'hydrocarbon']
    """

    @checked
    def __init__(
        self, model: Model, *, every_min: float = EVERY_MIN, source: str = "stream"
    ) -> None:
        check_kind("model", model, Model)
        if not every_min >= 0:
            raise GaleError(
                "every_min", f"is {every_min:g}", "minutes, at least 0", "pass a number"
            )
        self.model = model
        self.source = source
        self._every_min = every_min
        self._time_min = list[float]()
        self._mz, self._intensity = list[Floats](), list[Floats]()
        self._due_min = every_min  # minutes since the first scan
        self._has_ions = False

    def __repr__(self) -> str:
        until = f" until {self._time_min[-1]:.2f} min" if self._time_min else ""
        return f"<Stream {self.source}: {self.n_scans:,} scans{until}>"

    @property
    def n_scans(self) -> int:
        """Number of scans so far."""
        return len(self._time_min)

    @property
    def run(self) -> Run:
        """The run so far.

        Raises
        ------
        ReadError
            If there are fewer than two scans yet, or no ions.
        """
        return Run.from_scans(
            self._time_min,
            [len(each) for each in self._mz],
            np.concatenate([np.empty(0), *self._mz]),
            np.concatenate([np.empty(0), *self._intensity]),
            source=self.source,
        )

    @checked
    def add(self, time_min: float, mz: ArrayLike, intensity: ArrayLike) -> pl.DataFrame | None:
        """Add a scan, and predict if it is time to.

        Parameters
        ----------
        time_min : float
            Time of the scan in minutes, not before that of the scan before.
        mz, intensity : arrays of shape (P,)
            Its ions, which may be none; as in :meth:`Run.from_scans`.

        Returns
        -------
        DataFrame or None
            What :meth:`predict` returns, at the first scan of each `every_min` minutes, counted
            from the first scan of the run. None in between, and as long as the run has no ions.

        Raises
        ------
        ReadError
            If the time or a value is not finite, the time goes back, or the lengths differ; the
            scan is then not part of the run.
        """
        mz_, intensity_ = (np.asarray(each, np.float64) for each in (mz, intensity))
        self._check(float(time_min), mz_, intensity_)
        self._time_min.append(float(time_min))
        self._mz.append(mz_)
        self._intensity.append(intensity_)
        since_start, every = float(time_min) - self._time_min[0], self._every_min
        self._has_ions |= bool(np.any(mz_ > 0))
        if since_start < self._due_min or self.n_scans < 2 or not self._has_ions:
            return None
        if every > 0:
            self._due_min = (since_start // every + 1) * every
        return self.predict()

    def _check(self, time_min: float, mz: Floats, intensity: Floats) -> None:
        """Refuse a scan that no run can have."""
        source = f"{self.source}: scan {self.n_scans + 1:,}"
        values = (np.array([time_min]), mz, intensity)
        if mz.ndim != 1 or mz.shape != intensity.shape:
            found = f"has m/z of shape {mz.shape} and intensities of shape {intensity.shape}"
            raise ReadError(source, found, "as many m/z as intensities", "pass arrays of one axis")
        if not all(np.isfinite(each).all() for each in values):
            raise ReadError(source, "has a value that is not finite", "numbers", "leave it out")
        if self._time_min and time_min < self._time_min[-1]:
            raise ReadError(
                source,
                f"is at {time_min:g} min, after one at {self._time_min[-1]:g} min",
                "scans in order of time",
                "add every scan when it is recorded",
            )

    def predict(self) -> pl.DataFrame:
        """Predict the run so far.

        Returns
        -------
        DataFrame
            One row: ``time_min``, the time of the last scan, then the columns of
            :meth:`gale.Model.predict`. The status is ``doubtful`` as long as the scans so far would
            be a doubtful run, and ``failed`` as long as the model sees none of the ions.

        Raises
        ------
        ReadError
            If there are fewer than two scans yet, or no ions.
        """
        with warnings.catch_warnings():  # of a batch of one run, which the row says, too
            warnings.simplefilter("ignore", GaleWarning)
            row = self.model.predict(self.run)
        return row.insert_column(0, pl.Series("time_min", [self._time_min[-1]]))

    def evidence(self) -> pl.DataFrame:
        """Score each family over the time so far, see :meth:`gale.Model.evidence`.

        Raises
        ------
        ModelError
            If the model has no elution network.
        ReadError
            If there are fewer than two scans yet, or none of the ions counts for the model.
        """
        return self.model.evidence(self.run)
