"""The unit of the times of a run: which is plausible, where a file names none or a wrong one.

One rule for every format. A unit that the file names is believed, and :func:`note_unusual` says
where it gives an unusual run. Where none is named, the format's default holds if it gives a
plausible run; otherwise another unit that does is taken (or, in tables, asked for). Either way, a
note says so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gale.run import Floats, Run

PER_MIN = {"minutes": 1.0, "seconds": 60.0, "milliseconds": 60_000.0}
"""The units of time in a minute."""

SHORTEST_MIN, LONGEST_MIN = 1.0, 300.0
"""A GC-MS run of another length (minutes) probably has its times in another unit."""

SHORTEST_STEP_S, LONGEST_STEP_S = 0.02, 5.0
"""So has one with another time from scan to scan (seconds)."""

MIN_SCANS = 50
"""With fewer scans, the time from scan to scan decides nothing."""


class Pace(NamedTuple):
    """How long a run lasts, and how fast it was scanned.

    Parameters
    ----------
    length_min : float
        From the first to the last scan, in minutes.
    step_s : float or None
        Median time from scan to scan in seconds, where it is not 0; None for fewer than
        :data:`MIN_SCANS` times.
    """

    length_min: float
    step_s: float | None

    @classmethod
    def of(cls, time_min: Floats) -> Pace:
        """Measure times in minutes, in any order and finite."""
        distinct = without_repeats(time_min)
        if not np.all(distinct[:-1] < distinct[1:]):
            distinct = np.unique(distinct)
        steps = np.diff(distinct)
        step_s = float(np.median(steps)) * 60 if len(distinct) >= MIN_SCANS else None
        return cls(float(distinct[-1] - distinct[0]), step_s)

    @property
    def usual_length(self) -> bool:
        """Whether a GC-MS run may be as long."""
        return SHORTEST_MIN <= self.length_min <= LONGEST_MIN

    @property
    def usual_step(self) -> bool:
        """Whether a GC-MS run may be scanned so fast; if the step is unknown, it may."""
        return self.step_s is None or SHORTEST_STEP_S <= self.step_s <= LONGEST_STEP_S

    @property
    def is_plausible(self) -> bool:
        """Whether a GC-MS run may have this length and this step."""
        return self.usual_length and self.usual_step

    def __str__(self) -> str:
        step = "" if self.step_s is None else f" with {self.step_s:.3g} s from scan to scan"
        length = f"{self.length_min:,.0f}" if self.length_min > 100 else f"{self.length_min:.3g}"
        return f"{length} min{step}"


class Unit(NamedTuple):
    """The unit in which times are read that name none.

    Parameters
    ----------
    name : str
        A key of :data:`PER_MIN`.
    notes : tuple of str
        Why, if it is not the default, or if another is as plausible.
    """

    name: str
    notes: tuple[str, ...] = ()


def without_repeats(times: Floats) -> Floats:
    """Leave out each time that is equal to the one before it.

    Examples
    --------
    >>> import numpy as np
    >>> without_repeats(np.array([1.0, 1.0, 2.0, 1.0])).tolist()
    [1.0, 2.0, 1.0]
    """
    changed: Floats = times[np.append(True, times[1:] != times[:-1])[: len(times)]]
    return changed


def plausible_unit(times: Floats, default: str) -> Unit:
    """Choose the unit of times that name none.

    Parameters
    ----------
    times : array of shape (S,)
        Times of the scans, or of the rows, as the file has them.
    default : str
        The unit that the format prescribes, or else its usual one.

    Returns
    -------
    Unit
        The default, unless it gives no plausible run and another unit does. With fewer than
        :data:`MIN_SCANS` different times, always the default.

    Examples
    --------
    >>> import numpy as np
    >>> plausible_unit(np.arange(180, 540, 1.5), "seconds")
    Unit(name='seconds', notes=())
    >>> plausible_unit(np.arange(3, 9, 0.025), "seconds").name
    'minutes'
    """
    times = without_repeats(times)
    if not np.isfinite(times).all() or len(times) < MIN_SCANS:
        return Unit(default)
    paces = {unit: Pace.of(times / per_min) for unit, per_min in PER_MIN.items()}
    here = paces[default]
    other = next((u for u, pace in paces.items() if u != default and pace.is_plausible), None)
    if here.step_s is None or other is None:
        return Unit(default)
    said = "no unit of time is given; the times were read as"
    if here.is_plausible:
        note = f"{said} {default}, {here}, but {other} are as plausible, {paces[other]}"
        return Unit(default, (note,))
    note = f"{said} {other}, {paces[other]}, since {default} would give {here}"
    return Unit(other, (note,))


def note_unusual(run: Run) -> Run:
    """Add a note to a run that no GC-MS run is as long as, or is scanned as fast or slowly as."""
    pace = Pace.of(run.time_min)
    said = []
    if not pace.usual_length:
        said.append(f"the run lasts {pace.length_min:.3g} min")
    if not pace.usual_step:
        said.append(f"the scans are {pace.step_s:.3g} s apart")
    if not said:
        return run
    return run.with_notes(
        f"{' and '.join(said)}, which is unusual; its times may be in another unit"
    )
