"""A library: reference spectra of compounds, column by column."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gale.errors import GaleError
from gale.plumbing.arguments import check_whole
from gale.plumbing.kinds import checked
from gale.plumbing.text import counted
from gale.run import Floats, Integers

_TUPLES = ("name", "formula", "smiles", "inchi", "inchikey", "derivative", "families")
"""Columns that are tuples, with one item per compound."""


@dataclass(frozen=True, eq=False, repr=False)
class Library:
    """Reference spectra of C compounds with N ions in all. The arrays are read-only.

    A compound that was measured more than once has more than one entry. Unknown texts are empty.
    Formula and structure of a derivatized compound are as the library gives them; most libraries
    give the parent.

    Parameters
    ----------
    name : tuple of str of length C
        Name of each compound.
    spectrum_start : array of shape (C + 1,)
        The ions of compound c are ``spectrum_start[c]`` to ``spectrum_start[c + 1] - 1``.
    mz : array of shape (N,)
        m/z of every ion, in ascending order within a spectrum.
    intensity : array of shape (N,)
        Intensity of every ion, not negative, in the unit of the library (often with a base peak
        of 999 or 1000). Every spectrum has an ion above 0.
    retention_index : array of shape (C,)
        Retention index, on a non-polar column if the library gives several; NaN where unknown.
    formula, smiles, inchi, inchikey : tuples of str of length C
    derivative : tuple of str of length C
        Number and name of the groups that derivatization added, such as ``2 TMS`` or
        ``1 MEOX 5 TMS``; ``n`` for an unknown number; empty if there are none or none is stated.
    families : tuple of length C, of tuples of str or None
        Names of the families of each compound as the library states them: ``()`` for no family,
        None if nothing is stated.
    source : str
        Name of the library in messages.
    skipped : mapping of str to int
        Number of records left out, by reason.

    Examples
    --------
    >>> from gale.library import embedded_library
    >>> library = embedded_library()
    >>> len(library)
    1284
    >>> mz, intensity = library.spectrum(library.name.index("naphthalene"))
    >>> float(mz[intensity.argmax()])
    128.0
    >>> len(library.take(library.retention_index > 2000))
    484
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
    families: tuple[tuple[str, ...] | None, ...]
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
        mz_range = f", m/z {self.mz.min():.0f} to {self.mz.max():.0f}" if len(self.mz) else ""
        n_skipped = sum(self.skipped.values())
        skipped = f", {counted(n_skipped, 'record')} skipped" if n_skipped else ""
        return (
            f"<Library {self.source}: {counted(len(self), 'spectrum', 'spectra')}, "
            f"{n_indexed:,} with retention index, {counted(len(self.mz), 'ion')}"
            f"{mz_range}{skipped}>"
        )

    @property
    def structure(self) -> tuple[str, ...]:
        """Structure of each compound: SMILES, else InChI, else empty."""
        return tuple(smiles or inchi for smiles, inchi in zip(self.smiles, self.inchi, strict=True))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of all columns, whatever file they are from, in hexadecimal digits."""
        digest = hashlib.sha256(json.dumps([getattr(self, each) for each in _TUPLES]).encode())
        for array in (self.spectrum_start, self.mz, self.intensity, self.retention_index):
            kind = "<i8" if array.dtype.kind in "iu" else "<f8"
            digest.update(np.ascontiguousarray(array, dtype=kind).data)
        return digest.hexdigest()

    @property
    def facts(self) -> dict[str, str | int]:
        """What a result says of a library that it used: its name, its size and `sha256`."""
        return {"name": self.source, "spectra": len(self), "sha256": self.sha256}

    @property
    def note(self) -> str:
        """How many records of the file were left out, and why; empty if none was."""
        n_skipped = sum(self.skipped.values())
        if not n_skipped:
            return ""
        are = "is" if n_skipped == 1 else "are"
        reasons = ", ".join(f"{count:,} ({reason})" for reason, count in self.skipped.items())
        return (
            f"{self.source}: {n_skipped:,} of {counted(n_skipped + len(self), 'record')} {are} "
            f"left out: {reasons}"
        )

    def spectrum(self, compound: int) -> tuple[Floats, Floats]:
        """Return m/z and intensity of the ions of one compound.

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

    @checked
    def nominal_spectra(self, n_mz: int) -> Floats:
        """Sum the ions of each nominal m/z from 1 to `n_mz` - 1, shape (C, n_mz)."""
        check_whole("n_mz", n_mz)
        compound = np.repeat(np.arange(len(self)), np.diff(self.spectrum_start))
        mz = np.rint(self.mz).astype(np.int64)
        inside = (mz >= 1) & (mz < n_mz)
        place = compound[inside] * n_mz + mz[inside]
        summed = np.bincount(place, self.intensity[inside], minlength=len(self) * n_mz)
        return np.asarray(summed.reshape(len(self), n_mz), dtype=np.float64)

    @checked
    def take(self, compounds: ArrayLike) -> Library:
        """Return the library of some compounds, in the given order.

        Parameters
        ----------
        compounds : array of int, or of bool and shape (C,)
            Positions, from 0 (negative from the end, repeats allowed), or a mask.

        Raises
        ------
        IndexError
            If the library has no such compound, or a mask has another length.
        """
        chosen = np.asarray(compounds)
        if chosen.ndim != 1:
            raise IndexError(f"compounds are of shape {chosen.shape} instead of one axis")
        at = np.arange(len(self))[chosen if chosen.size else chosen.astype(np.int64)]
        count = np.diff(self.spectrum_start)[at]
        start = np.append(0, np.cumsum(count))
        ions = np.repeat(self.spectrum_start[at] - start[:-1], count) + np.arange(start[-1])
        tuples: dict[str, Any] = {
            column: tuple(map(getattr(self, column).__getitem__, at)) for column in _TUPLES
        }
        return replace(
            self,
            **tuples,
            spectrum_start=start,
            mz=self.mz[ions],
            intensity=self.intensity[ions],
            retention_index=self.retention_index[at],
        )

    @classmethod
    @checked
    def join(cls, libraries: Sequence[Library]) -> Library:
        """Concatenate libraries.

        Raises
        ------
        GaleError
            If there are none.
        """
        if not len(libraries):
            raise GaleError("libraries", "is empty", "at least one library")

        def joined(column: str) -> Any:
            return np.concatenate([getattr(each, column) for each in libraries])

        n_ions = np.concatenate([np.diff(each.spectrum_start) for each in libraries])
        tuples: dict[str, Any] = {
            column: tuple(chain(*(getattr(each, column) for each in libraries)))
            for column in _TUPLES
        }
        return cls(
            **tuples,
            spectrum_start=np.append(0, np.cumsum(n_ions)),
            mz=joined("mz"),
            intensity=joined("intensity"),
            retention_index=joined("retention_index"),
            source=" + ".join(each.source for each in libraries),
            skipped=sum((Counter(each.skipped) for each in libraries), Counter()),
        )
