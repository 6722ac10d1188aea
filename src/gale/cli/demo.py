"""`gale demo`: every step from a simulated campaign to scores."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gale.cli.options import force_option, output_option, seed_option
from gale.cli.outputs import claim
from gale.cli.printing import echo
from gale.errors import OutputError

EXAMPLE = """
\b
Example:
  gale demo -o gale-demo
"""
RUNS = "300,100,200"
IONS = "20000"
RECIPES = ("quick", "logistic")
PAGES = 3
"""Runs that get a page."""

LOOK_AT = {
    "pages/index.html": "some runs, by the model that comes with gale: answers and evidence",
    "quick.report.html": "how good the model is that was trained here, and where to look",
    "quick.csv": "predictions of the test runs",
    "quick.history.csv": "losses of every epoch of the training",
    "campaign/truth.parquet": "what the runs contain, and how far above the detection limit",
}
"""Files of the demo, and what is in them."""


@click.command(short_help="Simulate, train, predict and score a small campaign.", epilog=EXAMPLE)
@output_option("Folder to make.", default=Path("gale-demo"), show_default=True, here=True)
@seed_option("Seed of the simulation.")
@force_option("Run again in an existing folder.")
def command(output: Path, seed: int, force: bool) -> None:
    """Simulate a small campaign, train on it, predict its test runs and score the predictions.

    At the end, the model that comes with gale answers for some of the runs, with its evidence.

    This takes a few minutes. Each step is a command that is shown before it runs, so that you can
    repeat it with your own files. With --force, a campaign already there is reused.
    """
    import gale
    from gale.cli import group
    from gale.plumbing.outputs import make_folder

    if output.exists() and not force:
        raise OutputError(output, "exists already", remedy="choose another folder or use --force")
    _ = gale.train  # an error now rather than in minutes, if the training extra is missing
    make_folder(output)
    claim(output / "demo")
    for step in _steps(output, seed, ["--force"] if force else []):
        echo(f"\n$ gale {shlex.join(step)}", bold=True)
        if status := group.main(step, prog_name="gale", standalone_mode=False):
            sys.exit(status)
    echo(
        "\nThe campaign was simulated: its scores show that gale works; they say nothing about "
        "real samples. Look at"
    )
    for file, content in LOOK_AT.items():
        echo(f"  {output / file!s:<{len(str(output)) + 24}} {content}")
    echo(f"  gale inspect {shlex.quote(str(output / 'quick.onnx'))}")


def _steps(output: Path, seed: int, overwrite: list[str]) -> Iterator[list[str]]:
    """Give the commands one after the other: the last one names files that the first one makes."""
    campaign = output / "campaign"
    if not campaign.exists():
        yield [
            "simulate", "-o", str(campaign), "--runs", RUNS, "--ions", IONS, "--seed", str(seed)
        ]  # fmt: skip
    tables = []
    for recipe in RECIPES:
        model, table = str(output / f"{recipe}.onnx"), str(output / f"{recipe}.csv")
        tables.append(table)
        yield ["train", str(campaign), "-o", model, "--recipe", recipe, *overwrite]
        yield [
            "predict", str(campaign), "--split", "test", "--model", model, "-o", table, *overwrite
        ]  # fmt: skip
    yield ["evaluate", *tables, "--labels", str(campaign / "test_labels.csv")]
    runs = sorted(map(str, (campaign / "test_features").iterdir()))[:PAGES]
    # by the model that comes with gale: what the recipe default makes says when families elute
    yield ["predict", runs[0]]
    yield ["report", "run", *runs, "-o", str(output / "pages"), *overwrite]
