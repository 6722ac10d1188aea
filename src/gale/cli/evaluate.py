"""`gale evaluate`: how good predictions are."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial
from itertools import combinations
from pathlib import Path

import click

from gale.cli.evaluations import baseline_notes, check_no_sidecar
from gale.cli.options import PATH, force_option, quiet_option, seed_option
from gale.cli.outputs import ADDRESS_TOO, WRITTEN, plan
from gale.cli.printing import echo

EXAMPLE = """
\b
Example:
  gale evaluate predictions.csv regression.csv --labels val_labels.csv --json scores.json
"""


@click.command(short_help="Score predictions on labelled runs.", epilog=EXAMPLE)
@click.argument("predictions", nargs=-1, required=True, type=PATH)
@click.option(
    "--labels", multiple=True, required=True, type=PATH, help="Labels of the runs. Repeatable."
)
@click.option(
    "--train-labels", multiple=True, type=PATH, help="Labels of the training runs. Repeatable."
)
@click.option(
    "--json", "json_path", type=WRITTEN, help=f"Write all numbers to this file. {ADDRESS_TOO}"
)
@force_option("Overwrite the file of --json.")
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Bootstrap resamples for the intervals.",
)
@seed_option("The same seed gives the same intervals.")
@quiet_option
def command(
    predictions: tuple[Path, ...],
    labels: tuple[Path, ...],
    train_labels: tuple[Path, ...],
    json_path: Path | None,
    force: bool,
    resamples: int,
    seed: int,
    quiet: bool,
) -> None:
    """Score PREDICTIONS on labelled runs, and compare them with a baseline and with each other.

    PREDICTIONS are tables or submissions that gale predict wrote, or others with the same columns.
    The baseline predicts the training prevalence for every run. The prevalence comes from the JSON
    file beside the predictions, else from --train-labels, else from --labels, which flatters the
    baseline.

    Label tables are CSV files with a column run or sample_id, then one column per family with 0, 1
    or blank for unknown. Runs are matched by name. Those in the folder of such a table have to be
    the ones predicted, as far as the JSON files say what these hold.
    """
    import gale
    from gale import evaluation as scoring
    from gale.cli.progress import ConsoleProgress
    from gale.evaluation.predictions import sidecar
    from gale.evaluation.text import evaluation_text
    from gale.plumbing.files import writing

    if json_path is not None:
        check_no_sidecar(json_path, predictions)
        beside = map(sidecar, predictions)
        plan([json_path], (*predictions, *beside, *labels, *train_labels), force=force)
    known = scoring.read_label_tables(labels)
    training = scoring.read_label_tables(train_labels) if train_labels else None
    prior = scoring.training_prevalence(training, known.families) if training else None
    tables = [scoring.read_predictions(path) for path in predictions]
    with closing(ConsoleProgress(quiet=quiet)) as progress:
        work = gale.Work(progress=progress)
        content = scoring.read_labelled_contents(known, labels, tables, work)
    score = partial(scoring.evaluate, resamples=resamples, seed=seed, content=content)
    evaluations = [
        score(each, known, prevalence=prior if each.prevalence is None else None) for each in tables
    ]
    comparisons = [scoring.compare(first, second) for first, second in combinations(evaluations, 2)]
    notes = baseline_notes(evaluations, bool(train_labels))
    echo(evaluation_text(evaluations, comparisons, labels, notes))
    if json_path is not None:
        results = {
            "labels": [*map(str, labels)],
            "train_labels": [*map(str, train_labels)],
            "evaluations": [each.to_dict() for each in evaluations],
            "comparisons": [each.to_dict() for each in comparisons],
        }
        with writing(json_path, force=force) as temporary:
            temporary.write_text(json.dumps(results, indent=1, allow_nan=False), "utf-8")
