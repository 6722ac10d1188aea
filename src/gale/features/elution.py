"""Elution images: what elutes when, as time bins × m/z bins.

The background of each m/z (air, water, column bleed) is subtracted, and the rest is divided by the
run's own floor and the m/z's own noise. So an image does not depend on the unit of the intensities,
and hardly on the scan rate, the length of the run or the range of m/z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from gale.errors import ModelError, ReadError
from gale.features.summary import HELIUM
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.numeric import moving_mean, quantile
from gale.plumbing.schema import Table, number, whole
from gale.run import MAX_MZ, Floats, Floats32, Integers, Run

KIND, VERSION = "elution", 1
"""Name of these images in a model file. The version rises when the numbers change."""

FLOOR_QUANTILE = 0.005
"""Quantile of a run's intensities that is taken as its floor: the lowest one may be a stray."""

LARGEST_RANGE = 1e12
"""Largest intensity over the floor, beyond any detector; it keeps sums from overflowing."""

SMOOTHED_BINS = 5
"""Bins of the moving mean that the baseline follows, so that it does not follow the noise."""


MOST_CELLS = 2**27
"""Largest number of bins of an image, so that no model file asks for more memory than there is."""

SCHEMA = Table(
    {
        "bins": whole(1),
        "mz_first": whole(1, int(MAX_MZ)),
        "mz_last": whole(1, int(MAX_MZ)),
        "baseline": number(0, 1),
    }
)
"""What a model file states of these images."""


@dataclass(frozen=True)
class ElutionSpec:
    """Time and m/z bins of an elution image, and its baseline.

    Parameters
    ----------
    bins : int
        Number of time bins, T, of equal width from the first scan to the last.
    mz_first, mz_last : int
        First and last nominal m/z of the image; that of the carrier gas stays 0.
    baseline : float
        Longest signal that is not background, as a share of the run. Gases from minerals last for
        minutes.
    """

    bins: int = 256
    mz_first: int = 12
    mz_last: int = 350
    baseline: float = 0.5

    @property
    def n_mz(self) -> int:
        """Number of m/z bins, M."""
        return self.mz_last - self.mz_first + 1

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        return {"kind": KIND, "version": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> ElutionSpec:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Raises
        ------
        ModelError
            If this version of gale does not compute these images.
        """
        check_version(values, KIND, VERSION, SCHEMA, source)
        spec = cls(values["bins"], values["mz_first"], values["mz_last"], values["baseline"])
        if not 0 < spec.n_mz * spec.bins <= MOST_CELLS:
            raise ModelError(
                source,
                f"is damaged: its elution images have {spec.bins:,} times {spec.n_mz:,} bins",
                f"1 to {MOST_CELLS:,}",
            )
        return spec

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())


class SeenIons(NamedTuple):
    """The ions of a run that an image shows, I of them.

    Parameters
    ----------
    number : array of shape (I,)
        Which of the run's ions.
    nominal : array of shape (I,)
        Their nominal m/z.
    intensity : array of shape (I,)
        In units of the run's floor.
    """

    number: Integers
    nominal: Integers
    intensity: Floats


def excess(run: Run, spec: ElutionSpec, ions: SeenIons | None = None) -> Floats32:
    """Signal above the baseline, shape (T, M), in units of the run's floor; at least 0.

    `ions` are those of :func:`seen_ions`, where they are known.

    Raises
    ------
    ReadError
        If the image leaves out every ion of the run.
    """
    signal = highest(run, spec, ions or seen_ions(run, spec))
    side = SMOOTHED_BINS // 2
    smooth = moving_mean(signal, np.repeat(signal[:1], side, 0), np.repeat(signal[-1:], side, 0))
    above: Floats32 = np.maximum(signal - _opening(smooth, round(spec.baseline * spec.bins / 2)), 0)
    return above


def _opening(signal: Floats32, half: int) -> Floats32:
    """The part of a signal (T, M) that lasts longer than 2 `half` + 1 bins: morphological opening.

    A rise up to the end of a run, or a fall from its start, is not part of it and stays in the
    image: nobody knows how it goes on, and without it, predictions on simulated campaigns were a
    little worse.
    """
    return _around(np.maximum, _around(np.minimum, signal, half), half)


def _around(extreme: np.ufunc, signal: Floats32, half: int) -> Floats32:
    """The lowest or highest of a signal (T, M) over 2 `half` + 1 bins around each.

    Windows are joined to windows of twice the width, which is faster than SciPy's filters.
    """
    found = np.concatenate(
        [np.repeat(signal[:1], half, axis=0), signal, np.repeat(signal[-1:], half, axis=0)]
    )
    width = 1
    while 2 * width <= 2 * half + 1:
        found = extreme(found[:-width], found[width:])
        width *= 2
    rest = 2 * half + 1 - width
    around: Floats32 = extreme(found[: len(found) - rest], found[rest:])
    return around


def over_noise(excess: Floats32) -> Floats32:
    """log(1 + excess over noise), shape (T, M).

    The noise of an m/z is the floor plus the median of its excess: mostly, nothing elutes.
    """
    middle = slice((len(excess) - 1) // 2, len(excess) // 2 + 1)
    noise: Floats32 = 1 + np.sort(excess, axis=0)[middle].mean(axis=0)  # faster than np.median
    image: Floats32 = np.log1p(excess / noise)
    return image


def highest(run: Run, spec: ElutionSpec, ions: SeenIons) -> Floats32:
    """Highest intensity in each bin, shape (T, M), in units of the run's floor, at least 1.

    An ion that was not recorded counts as the floor, which it was below. If it counted as 0,
    noise that crosses the floor now and then would look like peaks.
    """
    time_bin = time_bins(run, spec.bins)
    row = np.repeat(time_bin, run.ions_per_scan)[ions.number]
    image = np.ones(spec.bins * spec.n_mz, dtype=np.float32)
    cell = row * spec.n_mz + ions.nominal - spec.mz_first
    np.maximum.at(image, cell, ions.intensity.astype("f4"))
    # bins may be finer than scans: a bin between two scans shows the earlier one
    latest = np.zeros(spec.bins, dtype=np.int64)
    latest[time_bin] = time_bin
    return image.reshape(spec.bins, spec.n_mz)[np.maximum.accumulate(latest)]


def seen_ions(run: Run, spec: ElutionSpec) -> SeenIons:
    """Find the ions of a run that an image shows.

    Raises
    ------
    ReadError
        If the image leaves out every ion of the run.
    """
    nominal = np.rint(run.mz).astype(np.int64)
    seen = (nominal >= spec.mz_first) & (nominal <= spec.mz_last) & (nominal != HELIUM)
    seen &= run.intensity > 0
    ions = np.flatnonzero(seen)
    if not len(ions):
        raise ReadError(
            run.source,
            f"has no ion at m/z {spec.mz_first} to {spec.mz_last} with an intensity above 0 among "
            f"its {run.n_ions:,}",
            "a run in that range",
            "check its m/z and intensities",
        )
    intensity = run.intensity[ions]
    intensity /= max(quantile(intensity, FLOOR_QUANTILE), intensity.max() / LARGEST_RANGE)
    return SeenIons(ions, nominal[ions], intensity)


def time_bins(run: Run, bins: int) -> Integers:
    """The time bin of each scan, shape (S,)."""
    since_start = run.time_min - run.time_min[0]
    length = since_start[-1] or 1.0  # all scans may have the same time
    time_bin: Integers = np.minimum(since_start / length * bins, bins - 1).astype(np.int64)
    return time_bin
