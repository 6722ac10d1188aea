"""How accurate gale's recipes are, and what they cost, on simulated campaigns with known truth.

    python benchmarks/accuracy.py [--out FOLDER] [--campaigns NAME…] [--recipes NAME…] [--seeds 0]
                                  [--library massbank.msp.gz] [--runs 1584] [--markdown]

Campaigns, made by gale simulate and divided as 809 to 312 to 463 runs:
  embedded        of the libraries that come with gale
  embedded-new    the same; compounds and instrument of the test runs are in no other split, but
                  recipes that are pre-trained have seen the compounds
  massbank        of --library, or $GALE_EXTRA_DATA/libraries/massbank_ei.msp.gz
  massbank-new    the same; compounds and instrument of the test runs are in no other split

Recipes are those of gale, or TOML files, but for two: `prior` is the training prevalence, and
`published` is published_soup.toml beside this script, one FixedSoup of five members with five
iterations, validated on the val split; the complete system has ten, with forty iterations each.

Each recipe is trained and predicts the test runs with the real commands. Train: wall time of the
whole command, from cached features; pre-training is part of it only if gale's cache does not have
its weights yet. Runs/s: test runs over the wall time of the whole prediction,
its start included, from CSV files without a cache. MB: peak memory of the command's largest
process. Log loss has its 95 % bootstrap interval over the test runs. No figure of the test runs
decides anything: each recipe predicts them once a seed.

FOLDER keeps campaigns and finished results; the same command goes on where it was interrupted. A
result is measured anew if the recipe changes, but not if gale does: that is told, and another
folder measures all anew.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from accuracy_costs import Bench, Result, code_fingerprint, simulated
from accuracy_scores import Figures, Table, family_table, figures_of, reach_table, score_table
from gale.campaign import Campaign
from simulator import show

NEW = ("--new-compounds", "test", "--new-instrument", "test")

CAMPAIGNS: dict[str, tuple[str, ...]] = {
    "embedded": ("--seed", "1"),
    "embedded-new": ("--seed", "2", *NEW),
    "massbank": ("--seed", "3", "--library", "LIBRARY"),
    "massbank-new": ("--seed", "4", "--library", "LIBRARY", *NEW),
}
"""Words for gale simulate; LIBRARY stands for the library."""

RECIPES = ("prior", "logistic", "published", "default", "quick")
PUBLISHED = Path(__file__).with_name("published_soup.toml")


def main() -> None:
    """Measure what is not measured yet, then print the tables."""
    options = parse_options()
    campaigns: dict[str, Campaign] = {}
    results: dict[str, dict[str, list[Result]]] = {}
    for name, words in campaign_words(options.campaigns, options.library, options.runs).items():
        folder = simulated(options.out / "campaigns" / name, words)
        bench = Bench(folder, options.out / "results" / name, words)
        results[name] = {
            Path(recipe).stem: measure(bench, recipe, options.seeds) for recipe in options.recipes
        }
        campaigns[name] = Campaign.open(folder).of_split("test")
    print("\n".join(notes(campaigns, results, options.seeds)))
    tables = report(campaigns, results)
    for title, rows in tables:
        (show_markdown if options.markdown else show)(title, rows)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("accuracy"), help="folder for everything")
    parser.add_argument("--campaigns", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS))
    parser.add_argument("--recipes", nargs="+", default=RECIPES, metavar="RECIPE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="seeds of training")
    parser.add_argument("--library", type=Path, help="MSP file for the massbank campaigns")
    parser.add_argument("--runs", type=int, default=1584, help="runs of a campaign")
    parser.add_argument("--markdown", action="store_true", help="print tables for documents")
    return parser.parse_args()


def campaign_words(
    names: Sequence[str], library: Path | None, runs: int
) -> dict[str, tuple[str, ...]]:
    """Give the words for gale simulate of each campaign; tell which have no library."""
    extra = os.environ.get("GALE_EXTRA_DATA")
    if library is None and extra:
        library = Path(extra, "libraries", "massbank_ei.msp.gz")
    here = library is not None and library.exists()
    chosen = {}
    for name in names:
        words = CAMPAIGNS[name]
        if here or "LIBRARY" not in words:
            path = str(library.resolve()) if library is not None else ""
            words = tuple(path if word == "LIBRARY" else word for word in words)
            chosen[name] = (*words, "--runs", str(runs))
        else:
            print(f"{name} is left out: {library or 'no --library'} is not there", file=sys.stderr)
    if not chosen:
        sys.exit("no campaign is left; give --library FILE, or other --campaigns")
    return chosen


def measure(bench: Bench, recipe: str, seeds: Sequence[int]) -> list[Result]:
    """Give the results of a recipe, one a seed; the prior has no seed."""
    if recipe == "prior":
        return [bench.prior()]
    source = str(PUBLISHED) if recipe == "published" else recipe
    return [bench.recipe(Path(recipe).stem, source, seed) for seed in seeds]


def notes(
    campaigns: Mapping[str, Campaign],
    results: Mapping[str, Mapping[str, Sequence[Result]]],
    seeds: Sequence[int],
) -> Iterator[str]:
    """Say what the tables are of."""
    sizes = ", ".join(f"{name} {len(test):,}" for name, test in campaigns.items())
    yield f"Test runs: {sizes}. Training seeds: {', '.join(map(str, seeds))}."
    if any("published" in of for of in results.values()):
        yield "published: one FixedSoup of 5, 5 iterations, validated on the val split."
    every = [each for of in results.values() for several in of.values() for each in several]
    yield f"Measured on: {'; '.join(sorted({each.machine for each in every}))}."
    code = code_fingerprint()
    if stale := sum(each.code != code for each in every):
        yield f"{stale} of {len(every)} results were measured with another state of gale's code."


def report(
    campaigns: Mapping[str, Campaign], results: Mapping[str, Mapping[str, Sequence[Result]]]
) -> Iterator[tuple[str, Table]]:
    """Give the tables with their titles: scores and costs, families, what is to be reached."""
    figures = {
        name: {
            recipe: figures_of(test, of_seeds, resample_seed=at)
            for recipe, of_seeds in results[name].items()
        }
        for at, (name, test) in enumerate(campaigns.items())
    }
    if len(campaigns) > 1:
        recipes = next(iter(figures.values()))
        figures["mean of campaigns"] = {
            recipe: Figures.mean([of[recipe] for of in figures.values()]) for recipe in recipes
        }
    families = next(iter(campaigns.values())).families
    for name, of_campaign in figures.items():
        yield name, score_table(of_campaign)
    for name, of_campaign in figures.items():
        yield f"{name}, family by family", family_table(of_campaign, families)
    yield "What default is to reach", reach_table(figures)


def show_markdown(title: str, rows: Table) -> None:
    """Print a table for a document."""
    print(f"\n### {title}\n")
    for row in (rows[0], ["---"] * len(rows[0]), *rows[1:]):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
