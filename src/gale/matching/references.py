"""Reference spectra with their families: what a network compares the spectra of a run with.

They are the measured spectra of metabolites that come with gale, and the approximate ones of other
substances (`gale.library.substances`), which tell families well enough, though not isomers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gale.library import Library, embedded_library
from gale.library.substances import BACKGROUND, KINDS, substances
from gale.matching.families import families_of_row
from gale.matching.matcher import LAST_MZ, TINY, first_of_alike, weigh
from gale.run import Floats32

LEAST_INSIDE = 0.5
"""Least share of the length of a spectrum, as it is compared, that is within the range of m/z."""

ALIKE = 0.85
"""Cosine above which a spectrum is like another of the same families, and left out."""


@dataclass(frozen=True, eq=False)
class ReferenceSpectra:
    """C spectra over M nominal m/z, as they are compared, and what is known of them.

    Parameters
    ----------
    spectra : array of shape (C, M)
        Of length 1.
    families : bool array of shape (C, K)
    background : bool array of shape (C,)
        Whether a run has the substance without a sample, too.
    """

    spectra: Floats32
    families: NDArray[np.bool_]
    background: NDArray[np.bool_]


@cache
def reference_spectra(families: tuple[str, ...], first_mz: int, n_mz: int) -> ReferenceSpectra:
    """Prepare the spectra that come with gale, from `first_mz` on; see :class:`ReferenceSpectra`.

    A spectrum that is like another one of the same families is left out, and so is one that is
    mostly outside the range, or whose families nobody knows.

    Examples
    --------
    >>> references = reference_spectra(("alcohol", "mineral"), first_mz=12, n_mz=339)
    >>> references.spectra.shape[1], bool(references.families.any(axis=0).all())
    (339, True)
    """
    parts = [
        _prepared(library, families, first_mz, n_mz, background=kind in BACKGROUND)
        for kind, library in [
            ("metabolite", embedded_library()),
            *((kind, substances(kind)) for kind in KINDS),
        ]
    ]
    spectra, of_families, background = (np.concatenate(each) for each in zip(*parts, strict=True))
    kept = _unlike(spectra, np.column_stack([of_families, background]))
    return ReferenceSpectra(spectra[kept], of_families[kept], background[kept])


def _prepared(
    library: Library, families: Sequence[str], first_mz: int, n_mz: int, *, background: bool
) -> tuple[Floats32, NDArray[np.bool_], NDArray[np.bool_]]:
    weighted = weigh(library.nominal_spectra(LAST_MZ + 1).astype(np.float32), 0)
    inside = weighted[:, first_mz : first_mz + n_mz]
    length = np.linalg.norm(inside, axis=1)
    carried = [families_of_row(library, row) for row in range(len(library))]
    usable = length > LEAST_INSIDE * np.linalg.norm(weighted, axis=1) + TINY
    rows = np.flatnonzero(usable & np.array([names is not None for names in carried]))
    has = [[name in (carried[row] or ()) for name in families] for row in rows]
    unit = inside[rows] / length[rows, None]
    of_families = np.array(has, dtype=bool).reshape(-1, len(families))
    return unit, of_families, np.full(len(rows), background)


def _unlike(spectra: Floats32, facts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Choose rows, in their order, of which none is like an earlier one of the same facts."""
    chosen = np.zeros(len(spectra), dtype=bool)
    _, group = np.unique(facts, axis=0, return_inverse=True)
    for number in range(group.max(initial=-1) + 1):
        rows = np.flatnonzero(group.ravel() == number)
        chosen[rows] = first_of_alike(spectra[rows], ALIKE)
    return np.flatnonzero(chosen)
