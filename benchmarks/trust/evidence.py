"""How often what gale shows as evidence is what was put into the run, on simulated truth.

    python benchmarks/evidence.py CAMPAIGN MODEL [--library FILE…] [--runs 100] [--markdown]

CAMPAIGN was made by gale simulate, and MODEL, with an elution network, not trained on its test
runs. For each family that a test run holds, by how far its most abundant compound is over the
detection limit: how often the first window has its apex within the peak of a compound that carries
the family (half of its width and half of a time bin off at most), of families that are predicted
at all; and, where it does, how often a compound there is the first, or one of the five, that are
named. Minerals are left out of the names, since they are gases without a spectrum of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

import gale
from accuracy import show_markdown
from evidence_truth import parse_options, told_compounds
from gale.evidence import Matcher, Window, windows_of
from gale.features.events import EventSpec
from gale.library import Library, read_library
from simulator import show

TIMES_OVER = (1.0, 3.0, 10.0, 100.0, np.inf)
"""Limits of the abundance over the detection limit."""


@dataclass(frozen=True)
class Found:
    """What came of a family that a run holds."""

    abundance: float
    family: str
    shown: bool
    in_peak: bool
    names: tuple[str, ...]
    true_names: frozenset[str]


def main() -> None:
    """Look at the evidence of the test runs, and print a table."""
    options = parse_options(__doc__)
    model = gale.Model.load(options.model)
    libraries = [read_library(path) for path in options.library]
    matcher = Matcher(Library.join(libraries)) if libraries else Matcher.default()
    found = list(look(options.campaign, model, matcher, options.runs))
    title = f"{options.campaign.name}: {options.runs} test runs"
    (show_markdown if options.markdown else show)(title, table(found))


def look(folder: Path, model: gale.Model, matcher: Matcher, n_runs: int) -> Iterator[Found]:
    """Give what came of each family of each of the first test runs."""
    campaign = gale.Campaign.open(folder).of_split("test")
    truth = told_compounds(folder)
    spec = model.spec
    assert isinstance(spec, EventSpec)  # or there is no elution network
    for name, path in list(zip(campaign.runs, campaign.paths, strict=True))[:n_runs]:
        run = gale.read_run(path)
        windows = windows_of(model, run, matcher=matcher)
        half_bin = (run.time_min[-1] - run.time_min[0]) / spec.profile.elution.bins / 2
        of_run = truth.filter(run=name)
        for family in model.families:
            carriers = of_run.filter(pl.col("families").list.contains(family))
            if len(carriers):
                first = next((each for each in windows if each.family == family), None)
                yield compare(family, carriers, first, half_bin)


def compare(family: str, carriers: pl.DataFrame, window: Window | None, half_bin: float) -> Found:
    """Compare the first window of a family with the compounds that carry it."""
    highest = max(carriers["abundance"].to_list())
    if window is None:
        return Found(highest, family, False, False, (), frozenset())
    off = (pl.col("retention_time_min") - window.apex_min).abs()
    there = carriers.filter(off <= pl.col("width_min") + half_bin)
    names = tuple(match.compound for match in window.matches)
    return Found(highest, family, True, len(there) > 0, names, frozenset(there["compound"]))


def table(found: list[Found]) -> list[list[str]]:
    """Make the table."""
    rows = [["times over the limit", "families", "shown", "apex in a peak", "compounds",
             "first named", "one of five", "nothing named"]]  # fmt: skip
    for low, high in pairwise(TIMES_OVER):
        here = [each for each in found if low <= each.abundance < high]
        shown = [each for each in here if each.shown]
        named = [each for each in shown if each.in_peak and each.family != "mineral"]
        rows.append(
            [
                f"{low:g} to {high:g}" if high < np.inf else f"{low:g} and more",
                f"{len(here):,}",
                share([each.shown for each in here]),
                share([each.in_peak for each in shown]),
                f"{len(named):,}",
                share([bool(each.true_names & set(each.names[:1])) for each in named]),
                share([bool(each.true_names & set(each.names)) for each in named]),
                share([not each.names for each in named]),
            ]
        )
    return rows


def share(true: list[bool]) -> str:
    """Write a share in percent."""
    return f"{100 * np.mean(true):.0f} %" if true else "-"


if __name__ == "__main__":
    main()
