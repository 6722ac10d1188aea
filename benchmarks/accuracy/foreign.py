"""How accurate gale's recipes are on campaigns of a simulator that is not gale's.

A recipe that was pre-trained and tuned on gale's simulator flatters itself there. These campaigns
are made by foreign/simulate.py among the files of $GALE_EXTRA_DATA, with another physics, of
compounds that no pre-training saw. Recipes are developed on the seeds of DEVELOPMENT, as many times
as one likes; those of JUDGING are looked at once for each version of a recipe (--judging).

Kinds:
  different    every run is of a sample of its own
  repeated     two thirds of the runs measure an earlier sample again, also in another split
  instrument   the test runs are of an instrument that no other run is of
  compounds    the test runs hold only compounds that no other run holds
  mars         after what is published of the competition: standards measured again and again,
               families that go with derivatization, splits that differ, drifted instruments

Recipes, results and --out are as for benchmarks.accuracy.recipes; `stack` is foreign/stack.toml
among the same files, and `earlier` is what `default` was before. With --labels 50, recipes are
trained on 50 of the labelled runs; what none give is `bundled` beside `prior`. A campaign takes 3.4
GB, which --discard frees once its recipes are measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import options, results, tables
from benchmarks.accuracy.costs import Bench
from benchmarks.accuracy.recipes import measure
from benchmarks.accuracy.scores import Figures, figures_of, score_table
from benchmarks.campaigns import with_few_labels
from benchmarks.commands import measured
from benchmarks.tables import Table
from gale.campaign import Campaign
from gale.evaluation.text import number_text

KINDS = {
    "different": (),
    "repeated": ("--repeat", "0.65"),
    "instrument": ("--hold-instrument",),
    "compounds": ("--hold-compounds",),
    "mars": ("--mars",),
}
"""Words for the simulator."""

DEVELOPMENT = {"mars": 101, "repeated": 102, "different": 103, "instrument": 104, "compounds": 105}
"""One seed of the simulator for each kind."""

JUDGING = {
    "different": (900, 901, 902),
    "repeated": (910, 911, 912),
    "instrument": (920, 921, 922),
    "compounds": (930, 931, 932),
    "mars": (940, 941, 942),
}
"""Three seeds for each kind; nobody looks at them while a recipe is developed."""

RECIPES = ("prior", "logistic", "published", "earlier", "stack", "default")
RUNS = "809,312,463"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is not measured yet, kind by kind, and print the tables."""
    parser = options.parser(
        "benchmarks.accuracy.foreign", __doc__, out="foreign", recipes=RECIPES, seeds=[0]
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--judging", action="store_true", help="the seeds that judge")
    parser.add_argument("--discard", action="store_true", help="delete runs that were measured")
    parser.add_argument("--runs", default=RUNS, help="of each split (default: %(default)s)")
    parser.add_argument("--labels", type=int, metavar="N", help="train on N labelled runs only")
    asked = parser.parse_args(arguments)
    labelled = f", {asked.labels} labelled runs" if asked.labels else ""
    figures: dict[str, dict[str, Figures]] = {}
    for kind in asked.kinds:
        seeds = JUDGING[kind] if asked.judging else (DEVELOPMENT[kind],)
        of_seeds = [_figures(asked, kind, seed) for seed in seeds]
        figures[kind] = {
            recipe: Figures.mean([each[recipe] for each in of_seeds]) for recipe in of_seeds[0]
        }
        tables.show(
            f"{kind}, seeds {', '.join(map(str, seeds))}{labelled}",
            score_table(figures[kind]),
            markdown=asked.markdown,
        )
    tables.show("Log loss over that of stack", ratios(figures), markdown=asked.markdown)


def ratios(figures: dict[str, dict[str, Figures]], to: str = "stack") -> Table:
    """Divide the log loss of each recipe by that of one of them, kind by kind."""
    names = list(next(iter(figures.values())))
    rows = [["", *names]]
    for kind, of_kind in figures.items():
        base = of_kind[to].log_loss.mean() if to in of_kind else float("nan")
        rows.append(
            [kind, *(number_text(each.log_loss.mean() / base) for each in of_kind.values())]
        )
    return rows


def _figures(asked: argparse.Namespace, kind: str, seed: int) -> dict[str, Figures]:
    """Measure the recipes on one campaign."""
    extra = _extra()
    folder = asked.out / "campaigns" / f"{kind}-{seed}"
    simulate(folder, extra, ["--seed", str(seed), "--runs", asked.runs, *KINDS[kind]])
    measured_on = with_few_labels(folder, asked.labels) if asked.labels else folder
    bench = Bench(measured_on, asked.out / "results" / measured_on.name)
    sources = {
        "stack": str(extra / "foreign" / "stack.toml"),
        "earlier": str(options.EARLIER),
    }
    of_recipes = {
        Path(recipe).stem: measure(bench, sources.get(recipe, recipe), asked.seeds)
        for recipe in asked.recipes
    }
    test = Campaign.open(folder).of_split("test")
    if asked.discard:
        for split in ("train", "val", "test"):
            shutil.rmtree(folder / f"{split}_features", ignore_errors=True)
    return {name: figures_of(test, each, resample_seed=seed) for name, each in of_recipes.items()}


def _extra() -> Path:
    extra = Path(os.environ.get("GALE_EXTRA_DATA", ""), "foreign").parent
    if not (extra / "foreign" / "simulate.py").exists():
        sys.exit("foreign/simulate.py is not among the files of $GALE_EXTRA_DATA; set it")
    return extra


def simulate(folder: Path, extra: Path, words: list[str]) -> None:
    """Make a campaign unless it is there; it appears when it is complete."""
    note = folder.with_suffix(".json")
    if results.find(note, words) is not None:  # --discard may have freed its runs
        return
    if folder.exists():
        sys.exit(f"{folder}: was not made with {' '.join(words)}; name another folder")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    measured(sys.executable, extra / "foreign" / "simulate.py", partial, *words)
    partial.rename(folder)
    results.keep(note, words, str(folder))


if __name__ == "__main__":
    main()
