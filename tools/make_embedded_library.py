"""Make the compact file of the library that comes with gale.

    python tools/make_embedded_library.py PNNLMetV20191015.msp OUT.parquet

The MSP is in the wheel of the PyPI package corems 4.1.0, under corems/molecular_id/data/; OUT
belongs into src/gale/data/. Its m/z and intensities have to be integers up to 65,535.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gale.chemistry.derivatives import guess_derivatives
from gale.chemistry.families import default_family_table, families_of
from gale.library import Library, read_library
from gale.plumbing.files import writing

TEXTS = ("name", "formula", "smiles", "inchi", "inchikey")

ESTERS = {800: 1125, 1000: 1325, 1200: 1525, 1400: 1725, 1600: 1926, 1800: 2128, 2200: 2531}
"""Fatty acid methyl esters, octanoate to docosanoate: by their own scale, and what the NIST WebBook
gives on semi-standard non-polar columns."""


def to_alkane_scale(index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put indices by fatty acid methyl esters on the scale of n-alkanes: a line, within 1."""
    slope, start = np.polyfit(list(ESTERS), list(ESTERS.values()), 1)
    alkane_scale: NDArray[np.float64] = np.round(start + slope * index, 1)
    return alkane_scale


def families(library: Library) -> list[list[str] | None]:
    """Name the families of each compound; None where it has no structure."""
    names = np.array(list(default_family_table()))
    return [
        None if np.isnan(row).any() else names[row == 1].tolist()
        for row in families_of(library.structure)
    ]


def to_table(library: Library) -> pl.DataFrame:
    """Make a table of a library: one row a spectrum, lists of m/z and intensity."""

    def lists(ions: NDArray[np.float64]) -> list[NDArray[np.uint16]]:
        small = ions.astype(np.uint16)
        if not np.array_equal(small, ions):
            raise SystemExit(f"{library.source}: expected integers from 0 to 65,535")
        return np.split(small, library.spectrum_start[1:-1])

    return pl.DataFrame(
        {name: getattr(library, name) for name in TEXTS}
        | {"derivative": guess_derivatives(library, silylated=True), "families": families(library)}
        | {"retention_index": to_alkane_scale(library.retention_index)}
        | {"mz": lists(library.mz), "intensity": lists(library.intensity)},
        schema_overrides={
            "families": pl.List(pl.String),
            "mz": pl.List(pl.UInt16),
            "intensity": pl.List(pl.UInt16),
        },
    )


def main(msp: str, out: str) -> None:
    """Read an MSP file and write it as Parquet."""
    table = to_table(read_library(msp))
    with writing(Path(out), force=True) as temporary:
        table.write_parquet(temporary, compression="zstd", compression_level=22, statistics=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
