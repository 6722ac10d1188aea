"""`gale evaluate`: how good predictions are."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.options import PATH, force_option, seed_option
from gale.cli.outputs import WRITTEN, plan
from gale.cli.printing import echo
from gale.errors import OutputError

if TYPE_CHECKING:
    from gale.evaluation import Evaluation

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
@click.option("--json", "json_path", type=WRITTEN, help="Write all numbers to this file.")
@force_option("Overwrite the file of --json.")
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Bootstrap resamples for the intervals.",
)
@seed_option("The same seed gives the same intervals.")
def command(
    predictions: tuple[Path, ...],
    labels: tuple[Path, ...],
    train_labels: tuple[Path, ...],
    json_path: Path | None,
    force: bool,
    resamples: int,
    seed: int,
) -> None:
    """Score PREDICTIONS on labelled runs, and compare them with a baseline and with each other.

    PREDICTIONS are tables or submissions that gale predict wrote, or others with the same columns.
    The baseline predicts the training prevalence for every run. The prevalence comes from the JSON
    file beside the predictions, else from --train-labels, else from --labels, which flatters the
    baseline.

    Label tables are CSV files with a column run or sample_id, then one column per family with 0, 1
    or blank for unknown.
    """
    from gale import evaluation as scoring
    from gale.evaluation.predictions import sidecar
    from gale.evaluation.text import evaluation_text
    from gale.plumbing.files import writing

    if json_path is not None:
        _check_no_sidecar(json_path, predictions)
        beside = map(sidecar, predictions)
        plan([json_path], (*predictions, *beside, *labels, *train_labels), force=force)
    known = scoring.read_label_tables(labels)
    training = scoring.read_label_tables(train_labels) if train_labels else None
    prior = scoring.training_prevalence(training, known.families) if training else None
    evaluations = []
    for each in [scoring.read_predictions(path) for path in predictions]:
        share = prior if each.prevalence is None else None
        evaluations.append(
            scoring.evaluate(each, known, prevalence=share, resamples=resamples, seed=seed)
        )
    comparisons = [scoring.compare(first, second) for first, second in combinations(evaluations, 2)]
    notes = _baseline_notes(evaluations, bool(train_labels))
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


def _baseline_notes(evaluations: list[Evaluation], given: bool) -> list[str]:
    """Say where the prevalence of the baseline is from, if that is not what one would think."""
    origins = {each.prevalence_from for each in evaluations}
    notes = []
    if "labels" in origins:
        notes.append(
            "the baseline has the prevalence of the evaluated labels, which flatters it: there is "
            "no JSON file beside the predictions; give --train-labels"
        )
    if given and "argument" not in origins:
        notes.append(
            "--train-labels was not used: the JSON files beside the predictions give the prevalence"
        )
    return notes


def _check_no_sidecar(json_path: Path, predictions: tuple[Path, ...]) -> None:
    from gale.evaluation.predictions import sidecar

    if json_path in map(sidecar, predictions):
        found = "is the JSON file (sidecar) of the predictions"
        raise OutputError(json_path, found, "another name", "choose another name")
