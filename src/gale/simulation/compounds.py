"""What runs are made of: records of libraries, with spectra by nominal m/z."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gale.errors import SimulationError
from gale.library import Library
from gale.plumbing.toml import unknown_key
from gale.run import Floats

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

Booleans = NDArray[np.bool_]

N_MZ = 601
"""Channels: nominal m/z 0 to 600."""


@dataclass(frozen=True)
class Compounds:
    """C records to make runs of, and their K families.

    Parameters
    ----------
    family_names : tuple of str, length K
    name, inchikey, derivative : tuples of str, length C
        As the library has them.
    compound : array of str, shape (C,)
        The same for all records of one compound, whatever its derivative: the first block of the
        InChIKey, or the name in lower case.
    families : array of bool, shape (C, K)
    spectrum : array of shape (C, N_MZ), float32
        By nominal m/z, the base peak 1.
    index : array of shape (C,)
        Retention index on the n-alkane scale.
    """

    family_names: tuple[str, ...]
    name: tuple[str, ...]
    inchikey: tuple[str, ...]
    derivative: tuple[str, ...]
    compound: NDArray[np.str_]
    families: Booleans
    spectrum: NDArray[np.float32]
    index: Floats

    def __len__(self) -> int:
        return len(self.name)

    def take(self, records: NDArray[np.int64]) -> Compounds:
        """Take some of the records, in the order given."""
        return Compounds(
            self.family_names,
            _take(self.name, records),
            _take(self.inchikey, records),
            _take(self.derivative, records),
            self.compound[records],
            self.families[records],
            self.spectrum[records],
            self.index[records],
        )

    def families_of(self, record: int) -> list[str]:
        """Names of the families of a record."""
        return [self.family_names[k] for k in np.flatnonzero(self.families[record])]

    @property
    def derivatized(self) -> Booleans:
        """Whether each record is of a derivative, shape (C,)."""
        return np.array([bool(derivative) for derivative in self.derivative], dtype=bool)


def read_compounds(
    library: Library, table: FamilyTable | None = None, *, unretained: bool = False
) -> Compounds:
    """Take the records of a library that runs can be made of.

    Left out are records without ions of nominal m/z 1 to 600, without known families, or without a
    retention index that is known or can be estimated.

    Parameters
    ----------
    library : Library
    table : mapping of str to FamilyRule, optional
        The families; by default the nine of
        :func:`gale.chemistry.families.default_family_table`, taken from the library's records or
        else from their structures.
    unretained : bool
        Whether a record without an index is a gas that the column does not retain.

    Raises
    ------
    SimulationError
        If no record can be used, or a record names an unknown family.
    MissingExtraError
        If families or indices are needed from structures and RDKit is not installed.
    """
    if len(_to_classify(library, table)):
        from gale.chemistry.derivatives import guess_derivatives  # needs RDKit

        library = replace(library, derivative=guess_derivatives(library))
    family_names, families = _families(library, table)
    index = _index(library, unretained=unretained)
    spectrum = library.nominal_spectra(N_MZ).astype(np.float32)
    usable = np.isfinite(index) & ~np.isnan(families).any(axis=1) & (spectrum.max(axis=1) > 0)
    if not usable.any():
        unknown = np.isnan(families).any(axis=1).sum()
        raise SimulationError(
            library.source,
            f"has no record that can be simulated ({unknown:,} of {len(library):,} are without "
            "structure or families)",
            "SMILES or InChI, and ions of m/z 1 to 600",
            "choose another library",
        )
    keys = zip(library.inchikey, library.name, strict=True)
    return Compounds(
        family_names,
        library.name,
        library.inchikey,
        library.derivative,
        compound=np.array([key.split("-")[0] or name.lower() for key, name in keys]),
        families=families == 1,
        spectrum=spectrum / np.maximum(spectrum.max(axis=1, keepdims=True), 1e-30),
        index=index,
    ).take(np.flatnonzero(usable))


def join(parts: Sequence[Compounds]) -> Compounds:
    """Put records of the same families one after the other."""

    def texts(column: str) -> tuple[str, ...]:
        return tuple(text for part in parts for text in getattr(part, column))

    return Compounds(
        parts[0].family_names,
        name=texts("name"),
        inchikey=texts("inchikey"),
        derivative=texts("derivative"),
        compound=np.concatenate([part.compound for part in parts]),
        families=np.concatenate([part.families for part in parts]),
        spectrum=np.concatenate([part.spectrum for part in parts]),
        index=np.concatenate([part.index for part in parts]),
    )


def _families(library: Library, table: FamilyTable | None) -> tuple[tuple[str, ...], Floats]:
    """Names of the K families, and whether each record is in each, (C, K); NaN if unknown."""
    if table is None:
        text = (resources.files("gale") / "data" / "families.toml").read_text("utf-8")
        names = tuple(tomllib.loads(text))
        _check_names(library, names)
        stated = [
            None if named is None else [name in named for name in names]
            for named in library.families
        ]
    else:
        names = tuple(table)
        # a record of no family, as of bleed, is of none in any table
        stated = [[False] * len(names) if named == () else None for named in library.families]
    families = np.array(
        [[np.nan] * len(names) if row is None else row for row in stated], dtype=float
    )
    records = _to_classify(library, table)
    if len(records):
        from gale.chemistry.families import families_of  # needs RDKit

        families[records] = families_of(_take(library.structure, records), table)
    return names, families


def _check_names(library: Library, names: tuple[str, ...]) -> None:
    """Refuse unknown families of a library."""
    for record, families in zip(library.name, library.families, strict=True):
        for family in set(families or ()) - set(names):
            source = f"{library.source}: record {record}: family {family!r}"
            raise SimulationError(source, *unknown_key(family, names))


def _to_classify(library: Library, table: FamilyTable | None) -> NDArray[np.int64]:
    """Records whose families follow from their structure."""
    records = zip(library.structure, library.families, strict=True)
    return np.flatnonzero(
        [
            bool(structure) and (table is not None or families is None)
            for structure, families in records
        ]
    )


def _index(library: Library, *, unretained: bool) -> Floats:
    """Retention index of each record, (C,), estimated if the library has none."""
    index = library.retention_index.copy()
    unknown = np.isnan(index)
    if unretained:
        index[unknown] = 0.0
    elif unknown.any():
        from gale.chemistry.retention_index import estimate_retention_index  # needs RDKit

        records = np.flatnonzero(unknown)
        index[unknown] = estimate_retention_index(
            _take(library.structure, records), _take(library.derivative, records)
        )
    return index


def _take(texts: Sequence[str], chosen: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(texts[c] for c in chosen)
