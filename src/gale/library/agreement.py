"""Whether libraries say the same of the compounds that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import isnan

from gale.library.library import Library
from gale.plumbing.text import counted, listed

TOLERANCE = 50.0
"""Difference of two retention indices of a compound from which on they are not of one column."""

SHOWN = 3
"""Number of compounds that are named."""


def disagreements(libraries: Sequence[Library]) -> Iterator[str]:
    """Say, for each two libraries, which compounds have different retention indices in them.

    Compounds are the same if structure (InChIKey) and derivative are.

    Examples
    --------
    >>> from gale.library import substances
    >>> volatile = substances("volatile")
    >>> list(disagreements([volatile, volatile]))
    []
    """
    known = [_indices(each) for each in libraries]
    for (one, first), (other, second) in combinations(zip(libraries, known, strict=True), 2):
        differ = [
            f"{name} {index:.0f} and {second[key][1]:.0f}"
            for key, (name, index) in first.items()
            if key in second and abs(index - second[key][1]) > TOLERANCE
        ]
        if differ:
            yield (
                f"{one.source} and {other.source} disagree on the retention index of "
                f"{counted(len(differ), 'compound')} ({listed(differ, SHOWN)}); both are searched"
            )


def _indices(library: Library) -> dict[tuple[str, str], tuple[str, float]]:
    """Name and retention index of each compound that has a structure and an index."""
    columns = zip(
        library.inchikey, library.derivative, library.name, library.retention_index.tolist(),
        strict=True,
    )  # fmt: skip
    return {
        (inchikey, derivative): (name, index)
        for inchikey, derivative, name, index in columns
        if inchikey and not isnan(index)
    }
