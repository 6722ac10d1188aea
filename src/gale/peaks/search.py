"""The search for the peaks of a run, from its ions to named compounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gale.matching import IndexTable, Matcher
from gale.peaks.deconvolution import Course, find_courses, find_spectra
from gale.peaks.detection import find_apexes, find_maxima
from gale.peaks.front import CUT, front_of, is_cut, join_front
from gale.peaks.naming import PeakMatch, find_names, is_siloxane
from gale.peaks.traces import Traces, respond, trace
from gale.run import Floats, Integers, Run

SOLVENT_FRONT, BLEED, SILOXANE, AIR = (
    "solvent front", "column bleed", "siloxane", "air or water",
)  # fmt: skip
"""What a peak can be besides a compound of the sample."""

NAMED, WEAK, NOTHING = "named", "weak", "nothing is like it"
"""What the best match of a peak is worth. Of weak ones, less than half are right."""

START, END = "start", "end"
"""Ends of a run that can cut a peak."""

BROADER = 3.0
"""Width, relative to a typical one, of peaks that are looked for where there are no others: they
tail, are overloaded, or are of a gas."""

AIR_MZ = (14, 16, 17, 18, 20, 28, 29, 32, 33, 34, 36, 38, 40)
"""m/z of nitrogen, oxygen, argon and water."""

BLEED_NAME = "bleed of "
"""How the names of column bleed in gale's library begin."""

AIR_SHARE = 0.9
"""Smallest share of a spectrum at these m/z that makes it air or water."""


@dataclass(frozen=True, eq=False)
class Peak:
    """A peak of a run: one compound, as far as it can be told from others.

    Parameters
    ----------
    apex, start, end : int
        Scans, from 0.
    apex_min, start_min, end_min : float
        Their times in minutes.
    index : float
        Retention index; NaN if unknown.
    height, area : float
        Sum of the ions of the spectrum at the apex, in the unit of the intensities; and over the
        peak, times seconds.
    signal_to_noise : float
        Height of the base peak over the standard deviation of the noise there.
    purity : float
        Share of what rises above the background at the apex that is of this peak, 0 to 1.
    mz : array of shape (M,)
        Nominal m/z of the ions of the spectrum, increasing.
    intensity : array of shape (M,)
        Their heights at the apex, without background and what elutes beside it.
    saturated : bool
        Whether the detector was at its limit; height and area are then too low.
    cut : str or None
        The end of the run that cuts the peak, :data:`START` or :data:`END`.
    origin : str or None
        What it is if not a compound of the sample: :data:`SOLVENT_FRONT`, :data:`BLEED`,
        :data:`SILOXANE` or :data:`AIR`.
    matches : tuple of PeakMatch
        Compounds of the library that are like it, best first; empty if nothing is.
    """

    apex: int
    start: int
    end: int
    apex_min: float
    start_min: float
    end_min: float
    index: float
    height: float
    area: float
    signal_to_noise: float
    purity: float
    mz: Integers = field(repr=False)
    intensity: Floats = field(repr=False)
    saturated: bool
    cut: str | None
    origin: str | None
    matches: tuple[PeakMatch, ...]

    @property
    def verdict(self) -> str:
        """What the best match is worth: :data:`NAMED`, :data:`WEAK` or :data:`NOTHING`."""
        if not self.matches:
            return NOTHING
        return WEAK if self.matches[0].weak else NAMED

    @property
    def base_mz(self) -> int:
        """The m/z of the highest ion."""
        return int(self.mz[self.intensity.argmax()])


def search(run: Run, matcher: Matcher | None, index: IndexTable | None) -> list[Peak]:
    """Find the peaks of a run, in order of time."""
    traces = trace(run)
    if not len(traces.mz):
        return []
    courses = _courses(traces, np.zeros(0))
    if len(traces.signal) > BROADER * traces.width:
        broad = replace(traces, width=BROADER * traces.width)
        courses += _courses(broad, np.array([each.apex for each in courses], dtype=np.float64))
    spectra = find_spectra(traces, courses)
    front = front_of(run)
    courses, spectra = join_front(traces, front, courses, spectra)
    something = np.flatnonzero(spectra.any(axis=1))
    order = something[np.argsort([courses[each].apex for each in something], kind="stable")]
    courses, spectra = [courses[each] for each in order], spectra[order]
    indices = np.array([index.at(run.time_min[each.apex]) if index else np.nan for each in courses])
    names = (
        [()] * len(order) if matcher is None else find_names(traces.mz, spectra, indices, matcher)
    )
    described = _Described(run, traces, courses, spectra, front)
    return [
        described.peak(number, float(indices[number]), names[number])
        for number in range(len(courses))
    ]


def _courses(traces: Traces, known: Floats) -> list[Course]:
    """Find the model peaks of compounds, but those whose apex is as near to known ones as a width.

    Parameters
    ----------
    traces : Traces
        Its width is that of the peaks that are looked for.
    known : array
        Scans of apexes.
    """
    found = respond(traces)
    maxima = find_maxima(traces, found)
    if len(known):
        far = np.abs(maxima.at[:, None] - known).min(axis=1) > traces.width
        maxima = maxima.take(far)
    return find_courses(traces, maxima, find_apexes(maxima, traces, found), found)


@dataclass(frozen=True, eq=False)
class _Described:
    """K peaks of a run to be described; its first `front` scans are a solvent front."""

    run: Run
    traces: Traces
    courses: list[Course]
    spectra: Floats
    front: int

    @cached_property
    def seconds(self) -> Floats:
        """Time that each scan stands for, (S,)."""
        return np.gradient(self.run.time_min) * 60

    @cached_property
    def above(self) -> Floats:
        """Sum of all peaks over time, (S,)."""
        above = np.zeros(len(self.traces.signal))
        for course, spectrum in zip(self.courses, self.spectra, strict=True):
            above[course.first : course.last + 1] += spectrum.sum() * course.height
        return above

    def peak(self, number: int, index: float, matches: tuple[PeakMatch, ...]) -> Peak:
        """Describe one of them."""
        course, spectrum = self.courses[number], self.spectra[number]
        ions, cells = np.flatnonzero(spectrum), slice(course.first, course.last + 1)
        base, unit = int(spectrum.argmax()), self.traces.floor
        height = float(spectrum.sum()) * unit
        noise = np.sqrt(self.traces.variance(self.traces.signal[course.apex, base]))
        time_min = self.run.time_min
        return Peak(
            apex=course.apex,
            start=course.first,
            end=course.last,
            apex_min=float(time_min[course.apex]),
            start_min=float(time_min[course.first]),
            end_min=float(time_min[course.last]),
            index=index,
            height=height,
            area=height * float(course.height @ self.seconds[cells]),
            signal_to_noise=float(spectrum[base] / noise),
            purity=min(height / unit / float(self.above[course.apex]), 1.0),
            mz=self.traces.mz[ions],
            intensity=unit * spectrum[ions],
            saturated=bool(self.traces.clipped[cells][:, ions].any()),
            cut=self._cut(course),
            origin=self._origin(course.apex, spectrum, matches),
            matches=matches,
        )

    def _cut(self, course: Course) -> str | None:
        if course.apex < self.front or is_cut(course):
            return START
        last = len(self.traces.signal) - 1
        return END if course.last == last and course.height[-1] >= CUT else None

    def _origin(self, apex: int, spectrum: Floats, matches: tuple[PeakMatch, ...]) -> str | None:
        if apex < self.front:
            return SOLVENT_FRONT
        air = spectrum[np.isin(self.traces.mz, AIR_MZ)].sum()
        if air >= AIR_SHARE * spectrum.sum():
            return AIR
        best = next(iter(matches), None)
        if best is None or best.weak:
            return None
        if best.compound.startswith(BLEED_NAME):
            return BLEED
        return SILOXANE if is_siloxane(best.compound) else None
