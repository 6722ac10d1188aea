"""How much a simulated campaign is like the published one, and its runs like real ones.

CAMPAIGN is a folder in the competition's layout with test_labels.csv. Facts and scores are those of
the first; the runs of further ones are measured beside its runs. --real has folders gunshot, jcamp,
andi and mzml of real runs; a file there that gale does not read is named and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import options, tables
from benchmarks.simulator.facts import label_facts, real_runs, run_facts, sample, side_by_side
from gale.campaign import Campaign
from gale.readers import read_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables that were asked for, draw the figures."""
    parser = options.parser("benchmarks.simulator.likeness", __doc__)
    parser.add_argument("campaigns", type=Path, nargs="+", metavar="CAMPAIGN")
    parser.add_argument("--real", type=Path, help="folder of real runs")
    parser.add_argument("--runs", type=int, default=60, help="runs to measure of each campaign")
    parser.add_argument("--scores", action="store_true", help="train and score: takes minutes")
    parser.add_argument("--figures", type=Path, help="folder for PNG files")
    asked = parser.parse_args(arguments)
    show = partial(tables.show, markdown=asked.markdown)

    campaigns = {str(path): Campaign.open(path) for path in asked.campaigns}
    campaign = next(iter(campaigns.values()))
    runs = (read_run(path, columns=campaign.columns) for path in campaign.paths)
    header = ("", "published", "found")
    show(f"Facts of {campaign.root}", [header, *label_facts(campaign), *run_facts(runs)])

    groups, left_out = real_runs(asked.real) if asked.real else ({}, [])
    simulated = {name: list(sample(each, asked.runs)) for name, each in campaigns.items()}
    columns = {**simulated, **groups}
    show("Runs: median (smallest to largest) over the runs of a group", side_by_side(columns))
    if left_out:
        print("\nLeft out:", *left_out, sep="\n  ")

    if asked.figures:
        from benchmarks.simulator.figures import draw

        print("\nDrawn:", *draw(asked.figures, simulated, groups), sep="\n  ")
    if asked.scores:
        from benchmarks.simulator.scores import benchmark_rows, gale_rows

        show("Log loss", [header, *benchmark_rows(campaign), *gale_rows(campaign)])


if __name__ == "__main__":
    main()
