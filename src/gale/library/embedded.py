"""The library that comes with gale: metabolites, many of them silylated, with retention indices."""

from __future__ import annotations

import io
from importlib.resources import files

import numpy as np
import polars as pl

from gale.library.columns import Library

FILE = "pnnl_metabolites.parquet"
"""Made by ``tools/make_embedded_library.py``."""


def embedded_library() -> Library:
    """Give the library that comes with gale.

    1,284 EI spectra of 814 compounds from m/z 33 to 599, in integers, the base peak 1000;
    measured at the Pacific Northwest National Laboratory (its licence is in NOTICE). Formula and
    structure are those of the parent, one record (an impurity) has none. `derivative` is known
    for 508; most of the others are silylated too, as their m/z 73 shows.

    Every spectrum has a retention index, but not on the usual scale of n-alkanes: the n-alkanoic
    methyl esters define it, methyl octanoate being 800 and methyl stearate 1800 (about 1130 and
    2130 on the usual scale).
    """
    data = (files("gale") / "data" / FILE).read_bytes()
    return from_table(pl.read_parquet(io.BytesIO(data)), f"embedded {FILE}")


def from_table(table: pl.DataFrame, source: str) -> Library:
    """Make a library of a table with one row a spectrum and lists of m/z and intensity."""

    def texts(column: str) -> tuple[str, ...]:
        return tuple(table[column].to_list())

    return Library(
        name=texts("name"),
        spectrum_start=np.append(0, np.cumsum(table["mz"].list.len().to_numpy(), dtype=np.int64)),
        mz=table["mz"].explode().cast(pl.Float64).to_numpy(),
        intensity=table["intensity"].explode().cast(pl.Float64).to_numpy(),
        retention_index=table["retention_index"].to_numpy(),
        formula=texts("formula"),
        smiles=texts("smiles"),
        inchi=texts("inchi"),
        inchikey=texts("inchikey"),
        derivative=texts("derivative"),
        source=source,
    )
