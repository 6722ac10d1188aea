"""Evaluations as plain text: what was scored, the scores, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from gale.evaluation import Comparison, Evaluation
from gale.evaluation.bootstrap import Estimate
from gale.evaluation.calls import Calls
from gale.evaluation.metrics import CALIBRATION_BINS
from gale.plumbing.text import listed

COLUMNS = ("log loss", "Brier", "ROC AUC", "average precision")
"""Headings of `gale.evaluation.metrics.METRICS`, in the same order."""


def evaluation_text(
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    labels: Sequence[Path],
    notes: Sequence[str] = (),
) -> str:
    """Return evaluations side by side, then each family by family, as text in aligned columns.

    Parameters
    ----------
    evaluations, comparisons : sequences
        At least one evaluation; all with the same labels, resamples and seed.
    labels : sequence of Path
        The label tables, to name them.
    notes : sequence of str
        Further lines for the end.
    """
    return "\n\n".join(
        [
            "\n".join(_scope(evaluations, labels)),
            _aligned(_summary(evaluations)),
            _aligned(_differences(evaluations, comparisons)),
            *(f"{each.source}\n{_aligned(_families(each))}" for each in evaluations),
            *(
                f"{each.source}: calls\n{_aligned(_calls(each.calls))}"
                for each in evaluations
                if each.calls is not None
            ),
            "\n".join([*_notes(evaluations), *notes]),
        ]
    )


def _scope(evaluations: Sequence[Evaluation], labels: Sequence[Path]) -> Iterator[str]:
    """Yield lines on what was scored, and what was not and why."""
    for each in evaluations:
        n_labelled = len(each.runs) + len(each.missing) + len(each.failed)
        yield (
            f"{each.source}: scored {len(each.runs):,} of {n_labelled:,} runs of "
            f"{', '.join(map(str, labels))} on {len(each.families)} families"
        )
        if each.trained_on:
            yield f"  {each.trained_on_note}"
        for reason, names in each.not_scored.items():
            yield f"  not scored: {reason}: {len(names):,} ({listed(names)})"
        for note in each.by_name_notes:
            yield f"  {note}"


def _summary(evaluations: Sequence[Evaluation]) -> list[list[str]]:
    """Make the rows of all families: each set of predictions, then each different baseline."""
    priors = {(each.runs, each.prevalence.tobytes()): each for each in evaluations}.values()
    rows = [(each.source, each.scores) for each in evaluations]
    for each in priors:
        name = "these labels'" if each.prevalence_from == "labels" else "training"
        of = f" ({each.source})" if len(priors) > 1 else ""
        rows.append((f"{name} prevalence{of}", each.prior))
    table = [["mean over families", *COLUMNS, "calibration error"]]
    for name, scores in rows:
        log_loss, *others = scores.mean.values()
        numbers = [*(float(mean.value) for mean in others), scores.calibration_error]
        table.append([name, interval_text(log_loss), *map(number_text, numbers)])
    return table


def _differences(
    evaluations: Sequence[Evaluation], comparisons: Sequence[Comparison]
) -> list[list[str]]:
    """Make the rows of paired differences: each to its baseline, then each pair."""
    rows = [(f"{each.source} - baseline", each.difference, len(each.runs)) for each in evaluations]
    rows += [
        (f"{each.first} - {each.second}", each.difference, each.n_runs) for each in comparisons
    ]
    return [
        ["paired difference (negative: the first is better)", "log loss", "runs"],
        *(
            [name, interval_text(difference, "+z.3f"), f"{n_runs:,}"]
            for name, difference, n_runs in rows
        ),
    ]


def _families(evaluation: Evaluation) -> list[list[str]]:
    """Make the rows of one set of predictions, one per family."""
    scores = evaluation.scores
    prior = evaluation.prior.per_family["log_loss"].value
    rows = [["family", "positives/known", COLUMNS[0], "baseline", *COLUMNS[1:]]]
    for k, family in enumerate(evaluation.families):
        log_loss, *others = (interval_text(metric, at=k) for metric in scores.per_family.values())
        counts = f"{scores.positives[k]}/{scores.known[k]}"
        rows.append([family, counts, log_loss, number_text(float(prior[k])), *others])
    return rows


def _calls(calls: Calls) -> list[list[str]]:
    """Make the rows of calls, one per family."""
    rows = [["family", "yes", "of them positive", "all positive", "blank", "precision", "recall"]]
    for row in calls.to_dicts():
        counts = (f"{row[name]:,}" for name in ("yes", "found", "positive", "blank"))
        shares = (share_text(row[name]) for name in ("precision", "recall"))
        rows.append([row["family"], *counts, *shares])
    return rows


def share_text(share: Sequence[float] | None) -> str:
    """Write a share with its bounds, or - where there is none.

    Examples
    --------
    >>> share_text([0.9, 0.596, 0.982])
    '0.90 [0.60, 0.98]'
    """
    if share is None:
        return "-"
    value, low, high = share
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """Explain the numbers."""
    scores = evaluations[0].scores
    notes = [
        "log loss: mean over the runs whose label for the family is known, natural logarithm; "
        "lower is better",
        "the score is the mean log loss over families",
        "baseline: predicts the prevalence of each family for every run",
        "calibration error: mean distance of the predictions from the share of positives, over all "
        f"known labels in {CALIBRATION_BINS} bins of equal width",
        f"[low, high]: 95 % percentile bootstrap interval over runs, {scores.resamples:,} "
        f"resamples, seed {scores.seed}",
    ]
    if any(each.calls is not None for each in evaluations):
        notes.append(
            "calls: precision is the share of the runs called yes that are positive, recall that "
            "of the positive runs that are called yes; runs without a call do not count; "
            "[low, high]: 95 % score interval (Wilson)"
        )
    undefined = {
        family
        for each in evaluations
        for family, positives, known in zip(
            each.families, each.scores.positives, each.scores.known, strict=True
        )
        if positives in (0, known)
    }
    if undefined:
        notes.append(
            "-: undefined, as the family lacks a positive or a negative run; left out of the means "
            f"({', '.join(sorted(undefined))})"
        )
    return notes


def _aligned(rows: list[list[str]]) -> str:
    """Lay out rows as text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    )


def interval_text(estimate: Estimate, form: str = ".3f", at: int | tuple[()] = ()) -> str:
    """Write a value with its interval, or - where it is undefined."""
    bounds = (estimate.value, estimate.low, estimate.high)
    value, low, high = (number_text(float(bound[at]), form) for bound in bounds)
    return "-" if value == "-" else f"{value} [{low}, {high}]"


def number_text(value: float, form: str = ".3f") -> str:
    """Write a number, or - where it is undefined."""
    return "-" if math.isnan(value) else format(value, form)
