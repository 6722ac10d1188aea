"""``gale evaluate``: say how good predictions are."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import click

from gale.errors import OutputError

EXAMPLE = """
\b
Example:
  gale evaluate predictions.csv regression.csv --labels val_labels.csv --json scores.json
"""

PATH = click.Path(path_type=Path)


@click.command(epilog=EXAMPLE)
@click.argument("predictions", nargs=-1, required=True, type=PATH)
@click.option("--labels", multiple=True, required=True, type=PATH, help="Labels of the runs.")
@click.option("--train-labels", multiple=True, type=PATH, help="Labels of the training runs.")
@click.option("--json", "json_path", type=PATH, help="Write all numbers to this file.")
@click.option("--force", is_flag=True, help="Overwrite the file of --json.")
@click.option(
    "--resamples",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Bootstrap resamples for the intervals.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The same seed gives the same intervals.",
)
def command(
    predictions: tuple[Path, ...],
    labels: tuple[Path, ...],
    train_labels: tuple[Path, ...],
    json_path: Path | None,
    force: bool,
    resamples: int,
    seed: int,
) -> None:
    """Say how good PREDICTIONS are, beside the prior and beside each other.

    PREDICTIONS are tables or submissions that `gale predict` wrote, or others of the same
    columns. The prior says the training prevalence of every run: that of the sidecar (.json) of
    the predictions, else that of --train-labels, else that of --labels, which flatters it.

    Label tables are CSV files: a column run or sample_id, then one a family with 0, 1 or blank for
    unknown. Both options can be repeated for more of them.
    """
    from gale.evaluation import (
        compare,
        evaluate,
        read_label_tables,
        read_predictions,
        training_prevalence,
    )
    from gale.evaluation.text import evaluation_text
    from gale.plumbing.files import check_free, writing

    if json_path is not None:
        check_free(json_path, force=force)
        _check_no_sidecar(json_path, predictions)
    known = read_label_tables(labels)
    prior = (
        training_prevalence(read_label_tables(train_labels), known.families)
        if train_labels
        else None
    )
    read = [read_predictions(path) for path in predictions]
    evaluations = [
        evaluate(
            each,
            known,
            prevalence=prior if each.prevalence is None else None,
            resamples=resamples,
            seed=seed,
        )
        for each in read
    ]
    comparisons = [compare(first, second) for first, second in combinations(evaluations, 2)]
    origins = {each.prevalence_from for each in evaluations}
    notes = []
    if "labels" in origins:
        notes.append(
            "the prevalence is that of the labels evaluated, which flatters the baseline: the "
            "predictions have no sidecar; give --train-labels"
        )
    if train_labels and "argument" not in origins:
        notes.append("--train-labels was not used: the sidecars of the predictions state it")
    click.echo(evaluation_text(evaluations, comparisons, labels, notes))
    if json_path is not None:
        results = {
            "labels": [str(path) for path in labels],
            "train_labels": [str(path) for path in train_labels],
            "evaluations": [each.to_dict() for each in evaluations],
            "comparisons": [each.to_dict() for each in comparisons],
        }
        with writing(json_path, force=force) as temporary:
            temporary.write_text(json.dumps(results, indent=1, allow_nan=False), encoding="utf-8")


def _check_no_sidecar(json_path: Path, predictions: tuple[Path, ...]) -> None:
    from gale.evaluation.predictions import sidecar

    if json_path in map(sidecar, predictions):
        raise OutputError(
            f"{json_path}: found the name that the sidecar of the predictions has; "
            "expected another name; choose one"
        )
