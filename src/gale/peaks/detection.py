"""Detection: the scans at which the ions of one compound have their highest response together.

The ions of a compound rise and fall together, so their maxima fall on the same scan, to a fraction
of it; those of a compound that elutes beside it fall on another (Stein 1999, J. Am. Soc. Mass
Spectrom. 10, 770). Noise has its maxima anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gale.peaks.traces import Booleans, Response, Traces
from gale.plumbing.numeric import smoothed
from gale.run import Floats, Integers

LEAST_RATIO = 3.5
"""Smallest response of an ion over its noise that counts."""

LEAST_SCORE = 9.0
"""Smallest score of a peak: root of the sum of squares of the responses of its ions over noise."""

LEAST_FLICKER = 1e-4
"""Smallest relative variance of all ions of a scan together that is reckoned with."""

MOST_RATIO = 30.0
"""Larger responses over noise say no more of when a peak has its apex."""

LEAST_BESIDE = 0.25
"""Height of a maximum one scan before or after it, above its surroundings and relative to it, that
tells a peak from a spike of one scan."""

STEPS = 16
"""Steps of a scan in which apexes are counted."""

LEAST_DENSITY = 1e-6
"""Smallest density of apexes; less is rounding."""

SPREAD = 0.08
"""Standard deviation of the apexes of one compound's ions, in widths of a peak."""

CLOSEST = 0.3
"""Smallest distance of two peaks, in widths."""


@dataclass(frozen=True, eq=False)
class Maxima:
    """Local maxima of the response: one row per ion and place.

    Parameters
    ----------
    scan : array of shape (P,)
        Scan of the maximum.
    at : array of shape (P,)
        Its place to a fraction of a scan.
    channel : array of shape (P,)
    ratio : array of shape (P,)
        Response over noise.
    """

    scan: Integers
    at: Floats
    channel: Integers
    ratio: Floats

    def take(self, which: Booleans) -> Maxima:
        """Return some of them, by a mask of shape (P,)."""
        return Maxima(self.scan[which], self.at[which], self.channel[which], self.ratio[which])


@dataclass(frozen=True, eq=False)
class Apexes:
    """K places at which compounds have their apex, in order of time.

    Parameters
    ----------
    at : array of shape (K,)
        In scans, with a fraction.
    score : array of shape (K,)
    member : array of shape (P,)
        The apex that each maximum belongs to; -1 for none.
    """

    at: Floats
    score: Floats
    member: Integers


def find_maxima(traces: Traces, found: Response) -> Maxima:
    """Find the local maxima of every channel that stand out of the noise."""
    response = found.height
    deviation = np.sqrt(found.gain * traces.variance(found.level))
    is_top = response > LEAST_RATIO * deviation
    is_top[1:] &= response[1:] > response[:-1]
    is_top[:-1] &= response[:-1] >= response[1:]
    scan, channel = np.nonzero(is_top)
    last = len(response) - 1
    before, here, after = (response[np.clip(scan + step, 0, last), channel] for step in (-1, 0, 1))
    bend = np.maximum(2 * here - before - after, 1e-12)
    at = np.clip(scan + np.clip((after - before) / (2 * bend), -0.5, 0.5), 0, last)
    at = _snapped(at, traces)
    maxima = Maxima(scan, at, channel, here / deviation[scan, channel])
    return maxima.take(_lasting(traces, scan, channel))


def _snapped(at: Floats, traces: Traces) -> Floats:
    """Move maxima within clipped scans to their middle: nothing there tells which is the apex."""
    clipped = np.append(traces.clipped.any(axis=1), False)
    edges = np.flatnonzero(np.diff(clipped.astype(np.int8), prepend=0))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        inside = (at >= first - 1) & (at <= end)
        at[inside] = (first + end - 1) / 2
    return at


def _lasting(traces: Traces, scan: Integers, channel: Integers) -> Booleans:
    """Whether maxima last longer than a scan; spikes of the electronics do not."""
    reach = int(np.ceil(traces.width))
    last = len(traces.signal) - 1
    rows = np.clip(scan[:, None] + np.arange(-reach, reach + 1), 0, last)
    around = traces.signal[rows, channel[:, None]]
    around = around - around.min(axis=1, keepdims=True)
    beside = np.maximum(around[:, reach - 1], around[:, reach + 1])
    return np.asarray(beside >= LEAST_BESIDE * around[:, reach])


def find_apexes(maxima: Maxima, traces: Traces, found: Response) -> Apexes:
    """Find where maxima come together."""
    weight = np.minimum(maxima.ratio, MOST_RATIO).astype(np.float64)
    # one scan more at either end, so that apexes there have neighbours
    place = np.rint((maxima.at + 1) * STEPS).astype(np.int64)
    size = (len(traces.signal) + 2) * STEPS
    counts = np.bincount(place, weight, minlength=size).astype(np.float64, copy=False)
    spread = max(SPREAD * traces.width, 0.12) * STEPS
    density = smoothed(counts, spread)
    is_top = (density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])
    tops = np.flatnonzero(is_top & (density[1:-1] > LEAST_DENSITY)) + 1
    peak = _apart(tops, density[tops], max(CLOSEST * traces.width, 0.5) * STEPS)
    if not len(peak):
        return Apexes(np.zeros(0), np.zeros(0), np.full(len(place), -1))
    # each maximum belongs to the nearest apex, if it is near
    border = (peak[1:] + peak[:-1]) / 2
    member = np.searchsorted(border, place)
    far = np.abs(place - peak[member]) > max(0.35 * traces.width, 0.75) * STEPS
    member = np.where(far, -1, member)
    score = _scores(maxima, member, len(peak), traces, found)
    kept = score >= LEAST_SCORE
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    member = np.where(member >= 0, number[member], -1)
    return Apexes(peak[kept] / STEPS - 1, score[kept], member)


def _scores(
    maxima: Maxima, member: Integers, number: int, traces: Traces, found: Response
) -> Floats:
    """Root of the sum of squares of the heights of each apex's ions over their noise, (K,).

    Flicker of the source makes all ions of a scan higher together, in proportion to their level,
    and is no peak: what goes along with it is taken out (covariance of rank one, by the formula of
    Sherman & Morrison 1950, Ann. Math. Stat. 21, 124).
    """
    used = member >= 0
    scan, channel, of = maxima.scan[used], maxima.channel[used], member[used]
    height = found.height[scan, channel].astype(np.float64)
    level = found.level[scan, channel].astype(np.float64)
    constant, shot, flicker = traces.noise
    variance = found.gain * (constant + shot * level)

    def summed(values: Floats) -> Floats:
        return np.bincount(of, values / variance, minlength=number).astype(np.float64)

    common = max(flicker, LEAST_FLICKER) * found.gain
    own, along = summed(height**2), summed(height * level)
    left = own - common * along**2 / (1 + common * summed(level**2))
    return np.asarray(np.sqrt(np.maximum(left, 0)))


def _apart(place: Integers, height: Floats, closest: float) -> Integers:
    """Keep the highest of places that are closer than `closest`."""
    kept: list[int] = []
    taken = np.zeros(int(place[-1] + closest + 2) if len(place) else 0, dtype=np.bool_)
    for at in place[np.argsort(-height, kind="stable")]:
        if not taken[at]:
            kept.append(int(at))
            taken[max(int(at - closest), 0) : int(at + closest) + 1] = True
    return np.array(sorted(kept), dtype=np.int64)
