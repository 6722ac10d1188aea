"""What two libraries say differently of the same compound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gale.library.derivative_names import UNKNOWN
from gale.library.library import Library
from gale.plumbing.text import counted, listed, shown
from gale.run import Floats

LEAST_COSINE = 0.5
"""Spectra of the same compound whose square roots have a smaller cosine disagree."""

MOST_INDICES = 100.0
"""Retention indices of the same compound that are further apart disagree."""

N_MZ = 601

Key = tuple[str, str]
"""The first block of the InChIKey, and the derivative."""


def note_disagreement(library: Library, known: Library) -> str:
    """Say which compounds of a library are different in a known one; empty if none is.

    Compounds are the same if the first blocks of their InChIKeys and their derivatives are. Where
    a library has several spectra of a compound, the two that are most alike count. Derivatives with
    an unknown number of groups are not compared.
    """
    there = _places(known)
    shared = {key: places for key, places in _places(library).items() if key in there}
    found = [
        f"{shown(library.name[places[0]])} ({', '.join([library.inchikey[places[0]], *reasons])})"
        for key, places in shared.items()
        if (reasons := list(_reasons(library.take(places), known.take(there[key]))))
    ]
    if not found:
        return ""
    are = "is" if len(found) == 1 else "are"
    return (
        f"{library.source}: of {counted(len(shared), 'compound')} that {known.source} has too, "
        f"{len(found):,} {are} different there: {listed(found, 5)}"
    )


def _places(library: Library) -> Mapping[Key, list[int]]:
    places: dict[Key, list[int]] = defaultdict(list)
    for place, (inchikey, derivative) in enumerate(
        zip(library.inchikey, library.derivative, strict=True)
    ):
        if inchikey and UNKNOWN not in derivative.split():
            places[inchikey.split("-")[0], derivative].append(place)
    return places


def _reasons(one: Library, other: Library) -> Iterator[str]:
    """Say in what records of one compound differ."""
    cosine = max(_cosine(left, right) for left in _spectra(one) for right in _spectra(other))
    if cosine < LEAST_COSINE:
        yield f"spectrum: cosine {cosine:.2f}"
    indices = [each.retention_index[np.isfinite(each.retention_index)] for each in (one, other)]
    if all(map(len, indices)):
        apart = np.abs(indices[0][:, None] - indices[1])
        if apart.min() > MOST_INDICES:
            yield f"index: {indices[0][0]:.0f} and {indices[1][0]:.0f}"
    families = [_stated(each) for each in (one, other)]
    if all(families) and not families[0] & families[1]:
        yield "families"


def _stated(library: Library) -> set[frozenset[str]]:
    return {frozenset(each) for each in library.families if each is not None}


def _spectra(library: Library) -> Sequence[tuple[int, Floats]]:
    """Square roots of the intensities by nominal m/z, with the first m/z of each spectrum."""
    roots = np.sqrt(library.nominal_spectra(N_MZ))
    return [(int(np.argmax(each > 0)), each) for each in roots]


def _cosine(left: tuple[int, Floats], right: tuple[int, Floats]) -> float:
    """Cosine from the m/z on where both begin."""
    first = max(left[0], right[0])
    one, other = left[1][first:], right[1][first:]
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
