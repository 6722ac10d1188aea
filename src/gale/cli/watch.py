"""`gale watch`: predict what an instrument writes into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from gale.cli.models import model_option, open_model
from gale.cli.options import PATH, columns_option, output_option, quiet_option
from gale.cli.printing import echo
from gale.cli.times import DURATION
from gale.cli.wording import in_options
from gale.plumbing.progress import Progress

EXAMPLE = """
\b
Examples:
  gale watch acquired --model model.onnx -o results
  gale watch /mnt/gcms --model model.onnx -o results --poll --settle 60s
  gale watch acquired --model model.onnx -o results --post http://127.0.0.1:9000/runs
"""


class Lines(Progress):
    """Prints a line for each run."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def step(self, text: str = "") -> None:
        """Print what came of a run."""
        if not self._quiet:
            echo(in_options(text))

    def note(self, text: str) -> None:
        """Print what goes wrong, even if quiet."""
        echo(f"note: {in_options(text)}", err=True)


@click.command(short_help="Predict each run that appears in a folder.", epilog=EXAMPLE)
@click.argument("folder", type=PATH)
@model_option
@output_option("Folder for results; made if it does not exist.", here=True)
@click.option("--settle", type=DURATION, default="10s", show_default=True,
              help="Time without a change after which a run counts as complete.")  # fmt: skip
@click.option("--patience", type=DURATION, default="1h", show_default=True,
              help="Time after which an instrument's folder that lacks files fails.")  # fmt: skip
@click.option("--poll", is_flag=True,
              help="Look every few seconds, as network drives need it.")  # fmt: skip
@click.option("--post", metavar="URL",
              help="Send each result to this address as JSON, again until it answers.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60, show_default=True,
              help="Longest time that reading a run may take.")  # fmt: skip
@click.option("--memory-mb", type=click.FloatRange(min=64), default=2048, show_default=True,
              help="Most memory that reading a run may take, in MiB (not on Windows).")  # fmt: skip
@click.option("--once", is_flag=True, help="End when all runs that are there are done.")
@columns_option
@quiet_option
def command(
    folder: Path,
    model_path: Path | None,
    output: Path,
    settle: float,
    patience: float,
    poll: bool,
    post: str | None,
    seconds: float,
    memory_mb: float,
    once: bool,
    columns: Mapping[str, str] | None,
    quiet: bool,
) -> None:
    """Predict each run that appears in FOLDER, until Ctrl-C.

    The results are predictions.csv, which grows by a row per run, a page for each run, and
    index.html. A run is read when its size and time have not changed for a while, and the folder of
    an instrument when its files are all there, too. What was done is remembered in the folder of
    results: after a restart no run is done twice. A run that cannot be read is one failed row,
    until it changes.
    """
    import gale

    model = open_model(model_path)
    if not quiet:
        echo(f"watching {folder}; results go to {output}", err=True)
    gale.watch(
        folder,
        model,
        output,
        settle_s=settle,
        patience_s=patience,
        poll=poll,
        post=post,
        columns=columns,
        seconds=seconds,
        memory_mb=memory_mb,
        once=once,
        progress=Lines(quiet=quiet),
    )
