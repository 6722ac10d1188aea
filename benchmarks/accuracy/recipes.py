"""How accurate gale's recipes are, and what they cost, on simulated campaigns with known truth.

Recipes are those of gale, or TOML files, except three: `prior` is the training prevalence;
`bundled` is the model that comes with gale, which learns nothing from the campaign; and `published`
is published_soup.toml beside this module, one FixedSoup of five members with five iterations,
validated on the val split; the complete system has ten, with forty iterations each.

Each recipe is trained and predicts the test runs with the real commands. Train: wall time of the
whole command, from cached features; pre-training is part of it only if gale's cache does not have
its weights yet. Runs/s: test runs over the wall time of the whole prediction, start included, from
CSV files without a cache. MB: peak memory of the command's largest process. Log loss has its 95 %
bootstrap interval over the test runs. The test runs decide nothing: each recipe predicts them once
per seed.

--out keeps campaigns and finished results; the same command goes on where it was interrupted. A
result is measured again if the recipe or the campaign changes, but not if gale does: the benchmark
then says so, and another folder measures everything again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import options, tables
from benchmarks.accuracy.costs import Bench, Result, code_fingerprint
from benchmarks.accuracy.scores import Figures, family_table, figures_of, goal_table, score_table
from benchmarks.campaigns import RUNS, campaign_folders
from benchmarks.tables import Table
from gale.campaign import Campaign

SEEDS = {"embedded": 1, "embedded-new": 2, "massbank": 3, "massbank-new": 4}
"""Of gale simulate, for each kind of campaign."""

RECIPES = ("prior", "logistic", "published", "default", "quick")
PUBLISHED = Path(__file__).with_name("published_soup.toml")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is not measured yet, then print the tables."""
    parser = options.parser(
        "benchmarks.accuracy.recipes",
        __doc__,
        out="accuracy",
        campaigns=None,
        library=None,
        recipes=RECIPES,
        seeds=[0],
    )
    parser.add_argument(
        "--runs", type=int, default=RUNS, help="runs of a simulated campaign (default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    campaigns: dict[str, Campaign] = {}
    results: dict[str, dict[str, list[Result]]] = {}
    folders = campaign_folders(asked.out, asked.campaigns, asked.library, SEEDS, asked.runs)
    for name, folder in folders.items():
        bench = Bench(folder, asked.out / "results" / name)
        results[name] = {
            Path(recipe).stem: measure(bench, recipe, asked.seeds) for recipe in asked.recipes
        }
        campaigns[name] = Campaign.open(folder).of_split("test")
    print("\n".join(notes(campaigns, results, asked.seeds)))
    for title, rows in report(campaigns, results):
        tables.show(title, rows, markdown=asked.markdown)


def measure(bench: Bench, recipe: str, seeds: Sequence[int]) -> list[Result]:
    """Give the results of a recipe, one per seed; what is not trained has no seed."""
    if recipe == "prior":
        return [bench.prior()]
    if recipe == "bundled":
        return [bench.bundled()]
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
        yield f"Measured with another state of gale's code: {stale} of {len(every)} results."


def report(
    campaigns: Mapping[str, Campaign], results: Mapping[str, Mapping[str, Sequence[Result]]]
) -> Iterator[tuple[str, Table]]:
    """Give the tables with their titles: scores and costs, families, goals."""
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
        yield f"{name}, by family", family_table(of_campaign, families)
    yield "Goals of default", goal_table(figures)


if __name__ == "__main__":
    main()
