"""Summary features: a vector of fixed length for a run of any length, as published.

The vector has seven blocks, each with one number per kept m/z; `BLOCKS` names them in order. It is
computed as by its author's code, peculiarities included: the means are shifted by one m/z, and
differences are between neighbouring rows rather than along time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gale.errors import ReadError
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.schema import Either, Table, Value, whole
from gale.run import MAX_MZ, Floats, Floats32, Integers, Run

BLOCKS = ("mean", "d1", "time", "height", "d2", "relative", "dd")
"""The blocks of the vector, in its order."""

HELIUM = 4
"""m/z of the carrier gas, left out of all blocks except ``time`` and ``height``."""

_DROPPED = (0, 1, 2, 3, 4, 5, 7, 38, 49, 93, 95, 96, 97, 99, 101, 102, 124, 127, 146, 195, 231, 260,
            277, 305, 309, 326)  # fmt: skip

PUBLISHED_MZ = tuple(mz for mz in range(350) if mz not in _DROPPED)
"""The 324 m/z of the published system: those of 0 to 349 that varied most in its training runs."""

LARGEST_LEARNED_MZ = 550
"""Largest m/z that can be learned."""

KIND, VERSION = "summary", 1
"""Name of these features in a model file. The version rises when the numbers change, so that a
model never gets other numbers than it was trained on."""

OLD_KIND = "published"
"""Their name in older model files."""


SCHEMA = Table(
    {
        "mz": Value(
            "m/z in increasing order",
            lambda mz: (
                isinstance(mz, list)
                and len(mz) > 0
                and all(map(whole(most=int(MAX_MZ)).fits, mz))
                and all(low < high for low, high in pairwise(mz))
            ),
        ),
        "mz_min": Either(whole(most=int(MAX_MZ))),
        "mz_max": Either(whole(most=int(MAX_MZ))),
    }
)
"""What a model file states of these features."""


@dataclass(frozen=True)
class SummarySpec:
    """The m/z of summary features.

    Parameters
    ----------
    mz : tuple of int
        The kept m/z, increasing; each has one number in each block.
    mz_min, mz_max : int or None
        Ions whose rounded m/z lies outside are ignored, as if the instrument had not recorded them.
    """

    mz: tuple[int, ...] = PUBLISHED_MZ
    mz_min: int | None = None
    mz_max: int | None = None

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        return len(BLOCKS) * len(self.mz)

    @property
    def blocks(self) -> dict[str, slice]:
        """Position of each block in the vector."""
        size = len(self.mz)
        return {name: slice(at * size, (at + 1) * size) for at, name in enumerate(BLOCKS)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        return {"kind": KIND, "version": VERSION, **asdict(self), "mz": list(self.mz)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> SummarySpec:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Raises
        ------
        ModelError
            If this version of gale does not compute these features.
        """
        check_version(values, KIND, VERSION, SCHEMA, source)
        return cls(tuple(values["mz"]), values["mz_min"], values["mz_max"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, shape (D,).

        Parameters
        ----------
        run : Run

        Returns
        -------
        array of shape (D,), float32
            Always finite. An m/z without ions has time and height −1, and 0 elsewhere.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        mz, intensity = rounded_ions(run, self.mz_min, self.mz_max)
        scan_end = np.flatnonzero(mz[1:] < mz[:-1])
        kept = np.array(self.mz, dtype=np.int64)
        size = max(int(kept.max()), HELIUM) + 3  # the last bin takes all m/z above
        mz_bin = np.minimum(mz, size - 1, out=mz)
        largest = np.zeros(size)
        np.maximum.at(largest, mz_bin, intensity)
        time, height = _peaks(mz_bin, intensity, largest, scan_end)

        if np.any(helium := mz_bin == HELIUM):
            mz_bin, intensity, largest[HELIUM] = mz_bin[~helium], intensity[~helium], 0.0
        mean, d1, d2, dd = _means(mz_bin, intensity, size)
        shifted = kept + 1  # the bin of m/z k is (k, k + 1]: ions that round to k + 1
        if np.all(height[kept] < 0) and np.all(height[shifted] < 0):
            raise ReadError(
                run.source,
                f"has none of the {len(kept):,} m/z that count, from {kept.min()} to "
                f"{kept.max() + 1}, among its {run.n_ions:,} ions",
                "a run in that range",
                "check its m/z",
            )
        top = largest[shifted].max()
        blocks = {
            "mean": np.log1p(mean[shifted]),
            "d1": _signed_log(d1[shifted]),
            "time": time[kept],
            "height": height[kept],
            "d2": _signed_log(d2[shifted]),
            "relative": largest[shifted] / (top if top > 0 else 1.0),
            "dd": _signed_log(dd[shifted]),
        }
        return np.concatenate([blocks[name] for name in BLOCKS]).astype(np.float32)


def rounded_ions(run: Run, mz_min: int | None, mz_max: int | None) -> tuple[Integers, Floats]:
    """Round m/z half to even, and keep the ions within a range of m/z.

    Returns
    -------
    mz : array of shape (N',), int64
    intensity : array of shape (N',), float64
    """
    mz = np.rint(run.mz).astype(np.int64)
    if mz_min is None and mz_max is None:
        return mz, run.intensity
    inside = mz >= (0 if mz_min is None else mz_min)
    if mz_max is not None:
        inside &= mz <= mz_max
    return mz[inside], run.intensity[inside]


def _peaks(
    mz_bin: Integers, intensity: Floats, largest: Floats, scan_end: Integers
) -> tuple[Floats, Floats]:
    """Relative scan index and scaled log height of the first highest ion of each bin; else −1.

    A scan ends where m/z falls; as published, its last ion already counts for the next scan.
    """
    time = np.full(len(largest), -1.0)
    height = np.full(len(largest), -1.0)
    candidates = np.flatnonzero(intensity == largest[mz_bin])[::-1]
    first = np.full(len(largest), -1)
    first[mz_bin[candidates]] = candidates  # the earliest is assigned last and stays
    seen = first >= 0
    scan = np.searchsorted(scan_end, first[seen], side="right")
    time[seen] = scan / max(len(scan_end), 1)
    height[seen] = np.log1p(largest[seen]) / 10
    return time, height


def _means(mz_bin: Integers, intensity: Floats, size: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean in each bin of I[i] and of its differences to the rows before.

    The differences are (I[i] − I[i−1])/1000, (I[i] − I[i−2])/1000 and
    (I[i] − 2 I[i−1] + I[i−2])/10, and 0 where there is no such row. Differences of sums take less
    memory than sums of differences, and half the time.
    """
    n = len(intensity)
    here, one_before, two_before = (
        np.bincount(mz_bin[2:], weights=intensity[2 - lag : n - lag], minlength=size).astype(float)
        for lag in range(3)  # bincount of no rows gives integers
    )
    d1 = here - one_before
    d2 = here - two_before
    dd = here - 2 * one_before + two_before
    np.add.at(d1, mz_bin[1:2], intensity[1:2] - intensity[:1])
    np.add.at(here, mz_bin[:2], intensity[:2])
    count = np.maximum(np.bincount(mz_bin, minlength=size), 1)
    return here / count, d1 / count / 1000, d2 / count / 1000, dd / count / 10


def _signed_log(values: Floats) -> Floats:
    return np.sign(values) * np.log1p(np.abs(values))


def intensity_moments(run: Run, mz_min: int | None, mz_max: int | None) -> Floats:
    """Count, mean, and sum of squared deviations from the mean, of the intensities at each m/z.

    Returns
    -------
    array of shape (3, LARGEST_LEARNED_MZ + 1)
    """
    mz, intensity = rounded_ions(run, mz_min, mz_max)
    inside = mz <= LARGEST_LEARNED_MZ
    mz, intensity = mz[inside], intensity[inside]
    size = LARGEST_LEARNED_MZ + 1
    count = np.bincount(mz, minlength=size)
    mean = np.bincount(mz, weights=intensity, minlength=size) / np.maximum(count, 1)
    squares = np.bincount(mz, weights=(intensity - mean[mz]) ** 2, minlength=size)
    return np.stack([count, mean, squares])


def learn_mz(moments: Iterable[Floats], dropped: int) -> tuple[int, ...]:
    """Choose the m/z to keep from training runs, as the published system did.

    The intensities of all runs are grouped by m/z. The `dropped` m/z of smallest variance are left
    out, and so are the carrier gas and m/z without ions.

    Parameters
    ----------
    moments : iterable of arrays of shape (3, M)
        :func:`intensity_moments` of each training run.
    dropped : int

    Returns
    -------
    tuple of int
        The kept m/z, increasing.
    """
    count, _, squares = functools.reduce(_merge_moments, moments)
    seen = np.flatnonzero(count)
    seen = seen[seen != HELIUM]
    kept = seen[np.argsort(squares[seen] / count[seen], kind="stable")[dropped:]]
    return tuple(int(mz) for mz in np.sort(kept))


def _merge_moments(first: Floats, second: Floats) -> Floats:
    """Moments of two sets of intensities together, stably (Chan, Golub & LeVeque 1983)."""
    (count_a, mean_a, squares_a), (count_b, mean_b, squares_b) = first, second
    count = count_a + count_b
    share = count_b / np.maximum(count, 1)
    step = mean_b - mean_a
    return np.stack(
        [count, mean_a + step * share, squares_a + squares_b + step**2 * count_a * share]
    )
