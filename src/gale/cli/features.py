"""`gale features`: the features of a campaign as a dataset to train from."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gale.cli.completion import recipe_option
from gale.cli.options import (
    PATH,
    force_option,
    output_option,
    reading_options,
    strict_option,
)
from gale.cli.printing import echo
from gale.cli.resumable import sleep_when_idle
from gale.cli.working import working
from gale.plumbing.places import size_of_files
from gale.plumbing.text import counted, display_name, size_text

EXAMPLE = """
\b
Examples:
  gale features campaign -o features --recipe quick
  gale train campaign -o model.onnx --recipe quick --features features
"""


@click.command(short_help="Write a campaign's features to train from.", epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@output_option("Folder to write: a Parquet dataset with one row per run.")
@recipe_option("default", "default, quick, flight, published, logistic, or a TOML file.")
@click.option("--labels", type=PATH, help="Label table to use instead of the campaign's own.")
@strict_option
@force_option("Replace the folder, if gale features wrote it.")
@reading_options
def command(
    campaign: Path,
    output: Path,
    recipe: str,
    labels: Path | None,
    strict: bool,
    force: bool,
    **reading: Any,
) -> None:
    """Write the features of all runs of CAMPAIGN, those that a recipe asks for, as one dataset.

    gale train --features reads them instead of the runs: for many trainings on many runs, or on
    another machine than that which reads them. Labels, splits and groups are still those of the
    campaign, and may change meanwhile. Runs that were added or have changed, or another recipe's
    features, are refused.
    """
    sleep_when_idle()
    import gale

    started = time.monotonic()
    opened = gale.Campaign.open(campaign, labels=labels, columns=reading["columns"])
    with working(**reading) as work:
        work = replace(work, strict=strict)
        failed = gale.write_features(opened, output, recipe, force=force, work=work)
    for run, why in failed.items():
        echo(f"failed: {run}: {why}", err=True)
    n_runs, size = len(opened) - len(failed), size_text(size_of_files(output))
    seconds = time.monotonic() - started
    echo(f"{display_name(output)}: features of {counted(n_runs, 'run')} in {seconds:.0f} s, {size}")
    if failed:
        sys.exit(1)
