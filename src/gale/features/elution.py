"""Elution images: what elutes when, as time bins × m/z bins.

What is always there (air, water, column bleed) is taken off each m/z, and what is left is measured
against the run's own floor and the m/z's own noise. So an image does not depend on the unit of the
intensities, and little on the scan rate, the length of the run or the range of m/z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from gale.errors import ReadError
from gale.features.summary import HELIUM
from gale.features.versions import check_version, fingerprint_of
from gale.run import Integers, Run

Image = NDArray[np.float32]

KIND, VERSION = "elution", 1
"""What a model file calls these images. The version is raised when the numbers change."""

FLOOR_QUANTILE = 0.005
"""Of a run's intensities, the one taken for its threshold: the very least may be a stray."""

LARGEST_RANGE = 1e12
"""Intensities of a run over its floor reach no higher, beyond any detector: no sum overflows."""

SMOOTHED_BINS = 5
"""The baseline follows a mean of so many bins, so that it is not the lowest point of the noise."""


@dataclass(frozen=True)
class ElutionSpec:
    """What the elution image of a run is.

    Parameters
    ----------
    bins : int
        Number of time bins, T, of equal width from the first scan to the last.
    mz_first, mz_last : int
        The nominal m/z of the image; the carrier gas, if among them, stays 0.
    baseline : float
        Share of the run over which the baseline is level: what lasts longer is background. Gases
        that minerals give off last for minutes.
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
        """Return all that the numbers depend on besides the run, as plain values."""
        return {"kind": KIND, "version": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> ElutionSpec:
        """Take what :meth:`to_dict` gave; `source` is named in messages.

        Raises
        ------
        ModelError
            If it is of images that this version of gale does not compute.
        """
        check_version(values, KIND, VERSION, source)
        return cls(values["bins"], values["mz_first"], values["mz_last"], values["baseline"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())


def elution_image(run: Run, spec: ElutionSpec) -> Image:
    """Compute the elution image of a run.

    Parameters
    ----------
    run : Run
    spec : ElutionSpec

    Returns
    -------
    array of shape (T, M), float32
        log(1 + signal over noise), see :func:`over_noise`; 0 where nothing elutes and where the
        instrument did not scan.

    Raises
    ------
    ReadError
        If no ion of the run has an m/z of the image.
    """
    return over_noise(excess(run, spec))


def excess(run: Run, spec: ElutionSpec) -> Image:
    """Signal above the baseline, shape (T, M), in units of the run's floor; never negative.

    Raises
    ------
    ReadError
        If no ion of the run has an m/z of the image.
    """
    signal = highest(run, spec)
    smooth = uniform_filter1d(signal, SMOOTHED_BINS, axis=0, mode="nearest")
    above: Image = np.maximum(signal - _opening(smooth, round(spec.baseline * spec.bins / 2)), 0)
    return above


def _opening(signal: Image, half: int) -> Image:
    """What of a signal lasts longer than 2 `half` + 1 bins (morphological opening), shape (T, M).

    What rises up to the end of a run or falls from its start stays: nobody knows how it goes on,
    and on simulated campaigns predictions were a little worse without it.
    """
    width = 2 * half + 1
    lowest = minimum_filter1d(signal, width, axis=0, mode="nearest")
    opened: Image = maximum_filter1d(lowest, width, axis=0, mode="nearest")
    return opened


def over_noise(excess: Image) -> Image:
    """log(1 + excess over noise), shape (T, M).

    The noise of an m/z is the floor and its usual excess: most of the time, nothing elutes.
    """
    noise: Image = 1 + np.median(excess, axis=0)
    image: Image = np.log1p(excess / noise)
    return image


def highest(run: Run, spec: ElutionSpec) -> Image:
    """Highest intensity in each bin, shape (T, M), in units of the run's floor, at least 1.

    An ion that was not recorded was at most as high as the floor; taken for nothing, it would make
    peaks of noise that crosses the floor now and then.

    Raises
    ------
    ReadError
        If no ion of the run has an m/z of the image.
    """
    nominal = np.rint(run.mz).astype(np.int64)
    seen = (nominal >= spec.mz_first) & (nominal <= spec.mz_last) & (nominal != HELIUM)
    seen &= run.intensity > 0
    if not seen.any():
        raise ReadError(
            f"{run.source}: none of its {run.n_ions:,} ions has an m/z and an intensity that count "
            f"(m/z {spec.mz_first} to {spec.mz_last}, above 0); expected a run in that range"
        )
    intensity = run.intensity[seen]
    intensity /= max(np.quantile(intensity, FLOOR_QUANTILE), intensity.max() / LARGEST_RANGE)
    time_bin = _time_bins(run, spec.bins)
    row = np.repeat(time_bin, run.ions_per_scan)[seen]
    image = np.ones(spec.bins * spec.n_mz, dtype=np.float32)
    np.maximum.at(image, row * spec.n_mz + nominal[seen] - spec.mz_first, intensity.astype("f4"))
    # a bin between two scans shows the earlier one: bins may be finer than scans
    latest = np.zeros(spec.bins, dtype=np.int64)
    latest[time_bin] = time_bin
    return image.reshape(spec.bins, spec.n_mz)[np.maximum.accumulate(latest)]


def _time_bins(run: Run, bins: int) -> Integers:
    """The time bin of each scan, shape (S,)."""
    since_start = run.time_min - run.time_min[0]
    length = since_start[-1] or 1.0  # all scans may be of one time
    time_bin: Integers = np.minimum(since_start / length * bins, bins - 1).astype(np.int64)
    return time_bin
