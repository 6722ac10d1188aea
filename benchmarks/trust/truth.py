"""What benchmarks of evidence share: their options, and the compounds that evidence should find."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import polars as pl

import gale
from benchmarks import options
from gale.library import Library, read_library
from gale.run import Run
from gale.simulation.peaks import LABEL_ROLES

TIMES_OVER = (1.0, 3.0, 10.0, 100.0, np.inf)
"""Limits of the abundance over the detection limit."""


class Seen(Protocol):
    """Something that a compound of some abundance gave rise to."""

    @property
    def abundance(self) -> float:
        """Height of the most abundant compound over the detection limit."""


S = TypeVar("S", bound=Seen)


def evidence_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Make the parser of a benchmark of evidence."""
    parser = options.parser(module, description)
    parser.add_argument("campaign", type=Path, metavar="CAMPAIGN")
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument(
        "--library", type=Path, nargs="*", default=[], help="what the campaign was made of"
    )
    parser.add_argument(
        "--runs", type=int, default=100, help="test runs to look at (default: %(default)s)"
    )
    return parser


def libraries(paths: Sequence[Path]) -> list[Library]:
    """Read libraries."""
    return [read_library(path) for path in paths]


def runs_of_test(folder: Path, most: int) -> Iterator[tuple[Run, pl.DataFrame]]:
    """Give the first test runs of a simulated campaign, each with the compounds to be found.

    These make its labels, and can be seen.
    """
    truth = pl.read_parquet(folder / "truth.parquet").filter(
        pl.col("role").is_in(list(LABEL_ROLES)), pl.col("abundance") >= 1
    )
    campaign = gale.Campaign.open(folder).of_split("test")
    for name, path in list(zip(campaign.runs, campaign.paths, strict=True))[:most]:
        yield gale.read_run(path), truth.filter(run=name)


def carriers(compounds: pl.DataFrame, family: str) -> pl.DataFrame:
    """Give the compounds that carry a family."""
    return compounds.filter(pl.col("families").list.contains(family))


def by_abundance(seen: Sequence[S]) -> Iterator[tuple[str, list[S]]]:
    """Divide by how far abundances are over the detection limit; each part with its name."""
    for low, high in pairwise(TIMES_OVER):
        name = f"{low:g} to {high:g}" if high < np.inf else f"{low:g} and more"
        yield name, [each for each in seen if low <= each.abundance < high]
