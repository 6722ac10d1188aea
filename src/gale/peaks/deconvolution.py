"""Deconvolution: the course and the spectrum of each compound, also where several elute together.

The course of a compound, its model peak, is the sum of the ions whose maxima are sharpest at its
apex (Stein 1999, J. Am. Soc. Mass Spectrom. 10, 770). Every trace near it is a sum of the model
peaks there and of a straight background; their least-squares heights, which cannot be negative,
are the spectra.

Symbols: S scans, C channels, K compounds, W scans of a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gale.peaks.detection import Apexes, Maxima
from gale.peaks.traces import Booleans, Response, Traces
from gale.run import Floats, Integers

SHARP = 0.75
"""Smallest sharpness of an ion of a model peak, relative to the sharpest one."""

SURE_RATIO = 8.0
"""Ratio to noise from which on the sharpness of an ion is known."""

REACH = 8.0
"""Longest course on either side of an apex, in widths."""

MARGIN = 1.0
"""Scans beyond the course on either side that show the background, in widths."""

FOOT = 0.02
"""Height of a course, relative to its apex, at which it starts and ends."""

TRUSTED_RATIO = 12.0
"""Ratio to noise of a model peak at which its own course counts as much as the usual one."""

LEAST_ERRORS = 3.0
"""Smallest height of an ion of a spectrum in its standard errors; a lower one may be noise."""

FEWEST_ROWS = 4
"""A spectrum is made of scans without clipped ions if there are as many in its course."""

ROUNDS = 8
"""Rounds of the non-negative least squares."""


@dataclass(frozen=True, eq=False)
class Course:
    """The model peak of a compound: its height over time, 1 at the apex.

    Parameters
    ----------
    first : int
        Scan of the first value.
    height : array of shape (W,)
    """

    first: int
    height: Floats

    @property
    def last(self) -> int:
        """Scan of the last value."""
        return self.first + len(self.height) - 1

    @property
    def apex(self) -> int:
        """Scan of the highest value."""
        return self.first + int(self.height.argmax())

    def within(self, first: int, last: int) -> Floats:
        """Heights from scan `first` to `last`, 0 outside the course."""
        out = np.zeros(last - first + 1)
        low, high = max(first, self.first), min(last, self.last)
        if low <= high:
            out[low - first : high - first + 1] = self.height[
                low - self.first : high - self.first + 1
            ]
        return out


def find_courses(traces: Traces, maxima: Maxima, apexes: Apexes, found: Response) -> list[Course]:
    """Find the model peak of each of K compounds."""
    order = np.argsort(apexes.member, kind="stable")
    borders = np.searchsorted(apexes.member[order], np.arange(len(apexes.at) + 1))
    return [
        _course(traces, maxima, found, order[low:high], float(at))
        for low, high, at in zip(borders[:-1], borders[1:], apexes.at, strict=True)
    ]


def _course(
    traces: Traces, maxima: Maxima, found: Response, members: Integers, at: float
) -> Course:
    reach = int(np.ceil(REACH * traces.width))
    apex = int(np.clip(np.rint(at), 0, len(traces.signal) - 1))
    first, last = max(apex - reach, 0), min(apex + reach, len(traces.signal) - 1)
    scan, channel = maxima.scan[members], maxima.channel[members]
    ratio = maxima.ratio[members]
    height = found.height[scan, channel]
    near = int(np.ceil(1.5 * traces.width))
    low = traces.signal[max(apex - near, 0) : apex + near + 1][:, channel].min(axis=0)
    sharpness = height / np.maximum(traces.signal[scan, channel] - low, height)
    sure = ratio >= min(SURE_RATIO, ratio.max())
    good = sure & (sharpness >= SHARP * sharpness[sure].max())
    unclipped = good & ~traces.clipped[first : last + 1][:, channel].any(axis=0)
    good = unclipped if unclipped.any() else good
    channel, scan = channel[good], scan[good]
    # each trace counts by its height over the variance of its cells
    weight = height[good] / traces.variance(found.level[scan, channel])
    window = traces.signal[first : last + 1][:, channel]
    strength = float(np.sqrt((height[good] * weight).sum()))
    own = _falling(window @ (weight / weight.sum()), apex - first, traces.width)
    usual = np.exp(-0.5 * ((np.arange(first, last + 1) - at) / traces.sigma) ** 2)
    trust = strength**2 / (strength**2 + TRUSTED_RATIO**2)
    course = trust * own + (1 - trust) * usual / usual.max()
    return _trimmed(course / course.max(), first)


def _falling(trace: Floats, apex: int, width: float) -> Floats:
    """The part of a trace that falls from its apex on either side, above its background; (W,).

    Where it rises again, another compound begins: from there on it falls by half per half width.
    """
    near = slice(max(apex - 1, 0), apex + 2)
    apex = int(np.argmax(trace[near])) + near.start
    left, right = _feet(trace[apex::-1], width), _feet(trace[apex:], width)
    first, last = apex - left, apex + right
    low, high = trace[first], trace[last]
    if first == 0:  # the run begins there, maybe within the peak
        low = min(low, high)
    if last == len(trace) - 1:
        high = min(low, high)
    base = np.interp(np.arange(len(trace)), [first, last], [low, high])
    above = np.maximum(trace - np.minimum(base, trace[apex]), 0)
    out = np.zeros(len(trace))
    out[apex] = above[apex]
    out[apex : apex + right + 1] = np.minimum.accumulate(above[apex : apex + right + 1])
    out[apex - left : apex + 1] = np.minimum.accumulate(above[apex - left : apex + 1][::-1])[::-1]
    return np.asarray(out / max(out[apex], 1e-30))


def _feet(trace: Floats, width: float) -> int:
    """Steps from the apex (first) to the foot: the lowest point before it rises clearly again."""
    least = np.minimum.accumulate(trace)
    drop = trace[0] - least
    risen = (trace - least) > np.maximum(0.1 * drop, 0.02 * trace[0])
    risen[: max(int(width / 2), 1)] = False
    end = int(np.argmax(risen)) if risen.any() else len(trace)
    lowest = int(np.argmin(trace[:end]))
    # a flat background ends the course where its level is nearly reached
    level = trace[lowest] + 0.02 * (trace[0] - trace[lowest])
    return int(np.argmax(trace[: lowest + 1] <= level))


def _trimmed(course: Floats, first: int) -> Course:
    above = np.flatnonzero(course >= FOOT)
    return Course(first + int(above[0]), course[above[0] : above[-1] + 1])


@dataclass(frozen=True, eq=False)
class _Window:
    """The scans of a course and around it, and the courses that reach into them.

    Parameters
    ----------
    first : int
        Scan of its first row.
    profiles : array of shape (W, k)
        Heights of the courses.
    mine : int
        The column of the course that the window is about.
    signal : array of shape (W, C)
    rows : array of shape (W,), bool
        Scans that can be used: without clipped ions, if there are enough.
    """

    first: int
    profiles: Floats
    mine: int
    signal: Floats
    rows: Booleans

    def fit(self) -> tuple[Floats, Floats]:
        """Heights (k, C) of the courses, and their variance (k,) in cells of variance 1."""
        return _heights(self.profiles[self.rows], self.signal[self.rows])


def _windows(traces: Traces, courses: list[Course]) -> Iterator[_Window]:
    margin = int(np.ceil(MARGIN * traces.width))
    firsts = np.array([each.first for each in courses])
    lasts = np.array([each.last for each in courses])
    any_clipped = np.asarray(traces.clipped.any(axis=1))
    for number, course in enumerate(courses):
        first = max(course.first - margin, 0)
        last = min(course.last + margin, len(traces.signal) - 1)
        beside = np.flatnonzero((firsts <= last) & (lasts >= first))
        profiles = np.stack([courses[each].within(first, last) for each in beside], axis=1)
        mine = int(np.searchsorted(beside, number))
        rows: Booleans = ~any_clipped[first : last + 1]
        if np.sum(rows & (profiles[:, mine] > 0.1)) < FEWEST_ROWS:
            rows = np.ones_like(rows)
        signal = traces.signal[first : last + 1].astype(np.float64)
        yield _Window(first, profiles, mine, signal, rows)


def find_spectra(traces: Traces, courses: list[Course]) -> Floats:
    """Find the spectrum of each compound, (K, C): heights at its apex."""
    spectra = np.zeros((len(courses), len(traces.mz)))
    for number, window in enumerate(_windows(traces, courses)):
        heights, errors = window.fit()
        mine = heights[window.mine]
        deviation = np.sqrt(traces.variance(window.signal.mean(axis=0)) * errors[window.mine])
        spectra[number] = np.where(mine >= LEAST_ERRORS * deviation, mine, 0)
    return spectra


def _heights(profiles: Floats, window: Floats) -> tuple[Floats, Floats]:
    """Non-negative heights (k, C) of profiles (W, k) in traces (W, C) on a straight background.

    Also returns the variance of the heights (k,) in cells of variance 1.
    """
    ramp = np.linspace(-1, 1, len(window))
    straight, _ = np.linalg.qr(np.stack([np.ones_like(ramp), ramp], axis=1))
    profiles = profiles - straight @ (straight.T @ profiles)
    gram = profiles.T @ profiles
    diagonal = np.diag_indices_from(gram)
    gram[diagonal] += 1e-6 * gram[diagonal].max() + 1e-12
    target = profiles.T @ window
    inverse = np.linalg.inv(gram)
    free = inverse @ target
    heights = np.maximum(free, 0)
    wrong = np.flatnonzero((free < 0).any(axis=0))
    bounded, target = heights[:, wrong], target[:, wrong]
    for _ in range(ROUNDS if len(wrong) else 0):
        for each in range(len(gram)):
            rest = target[each] - gram[each] @ bounded
            bounded[each] = np.maximum(bounded[each] + rest / gram[each, each], 0)
    heights[:, wrong] = bounded
    return heights, np.diag(inverse)
