"""How much a simulated campaign is like the published one, and its runs like real ones.

    python benchmarks/simulator.py CAMPAIGN … [--real REAL] [--runs 60] [--figures OUT] [--scores]

CAMPAIGN is a folder in the competition's layout with test_labels.csv. Facts and scores are those of
the first; the runs of further ones are measured beside its runs. REAL has folders gunshot, jcamp,
andi and mzml of real runs; a file there that gale does not read is named and left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from gale.campaign import Campaign
from gale.readers import read_run
from simulator_facts import label_facts, real_runs, run_facts, sample, side_by_side


def show(title: str, rows: Iterable[Sequence[str]]) -> None:
    """Print a table, each column as wide as its widest cell."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    print(f"\n{title}\n")
    for row in zip(*columns, strict=True):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())


def main() -> None:
    """Print the tables that were asked for, draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", type=Path, nargs="+", metavar="campaign")
    parser.add_argument("--real", type=Path, help="folder of real runs")
    parser.add_argument("--runs", type=int, default=60, help="runs to measure of each campaign")
    parser.add_argument("--scores", action="store_true", help="train and score: takes minutes")
    parser.add_argument("--figures", type=Path, help="folder for PNG files")
    options = parser.parse_args()

    campaigns = {str(path): Campaign.open(path) for path in options.campaigns}
    campaign = next(iter(campaigns.values()))
    runs = (read_run(path, columns=campaign.columns) for path in campaign.paths)
    facts = [("", "published", "found"), *label_facts(campaign), *run_facts(runs)]
    show(f"Facts of {campaign.root}", facts)

    groups, left_out = real_runs(options.real) if options.real else ({}, [])
    simulated = {name: list(sample(each, options.runs)) for name, each in campaigns.items()}
    columns = {**simulated, **groups}
    show("Runs: median (smallest to largest) over the runs of a group", side_by_side(columns))
    if left_out:
        print("\nLeft out:", *left_out, sep="\n  ")

    if options.figures:
        from simulator_figures import draw

        print("\nDrawn:", *draw(options.figures, simulated, groups), sep="\n  ")
    if options.scores:
        from simulator_scores import benchmark_rows, gale_rows

        scores = [*benchmark_rows(campaign), *gale_rows(campaign)]
        show("Log loss", [("", "published", "found"), *scores])


if __name__ == "__main__":
    main()
