"""`gale demo`: every step from a simulated campaign to scores."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

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
"""Runs that have a page."""


@click.command(epilog=EXAMPLE)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("gale-demo"),
    show_default=True,
    help="Folder to make.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the simulation."
)
@click.option("--force", is_flag=True, help="Do it again in a folder that exists.")
def command(output: Path, seed: int, force: bool) -> None:
    """Simulate a small campaign, train on it, predict its test runs and score the predictions.

    Takes a few minutes. Each step is a command that is shown before it runs, so that you can repeat
    it with files of your own. With --force, a campaign that is there already is used again.
    """
    import gale
    from gale.cli import group

    if output.exists() and not force:
        raise OutputError(f"{output}: exists already; choose another folder or use --force")
    _ = gale.train  # says now, not in minutes, if the training extra is not installed
    output.mkdir(parents=True, exist_ok=True)
    for step in _steps(output, seed, ["--force"] if force else []):
        click.secho(f"\n$ gale {shlex.join(step)}", bold=True)
        if status := group.main(step, prog_name="gale", standalone_mode=False):
            sys.exit(status)
    click.echo(
        f"""
The campaign was simulated: these scores say that gale works, and nothing of real samples. Look at
  {output / "quick.report.html"}     how good the model is, and where to look
  {output / "pages/index.html"}      what it makes of some runs, and what says so
  {output / "quick.csv"}             predictions of the test runs
  {output / "quick.history.csv"}     the course of the training
  {output / "campaign/truth.parquet"}  what was in the runs, and how far above the detection limit
  gale inspect {output / "quick.onnx"}"""
    )


def _steps(output: Path, seed: int, overwrite: list[str]) -> Iterator[list[str]]:
    """The commands, one after the other: the last one names files that the first one makes."""
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
    model, pages = str(output / f"{RECIPES[0]}.onnx"), str(output / "pages")
    yield ["report", "run", *runs, "--model", model, "-o", pages, *overwrite]
