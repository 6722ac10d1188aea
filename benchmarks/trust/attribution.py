"""How often the ions that attribution names are ions of compounds that carry the family.

    python benchmarks/attribution.py CAMPAIGN MODEL [--library FILE…] [--runs 100] [--markdown]

CAMPAIGN was made by gale simulate, and MODEL was not trained on its test runs. For each family that
a test run holds and that is more probable than usual, by how far its most abundant compound is over
the detection limit: how many of the ions named, and of those named first, reach a tenth of the base
peak in the spectrum of a compound of the family that is in the run. By chance: how many of all m/z
that attribution could have named do. Libraries are those of the campaign; by default, gale's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

import gale
from accuracy import show_markdown
from evidence import TIMES_OVER, share
from evidence_truth import parse_options, told_compounds
from gale.evidence import attributions_of
from gale.evidence.attribution import without_ions
from gale.library import Library, default_libraries, read_library, substances
from simulator import show

LEAST_HEIGHT = 0.1
"""Of the base peak, that an ion of a compound has to reach."""


@dataclass(frozen=True)
class Named:
    """What came of a family that a run holds, and that is shown."""

    abundance: float
    right: list[bool]
    by_chance: float


def main() -> None:
    """Look at the attribution of the test runs, and print a table."""
    options = parse_options(__doc__)
    libraries = [read_library(path) for path in options.library] or default_libraries()
    ions = ions_of(Library.join([*libraries, substances("gas")]))
    model = gale.Model.load(options.model)
    named = list(look(options.campaign, model, ions, options.runs))
    title = f"{options.campaign.name}, {options.model.name}: {options.runs} test runs"
    (show_markdown if options.markdown else show)(title, table(named))


def ions_of(library: Library) -> dict[str, set[int]]:
    """The m/z of the ions of each compound that are high, by its name."""
    ions: dict[str, set[int]] = {}
    for at, name in enumerate(library.name):
        mz, intensity = library.spectrum(at)
        high = intensity >= LEAST_HEIGHT * intensity.max()
        ions.setdefault(name, set()).update(np.rint(mz[high]).astype(int).tolist())
    return ions


def look(
    folder: Path, model: gale.Model, ions: Mapping[str, set[int]], n_runs: int
) -> Iterator[Named]:
    """Give what came of each family that is held and shown of each of the first test runs."""
    campaign = gale.Campaign.open(folder).of_split("test")
    truth = told_compounds(folder)
    for name, path in list(zip(campaign.runs, campaign.paths, strict=True))[:n_runs]:
        run = gale.read_run(path)
        there = without_ions(model.spec, model.spec.features_of(run))[0].tolist()
        for each in attributions_of(model, run):
            carriers = truth.filter(pl.col("families").list.contains(each.family), run=name)
            if len(carriers):
                theirs = set[int]().union(*(ions[compound] for compound in carriers["compound"]))
                highest = max(carriers["abundance"].to_list())
                right = [ion in theirs for ion in each.ions]
                yield Named(highest, right, float(np.mean([mz in theirs for mz in there])))


def table(named: list[Named]) -> list[list[str]]:
    """Make the table."""
    rows = [["times over the limit", "families", "ions", "right", "first right", "one right",
             "by chance"]]  # fmt: skip
    for low, high in pairwise(TIMES_OVER):
        here = [each for each in named if low <= each.abundance < high]
        all_ions = [right for each in here for right in each.right]
        rows.append(
            [
                f"{low:g} to {high:g}" if high < np.inf else f"{low:g} and more",
                f"{len(here):,}",
                f"{len(all_ions):,}",
                share(all_ions),
                share([each.right[0] for each in here if each.right]),
                share([any(each.right) for each in here]),
                f"{100 * np.mean([each.by_chance for each in here]):.0f} %" if here else "-",
            ]
        )
    return rows


if __name__ == "__main__":
    main()
