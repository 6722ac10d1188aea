"""Matches: compounds of a library whose spectra are similar to a spectrum.

Similarity is the cosine of spectra whose intensities are raised to :data:`INTENSITY_POWER` and
multiplied by m/z to the power :data:`MZ_POWER`, so that heavy and small ions count (Stein & Scott
1994, J. Am. Soc. Mass Spectrom. 5, 859), within the range of m/z that the run has recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.library import Library
from gale.library.choice import Named, references
from gale.matching.families import carries_family
from gale.plumbing.arguments import check_kind
from gale.plumbing.kinds import checked
from gale.run import Floats, Floats32, Integers

INTENSITY_POWER, MZ_POWER = 0.5, 1.0

LEAST_COSINE = 0.7
"""Smallest cosine of a match."""

MATCHES = 5
"""Largest number of matches of a spectrum."""

INDEX_TOLERANCE = 50.0
"""Largest difference, in index units, of a compound's retention index from that of the window. If
it is larger, the compound is not the one, or its index is of another column."""

LAST_MZ = 600
"""Largest m/z that is compared."""

CANDIDATES = 40
"""Spectra of the library that are looked at closely, those with the largest cosine."""

AT_ONCE = 20_000
"""Spectra of the library that are compared at a time, which limits the memory used."""

TINY = 1e-30
"""What lengths are divided by at least."""


@dataclass(frozen=True)
class Match:
    """A compound whose spectrum is similar to another one.

    Parameters
    ----------
    compound : str
    cosine : float
        Similarity of the spectra, 0 to 1.
    index : float
        Retention index of the compound in the library; NaN if unknown.
    carries_family : bool or None
        Whether the compound belongs to the family in question; None if there is none, or if neither
        the library nor its structure says so.
    row : int
        Number of the spectrum in the library, from 0.
    inchikey : str
        InChIKey of the compound; empty if the library does not say.
    """

    compound: str
    cosine: float
    index: float
    carries_family: bool | None
    row: int
    inchikey: str = ""


class Matcher:
    """The C spectra of a library, prepared for matching with K spectra over M nominal m/z.

    Parameters
    ----------
    library : Library or sequence of Library
        Several count as one. What they are stays in `sources`: a tuple with the name, the number of
        spectra and the SHA-256 of each, for results to state.

    Examples
    --------
    >>> import numpy as np
    >>> from gale.matching import Matcher
    >>> spectrum = np.zeros(70)
    >>> spectrum[[31 - 26, 45 - 26]] = 900, 300
    >>> matches = Matcher.default().matches(spectrum, 26, (26.0, 95.0), "alcohol")
    >>> matches[0].compound, round(matches[0].cosine, 2), matches[0].carries_family
    ('ethanol', 0.77, True)
    """

    def __init__(self, library: Library | Sequence[Library]) -> None:
        libraries = [library] if isinstance(library, Library) else library
        if not isinstance(libraries, list | tuple) or not libraries:
            check_kind("library", library, Library)
        for each in libraries:
            check_kind("library", each, Library)
        self.library = libraries[0] if len(libraries) == 1 else Library.join(libraries)
        self.sources = tuple(each.facts for each in libraries)
        spectra = self.library.nominal_spectra(LAST_MZ + 1).astype(np.float32)
        self._spectra = weigh(spectra, 0)

    def weighted(self, low: int, high: int) -> Floats32:
        """Give the library's spectra as they are compared, from one m/z to another, (C, M)."""
        return self._spectra[:, low : high + 1]

    @classmethod
    def default(cls) -> Matcher:
        """Make a matcher of what comes with gale, and of the libraries that were added to it.

        What comes with gale are metabolites, volatile and further compounds, and substances of any
        laboratory: gases, solvents, reagents, contaminants and column bleed.
        """
        return cls(references())

    @classmethod
    @checked
    def of(cls, *libraries: Named) -> Matcher:
        """Make a matcher of libraries by their names.

        Parameters
        ----------
        *libraries : str or path
            Names of libraries that were added, paths of files of spectra and of folders of
            MassBank records, or ``gale`` for what comes with it.

        Raises
        ------
        ReadError
            If a library cannot be read.

        Examples
        --------
        >>> import gale
        >>> [source["name"] for source in gale.Matcher.of("gale").sources]
        ['gale']
        """
        return cls(references(libraries))

    def matches(
        self,
        spectrum: Floats,
        first_mz: int,
        recorded: tuple[float, float],
        family: str | None = None,
        index: float = np.nan,
    ) -> tuple[Match, ...]:
        """Find the compounds that match a spectrum best, each once, best first.

        Parameters
        ----------
        spectrum : array of shape (M,)
            Intensity at each m/z from `first_mz` on.
        first_mz : int
        recorded : pair of float
            Lowest and highest m/z that the run has recorded; ions outside are not compared.
        family : str, optional
            Family to look for in the compounds.
        index : float
            Retention index of the spectrum, NaN if unknown. Compounds whose index differs by more
            than :data:`INDEX_TOLERANCE` are left out.

        Returns
        -------
        tuple of Match
            At most :data:`MATCHES`.
        """
        low = max(first_mz, int(np.rint(recorded[0])))
        high = min(first_mz + len(spectrum) - 1, int(np.rint(recorded[1])), LAST_MZ)
        if high < low:
            return ()
        weighted = weigh(spectrum[None, low - first_mz : high + 1 - first_mz], low)
        rows, cosine = self.closest(weighted, low, np.array([index]))
        best: dict[str, Match] = {}
        for row, similar in zip(rows[0].tolist(), cosine[0].tolist(), strict=True):
            if similar < LEAST_COSINE or len(best) == MATCHES:
                break
            best.setdefault(self.library.name[row], self._match(row, similar, family))
        return tuple(best.values())

    def closest(self, weighted: Floats32, low: int, index: Floats) -> tuple[Integers, Floats]:
        """Find the library's spectra with the largest cosines to each of K spectra.

        Parameters
        ----------
        weighted : array of shape (K, M)
            Spectra from m/z `low` on, as :func:`weigh` gives them.
        low : int
        index : array of shape (K,)
            Retention index of each, NaN if unknown, as for :meth:`matches`.

        Returns
        -------
        rows, cosine : arrays of shape (K, at most :data:`CANDIDATES` for each part of the library)
            Rows of the library, and their cosines, the largest first.
        """
        known = self.weighted(low, low + weighted.shape[1] - 1)
        unit = unit_length(weighted)
        all_rows, best = [], []
        for first in range(0, len(known), AT_ONCE):
            part = known[first : first + AT_ONCE]
            cosine = unit @ unit_length(part).T
            known_index = self.library.retention_index[first : first + AT_ONCE]
            cosine[np.abs(known_index - index[:, None]) > INDEX_TOLERANCE] = 0
            number = min(CANDIDATES, len(part))
            rows = np.sort(np.argpartition(-cosine, number - 1, axis=1)[:, :number], axis=1)
            best.append(np.take_along_axis(cosine, rows, axis=1))
            all_rows.append(rows + first)
        rows = np.concatenate(all_rows, axis=1)
        highest = np.minimum(np.concatenate(best, axis=1).astype(np.float64), 1.0)
        order = np.argsort(-highest, axis=1, kind="stable")
        return np.take_along_axis(rows, order, axis=1), np.take_along_axis(highest, order, axis=1)

    def _match(self, at: int, cosine: float, family: str | None) -> Match:
        return Match(
            self.library.name[at],
            cosine,
            float(self.library.retention_index[at]),
            None if family is None else carries_family(self.library, at, family),
            at,
            self.library.inchikey[at],
        )


def weigh(spectra: Floats32 | Floats, low: int) -> Floats32:
    """Weigh K spectra (K, M) of the nominal m/z from `low` on, as they are compared."""
    mz = np.arange(low, low + spectra.shape[1], dtype=np.float32)
    weighted = np.asarray(spectra, dtype=np.float32) ** INTENSITY_POWER * mz**MZ_POWER
    return weighted.astype(np.float32, copy=False)


def unit_length(weighted: Floats32) -> Floats32:
    """Divide weighted spectra (K, M) by their lengths; empty ones stay as they are."""
    unit: Floats32 = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), TINY)
    return unit


def first_of_alike(unit: Floats32, limit: float) -> NDArray[np.bool_]:
    """Keep those of spectra (K, M) that are like no earlier kept one, shape (K,).

    Spectra are alike if their cosine is above `limit`.
    """
    alike = unit @ unit.T > limit
    kept = np.zeros(len(unit), dtype=bool)
    for at in range(len(unit)):
        kept[at] = not alike[at, kept].any()
    return kept
