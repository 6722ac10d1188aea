"""Naming: the compounds of a library whose spectra are like those of peaks.

The forward match is 999 times the cosine of the two spectra, intensities raised to 0.5 and
multiplied by m/z (Stein & Scott 1994, J. Am. Soc. Mass Spectrom. 5, 859), over the m/z that the
run has recorded. The reverse match is the same over only those m/z at which the library's spectrum
has an ion, so that ions of another compound do not lower it. NIST MS Search combines its cosine
with the agreement of the ratios of neighbouring ions, so its numbers differ; the scale is the
same.

Symbols: K peaks, C spectra of the library, M nominal m/z.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gale.library import Library
from gale.matching.families import families_of_row
from gale.matching.matcher import LAST_MZ, LEAST_COSINE, MATCHES, TINY, Matcher, weigh
from gale.peaks.traces import Booleans
from gale.run import Floats, Floats32, Integers

SCALE = 999
"""Match of equal spectra."""

WEAK_COSINE = 0.8
"""A name with a smaller cosine is marked weak: less than half of them are right."""

FEWEST_SHARED = 3
"""A name with fewer ions in common is marked weak."""

STRONG_ION = 0.02
"""Height, relative to the base peak, of the ions of a library spectrum that are counted as shared
if the peak has them."""

SILOXANE_MZ = (73, 133, 147, 191, 193, 207, 221, 249, 251, 265, 267, 281, 325, 327, 339, 341, 355,
               401, 405, 415, 429, 503)  # fmt: skip
"""Ions of polydimethylsiloxanes; each has isotopes of silicon one and two above."""

SILOXANE_SHARE = 0.6
"""Smallest share of the weighted spectrum in siloxane ions for siloxanes to be looked at first."""

SILOXANE_LEAD = 0.1
"""What a siloxane's cosine may fall short by and still be named first in such a spectrum. Their
spectra in the library are rounded, and silylated metabolites have the same ions."""


@dataclass(frozen=True)
class PeakMatch:
    """A compound whose spectrum is like that of a peak.

    Parameters
    ----------
    compound, inchikey : str
        The latter is empty if the library does not give it.
    match, reverse : int
        Forward and reverse match, 0 to 999.
    cosine : float
        What the forward match is made of, 0 to 1.
    shared_ions : int
        Ions of the library's spectrum, of at least 2 % of its base peak, that the peak has.
    index, index_difference : float
        Retention index of the compound, and that of the peak less it; NaN if unknown.
    families : tuple of str, or None
        Families of the compound; None if neither the library nor a structure says.
    weak : bool
        Whether the name is doubtful: a cosine below 0.8 or fewer than three shared ions.
    row : int
        Number of the spectrum in the library, from 0.
    """

    compound: str
    inchikey: str
    match: int
    reverse: int
    cosine: float
    shared_ions: int
    index: float
    index_difference: float
    families: tuple[str, ...] | None
    weak: bool
    row: int


def find_names(
    mz: Integers, spectra: Floats, index: Floats, matcher: Matcher
) -> list[tuple[PeakMatch, ...]]:
    """Find the compounds that are like each of K spectra, best first; at most five.

    Parameters
    ----------
    mz : array of shape (M,)
        Nominal m/z that the run has recorded; those between count as recorded, too.
    spectra : array of shape (K, M)
    index : array of shape (K,)
        Retention index of each; NaN if unknown. Compounds whose index is more than 50 off are left
        out.
    matcher : Matcher
    """
    low, high = int(mz[0]), min(int(mz[-1]), LAST_MZ)
    if high < low or not len(spectra):
        return [() for _ in spectra]
    dense = np.zeros((len(spectra), high - low + 1), dtype=np.float32)
    inside = mz <= high
    dense[:, mz[inside] - low] = spectra[:, inside]
    weighted = weigh(dense, low)
    rows, cosine = matcher.closest(weighted, low, index)
    search = _Search(low, weighted, matcher.weighted(low, high), index, matcher.library)
    lead = np.zeros_like(cosine)
    for peak in np.flatnonzero(search.looks_siloxane()):
        names = [matcher.library.name[row] for row in rows[peak]]
        lead[peak] = [SILOXANE_LEAD * is_siloxane(name) for name in names]
    order = np.argsort(-(cosine + lead), axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)
    cosine = np.take_along_axis(cosine, order, axis=1)
    return [tuple(search.matches(peak, rows[peak], cosine[peak])) for peak in range(len(spectra))]


@dataclass(frozen=True, eq=False)
class _Search:
    """K spectra to be compared with the C of a library, from m/z `low` on.

    Parameters
    ----------
    low : int
    weighted : array of shape (K, M)
    known : array of shape (C, M)
        Spectra of the library, weighted alike.
    index : array of shape (K,)
    library : Library
    """

    low: int
    weighted: Floats32
    known: Floats32
    index: Floats
    library: Library

    def looks_siloxane(self) -> Booleans:
        """Whether each spectrum is mostly made of ions of siloxanes, (K,)."""
        ions = np.unique(np.add.outer(np.array(SILOXANE_MZ), np.arange(3)))
        ions = ions[(ions >= self.low) & (ions < self.low + self.weighted.shape[1])]
        square = self.weighted**2
        total = np.maximum(square.sum(axis=1), TINY)
        return np.asarray(square[:, ions - self.low].sum(axis=1) >= SILOXANE_SHARE * total)

    def matches(self, peak: int, rows: Integers, cosine: Floats) -> Iterator[PeakMatch]:
        """Yield the best match of each compound, at most :data:`MATCHES`."""
        named: set[str] = set()
        for row, similar in zip(rows.tolist(), cosine.tolist(), strict=True):
            name = self.library.name[row]
            if similar < LEAST_COSINE or len(named) == MATCHES or name in named:
                continue
            named.add(name)
            yield self._match(peak, row, similar)

    def _match(self, peak: int, row: int, cosine: float) -> PeakMatch:
        mine, known = self.weighted[peak], self.known[row]
        there = known > 0
        length = float(np.linalg.norm(mine[there]) * np.linalg.norm(known))
        height = (known / np.arange(self.low, self.low + len(known))) ** 2
        shared = int(np.sum((height >= STRONG_ION * height.max()) & (mine > 0)))
        index = float(self.library.retention_index[row])
        return PeakMatch(
            self.library.name[row],
            self.library.inchikey[row],
            round(SCALE * cosine),
            round(SCALE * min(float(mine @ known) / max(length, TINY), 1.0)),
            cosine,
            shared,
            index,
            float(self.index[peak]) - index,
            families_of_row(self.library, row),
            cosine < WEAK_COSINE or shared < FEWEST_SHARED,
            row,
        )


def is_siloxane(compound: str) -> bool:
    """Whether a compound is a siloxane, or the bleed of a column of them."""
    return "siloxane" in compound.lower()
