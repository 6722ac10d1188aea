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

from gale.library import Library, read_library
from gale.output import writing

TEXTS = ("name", "formula", "smiles", "inchi", "inchikey", "derivative")


def to_table(library: Library) -> pl.DataFrame:
    """Make a table of a library: one row a spectrum, lists of m/z and intensity."""

    def lists(ions: NDArray[np.float64]) -> list[NDArray[np.uint16]]:
        small = ions.astype(np.uint16)
        if not np.array_equal(small, ions):
            raise SystemExit(f"{library.source}: expected integers from 0 to 65,535")
        return np.split(small, library.spectrum_start[1:-1])

    return pl.DataFrame(
        {name: getattr(library, name) for name in TEXTS}
        | {"retention_index": library.retention_index}
        | {"mz": lists(library.mz), "intensity": lists(library.intensity)},
        schema_overrides={"mz": pl.List(pl.UInt16), "intensity": pl.List(pl.UInt16)},
    )


def main(msp: str, out: str) -> None:
    """Read an MSP file and write it as Parquet."""
    table = to_table(read_library(msp))
    with writing(Path(out), force=True) as temporary:
        table.write_parquet(temporary, compression="zstd", compression_level=22, statistics=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
