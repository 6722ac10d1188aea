"""Matches: compounds of a library whose spectra are similar to a spectrum.

Similarity is the cosine of spectra whose intensities are raised to :data:`INTENSITY_POWER` and
multiplied by m/z to the power :data:`MZ_POWER`, so that heavy and small ions count (Stein & Scott
1994, J. Am. Soc. Mass Spectrom. 5, 859), within the range of m/z that the run has recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gale.library import Library
from gale.library.choice import Named, references
from gale.matching.families import carries_family
from gale.plumbing.arguments import check_kind
from gale.plumbing.kinds import checked
from gale.run import Floats, Floats32

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
    """The C spectra of a library, prepared for matching.

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
        mz = np.arange(LAST_MZ + 1)
        spectra = self.library.nominal_spectra(LAST_MZ + 1).astype(np.float32)
        self._spectra: Floats32 = spectra**INTENSITY_POWER * mz**MZ_POWER

    @property
    def weighted(self) -> Floats32:
        """The spectra as they are compared, shape (C, :data:`LAST_MZ` + 1)."""
        return self._spectra

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
        mz = np.arange(low, high + 1)
        weighted = spectrum[mz - first_mz] ** INTENSITY_POWER * mz**MZ_POWER
        known = self._spectra[:, low : high + 1]
        with np.errstate(invalid="ignore", divide="ignore"):  # spectra without an ion in the range
            cosine = known @ weighted / np.linalg.norm(known, axis=1) / np.linalg.norm(weighted)
        off = np.abs(self.library.retention_index - index) > INDEX_TOLERANCE
        cosine = np.where(off | ~np.isfinite(cosine), 0.0, cosine)
        best: dict[str, Match] = {}
        for at in np.argsort(-cosine, kind="stable"):
            if cosine[at] < LEAST_COSINE or len(best) == MATCHES:
                break
            name = self.library.name[at]
            best.setdefault(name, self._match(int(at), float(cosine[at]), family))
        return tuple(best.values())

    def _match(self, at: int, cosine: float, family: str | None) -> Match:
        return Match(
            self.library.name[at],
            min(cosine, 1.0),
            float(self.library.retention_index[at]),
            None if family is None else carries_family(self.library, at, family),
            at,
            self.library.inchikey[at],
        )
