"""An evaluation in a notebook: scores beside the baseline, and what was not scored."""

from __future__ import annotations

from gale.evaluation import Evaluation
from gale.evaluation.predictions import IN_MEMORY
from gale.evaluation.text import interval_text, number_text
from gale.notebook.parts import block, sentences, table
from gale.plumbing.text import counted, listed

HEADER = ("family", "positive of known", "log loss", "baseline", "ROC AUC", "average precision")
METRICS = ("roc_auc", "average_precision")
"""Names of the other metrics of the table, in its order."""


def evaluation_html(evaluation: Evaluation) -> str:
    """Draw an evaluation."""
    scores, prior = evaluation.scores, evaluation.prior
    rows = [
        [
            family,
            f"{scores.positives[at]:,} of {scores.known[at]:,}",
            interval_text(scores.per_family["log_loss"], at=at),
            number_text(float(prior.per_family["log_loss"].value[at])),
            *(interval_text(scores.per_family[name], at=at) for name in METRICS),
        ]
        for at, family in enumerate(evaluation.families)
    ]
    mean = scores.mean
    rows.append(
        [
            "mean over families",
            "",
            interval_text(mean["log_loss"]),
            number_text(float(prior.mean["log_loss"].value)),
            *(interval_text(mean[name]) for name in METRICS),
        ]
    )
    known = [
        f"not scored: {why}: {listed(names, 3)}" for why, names in evaluation.not_scored.items()
    ]
    known += [evaluation.trained_on_note] if evaluation.trained_on else []
    known += [] if evaluation.source == IN_MEMORY else evaluation.by_name_notes
    if evaluation.prevalence_from == "labels":
        known.append("the baseline predicts the prevalence of these labels, which flatters it")
    difference = interval_text(evaluation.difference, "+.3f")
    return block(
        f"Evaluation of {evaluation.source}",
        (
            counted(len(evaluation.runs), "run"),
            counted(len(evaluation.families), "family", "families"),
            f"log loss minus that of the baseline: {difference} (negative: better)",
        ),
        table(HEADER, rows),
        sentences("to know:", known),
    )
