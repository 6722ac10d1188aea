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
    structure are those of the parent, one record (an impurity) has none; `families` are those of
    the structure. Of 508 records the makers say how they were derivatized; of another 706
    :func:`gale.chemistry.derivatives.guess_derivatives` saw that they were (``n TMS``, ``n MEOX``);
    70 were not, as far as one can see.

    Retention indices are on the scale of n-alkanes. The makers' own scale is one of fatty acid
    methyl esters (methyl octanoate 800, methyl stearate 1800), put on the other by a line through
    what the NIST WebBook gives for seven of them on semi-standard non-polar columns (1125 and
    2128), which they are within 1.5 of; beyond methyl docosanoate it is drawn out. Of 57 spectra
    whose compound and derivative have an index in MassBank, half agree within 12, 9 of 10 within
    143; on the median MassBank's are 9 higher.
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
        families=tuple(
            None if names is None else tuple(names) for names in table["families"].to_list()
        ),
        source=source,
    )
