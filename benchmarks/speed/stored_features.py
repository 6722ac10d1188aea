"""Training from stored features: time and peak memory of the real commands, by the number of runs.

Runs are small tables with known families: each family has ions of its own, among others. gale
features writes their features (the published ones, 9 kB a run), gale train --features reads them;
recipes are quick and logistic, in few epochs and folds, which changes no peak. Memory is that of
the process at its peak. The last column is how often the features are in memory: what the largest
campaign takes more than the smallest one, divided by what its features take more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import options, tables
from benchmarks.commands import gale
from benchmarks.tables import Table
from gale.features.summary import SummarySpec

FAMILIES, IONS_OF_A_FAMILY, OTHER_IONS, SCANS = 9, 8, 24, 12

BRIEF = {
    "quick": ("epochs = 100", "epochs = 2"),
    "logistic": ("c = 0.003", "c = 0.003"),
}
"""What is changed in a recipe so that it does not take long; and of both, the number of folds."""

RECIPES = Path(__file__).parents[2] / "src" / "gale" / "training" / "recipes"


def make_campaign(folder: Path, n_runs: int) -> None:
    """Write runs and their label table."""
    random = np.random.default_rng(n_runs)
    folder.mkdir()
    labels = random.random((n_runs, FAMILIES)) < np.linspace(0.1, 0.4, FAMILIES)
    ions = random.permutation(np.arange(20, 160))[: FAMILIES * IONS_OF_A_FAMILY]
    ions = ions.reshape(FAMILIES, IONS_OF_A_FAMILY)
    for number, present in enumerate(labels):
        mz = np.concatenate([ions[present].ravel(), random.integers(15, 160, OTHER_IONS)])
        time = np.sort(random.integers(0, SCANS, len(mz))) / 10
        intensity = random.lognormal(8, 1, len(mz)).round(1)
        table = pl.DataFrame({"time": time, "mass": mz, "intensity": intensity})
        (folder / f"run{number:06}.csv").write_bytes(table.write_csv().encode())
    names = [f"run{number:06}.csv" for number in range(n_runs)]
    columns = {f"family{number + 1}": labels[:, number].astype(int) for number in range(FAMILIES)}
    pl.DataFrame({"run": names, **columns}).write_csv(folder / "labels.csv")


def brief(recipe: str, folder: Path, folds: int) -> Path:
    """Write a recipe that takes less time."""
    text = (RECIPES / f"{recipe}.toml").read_text("utf-8")
    for words, instead in (BRIEF[recipe], ("count = 5", f"count = {folds}")):
        assert text.count(words) == 1, words
        text = text.replace(words, instead)
    path = folder / f"{recipe}.toml"
    path.write_text(text, "utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Make campaigns, run the commands, print the table."""
    parser = options.parser(
        "benchmarks.speed.stored_features", __doc__, recipes=["quick", "logistic"]
    )
    parser.add_argument("--runs", type=int, nargs=2, default=[2000, 20_000], help="runs to make")
    parser.add_argument("--folds", type=int, default=2, help="folds of a training")
    asked = parser.parse_args(arguments)
    measured: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n_runs in asked.runs:
            campaign, features = folder / f"campaign{n_runs}", folder / f"features{n_runs}"
            options.tell(f"making {n_runs:,} runs")
            make_campaign(campaign, n_runs)
            recipes = {each: brief(each, folder, asked.folds) for each in asked.recipes}
            commands: dict[str, list[object]] = {
                "features": ["features", campaign, "-o", features, "--recipe", "quick"]
            }
            for each, path in recipes.items():
                read = ["train", campaign, "-o", folder / f"{each}{n_runs}.onnx", "--recipe", path]
                commands[f"train {each} --features"] = [*read, "--features", features]
            for title, words in commands.items():
                options.tell(title)
                done = gale(*words, "--quiet", "--no-cache")
                measured.setdefault(title, []).append((done.seconds, done.peak_mb))
    of_a_run = 4 * SummarySpec().n_features / 2**20
    title = f"{asked.folds} folds; the features of {asked.runs[1]:,} runs take "
    title += f"{asked.runs[1] * of_a_run:,.0f} MB"
    more = (asked.runs[1] - asked.runs[0]) * of_a_run
    tables.show(title, table(measured, asked.runs, more), markdown=asked.markdown)


def table(
    measured: dict[str, list[tuple[float, float]]], runs: Sequence[int], more: float
) -> Table:
    """Make the table; `more` is what the features of the second number of runs take more, in MB."""
    rows = [
        ["gale", *(f"{n:,} runs: {what}" for n in runs for what in ("s", "MB")), "features held"]
    ]
    for title, values in measured.items():
        cells = [f"{value:,.0f}" for pair in values for value in pair]
        rows.append([title, *cells, f"{(values[1][1] - values[0][1]) / more:.2f}"])
    return rows


if __name__ == "__main__":
    main()
