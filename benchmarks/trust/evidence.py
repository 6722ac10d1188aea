"""How often what gale shows as evidence is what was put into the run, on simulated truth.

CAMPAIGN was made by gale simulate, and MODEL, with an elution network, was not trained on its test
runs. For each family that a test run holds, by how far its most abundant compound is over the
detection limit: how often the first window has its apex within the peak of a compound that carries
the family (at most half its width and half a time bin away), for families that are predicted at
all; and, where it does, how often a compound there is the first, or one of the five, that are
named. Minerals are left out of the names, since they are gases without a spectrum of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import gale
from benchmarks import tables
from benchmarks.tables import Table, percent
from benchmarks.trust.truth import by_abundance, carriers, evidence_parser, libraries, runs_of_test
from gale.evidence import Window, find_windows
from gale.features.events import EventSpec
from gale.library import Library
from gale.matching import Matcher


@dataclass(frozen=True)
class Found:
    """What came of a family that a run holds."""

    abundance: float
    family: str
    shown: bool = False
    in_peak: bool = False
    names: tuple[str, ...] = ()
    true_names: frozenset[str] = frozenset()


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the evidence of the test runs, and print a table."""
    asked = evidence_parser("benchmarks.trust.evidence", __doc__).parse_args(arguments)
    model = gale.Model.load(asked.model)
    given = libraries(asked.library)
    matcher = Matcher(Library.join(given)) if given else Matcher.default()
    found = list(look(asked.campaign, model, matcher, asked.runs))
    title = f"{asked.campaign.name}: at most {asked.runs} test runs"
    tables.show(title, table(found), markdown=asked.markdown)


def look(folder: Path, model: gale.Model, matcher: Matcher, n_runs: int) -> Iterator[Found]:
    """Give what came of each family of each of the first test runs."""
    spec = model.spec
    assert isinstance(spec, EventSpec)  # or there is no elution network
    for run, compounds in runs_of_test(folder, n_runs):
        windows = find_windows(model, run, matcher=matcher)
        half_bin = (run.time_min[-1] - run.time_min[0]) / spec.profile.elution.bins / 2
        for family in model.families:
            if len(theirs := carriers(compounds, family)):
                first = next((each for each in windows if each.family == family), None)
                yield compare(family, theirs, first, half_bin)


def compare(family: str, theirs: pl.DataFrame, window: Window | None, half_bin: float) -> Found:
    """Compare the first window of a family with the compounds that carry it."""
    highest = max(theirs["abundance"].to_list())
    if window is None:
        return Found(highest, family)
    off = (pl.col("retention_time_min") - window.apex_min).abs()
    there = theirs.filter(off <= pl.col("width_min") + half_bin)
    names = tuple(match.compound for match in window.matches)
    return Found(highest, family, True, len(there) > 0, names, frozenset(there["compound"]))


def table(found: Sequence[Found]) -> Table:
    """Make the table."""
    rows = [["times over the limit", "families", "shown", "apex in a peak", "compounds",
             "first named", "one of five", "nothing named"]]  # fmt: skip
    for name, here in by_abundance(found):
        shown = [each for each in here if each.shown]
        named = [each for each in shown if each.in_peak and each.family != "mineral"]
        rows.append(
            [
                name,
                f"{len(here):,}",
                percent([each.shown for each in here]),
                percent([each.in_peak for each in shown]),
                f"{len(named):,}",
                percent([bool(each.true_names & set(each.names[:1])) for each in named]),
                percent([bool(each.true_names & set(each.names)) for each in named]),
                percent([not each.names for each in named]),
            ]
        )
    return rows


if __name__ == "__main__":
    main()
