"""`gale report training`: the page of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.options import PATH, force_option, output_option, reading_options
from gale.cli.outputs import plan
from gale.cli.printing import echo
from gale.cli.typed import typed_command
from gale.cli.working import working

if TYPE_CHECKING:
    import gale
    from gale.report import TrainingFiles

EXAMPLE = """
\b
Examples:
  gale report training campaign --model model.onnx
  gale report training campaign --model model.onnx --pages --force
"""


@click.command("training", short_help="Make the page of a training.", epilog=EXAMPLE)
@click.argument("campaign", type=PATH)
@click.option("--model", "model_path", type=PATH, required=True, help="Model file, or its address.")
@output_option(
    "HTML file to write; by default model.report.html beside model.onnx.", required=False
)
@click.option(
    "--labels", type=PATH, help="Label table of the training, if it was not the campaign's own."
)
@click.option(
    "--pages",
    is_flag=True,
    help="Make pages of the listed runs, in a folder beside the page, which links to them.",
)
@force_option()
@reading_options
def command(
    campaign: Path,
    model_path: Path,
    output: Path | None,
    labels: Path | None,
    pages: bool,
    force: bool,
    **reading: Any,
) -> None:
    """Make the page of the training of a model on CAMPAIGN, as gale train does.

    It compares the scores of the model with the training prevalence and with a logistic regression,
    which is trained for it. It has reliability diagrams, ROC and precision-recall curves, the data
    and their label correlations, learning curves, the worst predicted runs, and labels worth a
    second look. If the campaign has test_labels.csv, as a simulated one has, test runs are scored,
    too; if it has truth.parquet, the page shows what share of the families is found at each
    abundance.
    """
    import gale
    from gale.plumbing.text import display_name
    from gale.report import TrainingFiles

    files = TrainingFiles.of(model_path)
    output = output or files.report
    opened = gale.Campaign.open(campaign, labels=labels, columns=reading["columns"])
    inputs = [files.model, files.out_of_fold, files.history, *opened.files]
    plan([output], filter(None, [*inputs, labels]), force=force)
    folder = output.with_name(f"{output.stem}.runs") if pages else None
    with working(**reading) as work:
        write_report(opened, files, output, work, pages=folder, force=force)
    echo(f"{display_name(output)}: the report of the training")


def write_report(
    campaign: gale.Campaign,
    files: TrainingFiles,
    output: Path,
    work: gale.Work,
    *,
    pages: Path | None = None,
    force: bool = False,
) -> None:
    """Write the page of a training, which `gale train` makes, too."""
    import gale
    from gale.plumbing.files import writing

    made = {"made by the command": typed_command()}
    page = gale.training_report(
        campaign, files, pages=pages, force=force, provenance=made, work=work
    )
    with writing(output, force=force) as temporary:
        temporary.write_text(page, "utf-8")
    work.progress.close()
