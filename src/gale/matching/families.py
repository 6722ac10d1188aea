"""Families of the compounds of a library: as it states them, or else as their structures say."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gale.errors import MissingExtraError
from gale.library import Library


def families_of_row(library: Library, row: int) -> tuple[str, ...] | None:
    """Families of a compound: as the library states them, or from its structure; None if unknown.

    Structures need the extra ``chem``, and say what is in :func:`gale.chemistry.families
    .default_family_table`.
    """
    stated = library.families[row]
    structure = library.smiles[row] or library.inchi[row]
    if stated is not None or not structure:
        return stated
    return _families_of(structure)


def carries_family(library: Library, row: int, family: str) -> bool | None:
    """Whether a compound carries a family; None if neither library nor structure say so.

    A structure says nothing of a family of one's own, which has no rule.
    """
    families = families_of_row(library, row)
    if families is None or (library.families[row] is None and family not in _ruled()):
        return None
    return family in families


@lru_cache(maxsize=4096)
def _families_of(structure: str) -> tuple[str, ...] | None:
    """Families of a structure; None if it cannot be read, or without the extra ``chem``."""
    try:
        from gale.chemistry.families import default_family_table, families_of
    except MissingExtraError:
        return None
    has = families_of([structure])[0]
    if np.isnan(has).any():
        return None
    return tuple(name for name, value in zip(default_family_table(), has, strict=True) if value)


@lru_cache(maxsize=1)
def _ruled() -> frozenset[str]:
    from gale.chemistry.families import default_family_table

    return frozenset(default_family_table())
