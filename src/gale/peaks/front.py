"""The front of a solvent that the start of a run cuts: one peak, whose background is not known."""

from __future__ import annotations

import numpy as np

from gale.peaks.deconvolution import LEAST_ERRORS, Course
from gale.peaks.traces import Traces
from gale.run import Floats, Run

FRONT = 0.2
"""A run that starts at this share of its highest total ion current or more starts with a solvent
front, which lasts until the current falls below."""

CUT = 0.1
"""Height of a peak at the first or last scan, relative to its apex, that shows it is cut there."""


def front_of(run: Run) -> int:
    """Number of scans of a solvent front that is cut by the start of the run; 0 without one."""
    total = run.total_ion_current
    low = total < FRONT * total.max()
    return int(low.argmax()) if low.any() else 0


def is_cut(course: Course) -> bool:
    """Whether the start of the run cuts a course."""
    return course.first == 0 and float(course.height[0]) >= CUT


def join_front(
    traces: Traces, front: int, courses: list[Course], spectra: Floats
) -> tuple[list[Course], Floats]:
    """Make one peak of the courses that the start of a run cuts within a solvent front.

    Nothing shows what lies under it, so its spectrum is the highest scan less the one after it, and
    not that of courses above a line: a detector at its limit, and what else elutes in the tail,
    would be most of these.

    Parameters
    ----------
    traces : Traces
    front : int
        Number of its scans.
    courses : list of Course
        K of them, in order of time.
    spectra : array of shape (K, C)
    """
    of_front = [each for each, course in enumerate(courses) if course.apex < front]
    cut = [each for each in of_front if is_cut(courses[each])]
    if not cut:
        return courses, spectra
    last = max(front, *(courses[each].last for each in cut))
    total = traces.signal.sum(axis=1, dtype=np.float64)
    above = np.maximum(total[: last + 1] - total[last], 0)
    apex = int(above[:front].argmax())
    if not above[apex]:  # what follows is as high
        return courses, spectra
    highest = traces.signal[apex].astype(np.float64)
    spectrum = np.maximum(highest - traces.signal[last], 0)
    spectrum[spectrum < LEAST_ERRORS * np.sqrt(traces.variance(highest))] = 0
    joined = [
        each for each in of_front if abs(courses[each].apex - apex) <= traces.width or each in cut
    ]
    kept = [each for each in range(len(courses)) if each not in joined]
    course = Course(0, above / above[apex])
    return [course, *(courses[each] for each in kept)], np.stack([spectrum, *spectra[kept]])
