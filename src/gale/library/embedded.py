"""The library that comes with gale: metabolites, many of them silylated, with retention indices."""

from __future__ import annotations

import io
from importlib.resources import files

import numpy as np
import polars as pl

from gale.library.library import Library

FILE = "pnnl_metabolites.parquet"
"""Made by ``tools/make_embedded_library.py``."""


def embedded_library() -> Library:
    """Return the library that comes with gale.

    1,284 EI spectra of 814 compounds, m/z 33 to 599, in integers, base peak 1000, measured at the
    Pacific Northwest National Laboratory (licence in NOTICE). Formula and structure are those of
    the parent; one record (an impurity) has none. `families` follow from the structure. The makers
    state the derivative of 508 records; for another 706
    :func:`gale.chemistry.derivatives.guess_derivatives` found one (``n TMS``, ``n MEOX``); the
    other 70 show no sign of derivatization.

    Retention indices are on the scale of n-alkanes. The makers' scale is one of fatty acid methyl
    esters (methyl octanoate 800, methyl stearate 1800). It was converted by a line through the
    indices of seven esters on semi-standard non-polar columns in the NIST WebBook (1125 and 2128);
    the line is within 1.5 of them and extrapolated beyond methyl docosanoate. For the 57 spectra
    whose compound and derivative have an index in MassBank, half of the indices agree within 12
    and 9 of 10 within 143; the median index in MassBank is 9 higher.

    Examples
    --------
    >>> from gale import embedded_library
    >>> embedded_library()
    <Library embedded pnnl_metabolites.parquet: 1,284 spectra, 1,284 with retention index, \
134,179 ions, m/z 33 to 599>
    """
    data = (files("gale") / "data" / FILE).read_bytes()
    return from_table(pl.read_parquet(io.BytesIO(data)), f"embedded {FILE}")


def from_table(table: pl.DataFrame, source: str) -> Library:
    """Make a library from a table with one row per spectrum and lists of m/z and intensity."""

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
