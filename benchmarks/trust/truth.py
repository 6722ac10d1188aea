"""What benchmarks of evidence share: their options, and the compounds that evidence should find."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from gale.simulation.told import TOLD_ROLES


def parse_options(description: str | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaign", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--library", type=Path, nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=100, help="test runs to look at")
    parser.add_argument("--markdown", action="store_true", help="print a table for documents")
    return parser.parse_args()


def told_compounds(folder: Path) -> pl.DataFrame:
    """Give the compounds of a simulated campaign that make its labels and can be seen."""
    return pl.read_parquet(folder / "truth.parquet").filter(
        pl.col("role").is_in(list(TOLD_ROLES)), pl.col("abundance") >= 1
    )
