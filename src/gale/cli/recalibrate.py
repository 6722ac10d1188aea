"""`gale recalibrate`: a model corrected on a few labelled runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gale.cli.models import files_of_model, model_option, open_model
from gale.cli.options import PATH, force_option, output_option, reading_options
from gale.cli.outputs import plan
from gale.cli.printing import echo
from gale.cli.working import working
from gale.plumbing.text import display_name

EXAMPLE = """
\b
Examples:
  gale recalibrate campaign -o corrected.onnx
  gale recalibrate runs --labels labels.csv --model model.onnx -o corrected.onnx
"""


@click.command(short_help="Correct a model on a few labelled runs.", epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@output_option("Model file to write.")
@model_option
@click.option(
    "--labels",
    type=PATH,
    help="Label table to use instead of the campaign's own; it names every run to use.",
)
@force_option()
@reading_options
def command(
    campaign: Path,
    output: Path,
    model_path: Path | None,
    labels: Path | None,
    force: bool,
    **reading: Any,
) -> None:
    """Correct the probabilities of a model on the labelled runs of CAMPAIGN, 20 or more.

    A model that learned on other instruments, or on simulated runs, may rank runs well and still be
    far too sure. Each family's scale and offset are fitted to the labelled train and val runs; the
    networks stay as they are. With a hundred labelled runs or more, `gale train` is better.
    """
    import gale

    model = open_model(model_path)
    opened = gale.Campaign.open(campaign, labels=labels, columns=reading["columns"])
    inputs = [*opened.files, *filter(None, [labels]), *files_of_model(model_path)]
    plan([output], inputs, force=force)
    with working(**reading) as work:
        corrected = gale.recalibrate(model, opened, work=work)
    corrected.save(output, force=force)
    scores = corrected.facts["scores"]
    echo(
        f"{display_name(output)}: log loss {scores['log_loss']:.3f} (training prevalence: "
        f"{scores['prior_log_loss']:.3f}) on {scores['measured_on']}; {scores['caution']}"
    )
