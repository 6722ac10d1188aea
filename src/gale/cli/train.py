"""`gale train`: from a campaign to a model file."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gale.cli.completion import recipe_option
from gale.cli.options import PATH, output_option, strict_option
from gale.cli.outputs import plan
from gale.cli.printing import echo
from gale.cli.report_training import write_report
from gale.cli.resumable import resumable, sleep_when_idle, training_options
from gale.cli.working import working

EXAMPLE = """
\b
Examples:
  gale train campaign -o model.onnx --recipe quick
  gale train campaign -o model.onnx --recipe quick --features features
"""


@click.command(short_help="Train a model on a labelled campaign.", epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@output_option("Model file to write.", here=True)
@recipe_option("default", "default, quick, flight, published, logistic, or a TOML file.")
@click.option(
    "--labels",
    type=PATH,
    help="Label table to use instead of the campaign's own; it names every run to train on.",
)
@click.option(
    "--no-report",
    is_flag=True,
    help="Skip the HTML report (it also trains a baseline to compare with).",
)
@click.option(
    "--features", type=PATH, help="Folder or address of gale features to train from; no report."
)
@strict_option
@click.option("--verify", is_flag=True, help="Compare the checksums of all files first.")
@training_options("training", "the same model")
def command(
    campaign: Path,
    output: Path,
    recipe: str,
    labels: Path | None,
    no_report: bool,
    features: Path | None,
    strict: bool,
    verify: bool,
    seed: int,
    device: str | None,
    resume: bool,
    force: bool,
    **reading: Any,
) -> None:
    """Train a model on the labelled runs of CAMPAIGN.

    CAMPAIGN is a folder in the competition's layout, or a folder of runs with labels.csv (the
    column run, then one column per family; 1, 0, or blank for unknown). A column group of a label
    table names what runs have in common (sample, batch, day): folds never part a group.

    Beside the model (model.onnx), model.history.csv has the losses of every epoch,
    model.out_of_fold.csv the predictions of the labelled runs, each by members that did not train
    on it, and model.report.html a page about the training. An interrupted training keeps what it
    has finished in model.onnx.partial; --resume continues it.
    """
    sleep_when_idle()
    import gale

    started, loaded = time.monotonic(), gale.Recipe.load(recipe)
    # only now, when a missing extra has been reported
    from gale.cli.shows.campaign import training_lines
    from gale.cli.shows.model import trained_lines
    from gale.report import TrainingFiles
    from gale.training.journal import count_fits, discard

    plan([output], force=force)
    files, partial = TrainingFiles.of(output), output.with_name(output.name + ".partial")
    opened = gale.Campaign.open(campaign, labels=labels, columns=reading["columns"])
    inputs = [*opened.files, *filter(None, [labels, Path(recipe)])]
    plan([output], inputs, force=force)
    plan(files.beside, inputs, force=force or count_fits(partial) > 0)
    if verify:
        agree = f"{opened.verify_checksums():,} of {len(opened):,}"
        echo(f"checksums of {agree} files agree", err=True)
    if not reading["quiet"]:
        echo("\n".join(training_lines(opened)), err=True)
    with working(**reading) as work:
        work = replace(work, device=device, strict=strict, workers=os.cpu_count() or 1)
        with resumable(partial, work.progress), files.writing_tables() as tables:
            model = gale.train(
                opened,
                loaded,
                seed=seed,
                journal=partial,
                resume=resume,
                restart=force and not resume,
                features=features,
                work=work,
                **tables,
            )
            model.save(output, force=force)
        files.report.unlink(missing_ok=True)  # it would be that of another model
        discard(partial)
        echo("\n".join(trained_lines(model, files, time.monotonic() - started)))
        if not (no_report or features):
            write_report(opened, files, files.report, work)
            echo(f"{files.report}: how good the model is, and where to look")
    if model.facts["training"]["unreadable"]:
        sys.exit(1)
