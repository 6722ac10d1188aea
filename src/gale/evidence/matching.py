"""Which compounds of a library are like a spectrum.

Likeness is the cosine of spectra whose intensities are raised to :data:`INTENSITY_POWER` and
multiplied by m/z to :data:`MZ_POWER`, so that heavy and small ions count (Stein & Scott 1994, J.
Am. Soc. Mass Spectrom. 5, 859), in the range of m/z that the run has recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gale.library import Library, embedded_library, substances
from gale.library.substances import KINDS
from gale.run import Floats

INTENSITY_POWER, MZ_POWER = 0.5, 1.0

LEAST_COSINE = 0.7
"""Spectra that are less alike are not taken for a match."""

MATCHES = 5
"""Compounds that are given, at most."""

INDEX_TOLERANCE = 50.0
"""Index units by which a compound's retention index may differ from that of the window: further
off are those that are of another column, or are not it."""

LAST_MZ = 600


@dataclass(frozen=True)
class Match:
    """A compound that is like a spectrum.

    Parameters
    ----------
    compound : str
    cosine : float
        0 to 1.
    index : float
        Its retention index in the library; NaN if unknown.
    carries_family : bool or None
        Whether the compound is of the family in question; None if the library does not say.
    row : int
        Which spectrum of the library it is.
    """

    compound: str
    cosine: float
    index: float
    carries_family: bool | None
    row: int


class Matcher:
    """The C spectra of a library, ready to be compared.

    Parameters
    ----------
    library : Library
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        mz = np.arange(LAST_MZ + 1)
        spectra = library.nominal_spectra(LAST_MZ + 1).astype(np.float32)
        self._spectra: NDArray[np.float32] = spectra**INTENSITY_POWER * mz**MZ_POWER

    @classmethod
    def default(cls) -> Matcher:
        """Take what gale brings along: metabolites, and the substances of every laboratory.

        The latter are volatile compounds, gases, solvents, reagents, contaminants and bleed: what
        else is in a run has a name, too.
        """
        others = [substances(kind) for kind in KINDS]
        return cls(replace(Library.join([embedded_library(), *others]), source="gale"))

    def matches(
        self,
        spectrum: Floats,
        first_mz: int,
        recorded: tuple[float, float],
        family: str,
        index: float = np.nan,
    ) -> tuple[Match, ...]:
        """Give the compounds that are most like a spectrum, each once, best first.

        Parameters
        ----------
        spectrum : array of shape (M,)
        first_mz : int
            The m/z of its first element; each next one is 1 more.
        recorded : pair of float
            Lowest and highest m/z that the run has recorded: ions outside say nothing.
        family : str
        index : float
            Retention index of the spectrum. If it is known, compounds whose own index is further
            off than :data:`INDEX_TOLERANCE` are left out.
        """
        low = max(first_mz, int(np.rint(recorded[0])))
        high = min(first_mz + len(spectrum) - 1, int(np.rint(recorded[1])), LAST_MZ)
        mz = np.arange(low, high + 1)
        found = spectrum[mz - first_mz] ** INTENSITY_POWER * mz**MZ_POWER
        theirs = self._spectra[:, low : high + 1]
        with np.errstate(invalid="ignore", divide="ignore"):  # spectra without an ion in the range
            cosine = theirs @ found / np.linalg.norm(theirs, axis=1) / np.linalg.norm(found)
        off = np.abs(self.library.retention_index - index) > INDEX_TOLERANCE
        cosine = np.where(off | ~np.isfinite(cosine), 0.0, cosine)
        best: dict[str, Match] = {}
        for at in np.argsort(-cosine, kind="stable"):
            if cosine[at] < LEAST_COSINE or len(best) == MATCHES:
                break
            name = self.library.name[at]
            best.setdefault(name, self._match(int(at), float(cosine[at]), family))
        return tuple(best.values())

    def _match(self, at: int, cosine: float, family: str) -> Match:
        families: Sequence[str] | None = self.library.families[at]
        return Match(
            self.library.name[at],
            min(cosine, 1.0),
            float(self.library.retention_index[at]),
            None if families is None else family in families,
            at,
        )
