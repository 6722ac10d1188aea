"""A library: reference spectra of compounds, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np

from gale.run import Floats, Integers


@dataclass(frozen=True, eq=False, repr=False)
class Library:
    """Reference spectra of C compounds, N ions in all. The arrays are read-only.

    A compound that was measured more than once is there more than once. Texts are empty where the
    library does not give them. Of a derivatized compound, formula and structure are what the
    library gives, which is most often the parent.

    Parameters
    ----------
    name : tuple of str of length C
        Name of each compound.
    spectrum_start : array of shape (C + 1,)
        The ions of compound c are those from ``spectrum_start[c]`` to ``spectrum_start[c + 1]``.
    mz : array of shape (N,)
        m/z of every ion, in order within a spectrum.
    intensity : array of shape (N,)
        Intensity of every ion, not negative, in the unit of the library (often the base peak is
        999 or 1000). No spectrum is all 0.
    retention_index : array of shape (C,)
        Retention index, on a non-polar column where the library says which; NaN where unknown.
    formula, smiles, inchi, inchikey : tuples of str of length C
    derivative : tuple of str of length C
        The groups that derivatization put in and how many, such as ``2 TMS`` or ``1 MEOX 5 TMS``;
        ``n`` for an unknown number; empty if there are none or nothing is said of it.
    source : str
        Name of the library, as used in messages.
    skipped : mapping
        How many records were left out, by reason.
    """

    name: tuple[str, ...]
    spectrum_start: Integers
    mz: Floats
    intensity: Floats
    retention_index: Floats
    formula: tuple[str, ...]
    smiles: tuple[str, ...]
    inchi: tuple[str, ...]
    inchikey: tuple[str, ...]
    derivative: tuple[str, ...]
    source: str = "memory"
    skipped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in ("spectrum_start", "mz", "intensity", "retention_index"):
            read_only = getattr(self, column).view()
            read_only.setflags(write=False)
            object.__setattr__(self, column, read_only)
        object.__setattr__(self, "skipped", MappingProxyType(dict(self.skipped)))

    def __reduce__(self) -> tuple[type[Library], tuple[object, ...]]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return Library, tuple({**values, "skipped": dict(self.skipped)}.values())

    def __len__(self) -> int:
        return len(self.name)

    def __repr__(self) -> str:
        n_indexed = int(np.isfinite(self.retention_index).sum())
        n_skipped = sum(self.skipped.values())
        skipped = f", {n_skipped:,} records skipped" if n_skipped else ""
        return (
            f"<Library {self.source}: {len(self):,} spectra, {n_indexed:,} with retention index, "
            f"{len(self.mz):,} ions, m/z {self.mz.min():.0f} to {self.mz.max():.0f}{skipped}>"
        )

    def spectrum(self, compound: int) -> tuple[Floats, Floats]:
        """Give m/z and intensity of the ions of one compound.

        Parameters
        ----------
        compound : int
            Its position, from 0; negative from the end.

        Returns
        -------
        mz, intensity : arrays, read-only

        Raises
        ------
        IndexError
            If the library has no such compound.
        """
        at = range(len(self))[compound]
        ions = slice(self.spectrum_start[at], self.spectrum_start[at + 1])
        return self.mz[ions], self.intensity[ions]
