"""`gale demo`: every step from a simulated campaign to scores."""

from __future__ import annotations

import shlex
import sys
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
    campaign = str(output / "campaign")
    steps = []
    if not (output / "campaign").exists():
        steps.append(
            ["simulate", "-o", campaign, "--runs", RUNS, "--ions", IONS, "--seed", str(seed)]
        )
    overwrite = ["--force"] if force else []
    for recipe in RECIPES:
        model = str(output / f"{recipe}.onnx")
        steps.append(["train", campaign, "-o", model, "--recipe", recipe, *overwrite])
        table = str(output / f"{recipe}.csv")
        steps.append(
            ["predict", campaign, "--split", "test", "--model", model, "-o", table, *overwrite]
        )
    tables = [str(output / f"{recipe}.csv") for recipe in RECIPES]
    labels = str(output / "campaign" / "test_labels.csv")
    steps.append(["evaluate", *tables, "--labels", labels])
    for step in steps:
        click.secho(f"\n$ gale {shlex.join(step)}", bold=True)
        if status := group.main(step, prog_name="gale", standalone_mode=False):
            sys.exit(status)
    click.echo(
        f"""
The campaign was simulated: these scores say that gale works, and nothing of real samples. Look at
  {output / "quick.csv"}             predictions of the test runs
  {output / "quick.history.csv"}     the course of the training
  {output / "campaign/truth.parquet"}  what was in the runs, and how far above the detection limit
  gale inspect {output / "quick.onnx"}"""
    )
