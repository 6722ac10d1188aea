"""A model in a notebook: a small card."""

from __future__ import annotations

from collections.abc import Iterator

from gale.features.joined import kinds_of
from gale.model import FEW_POSITIVES, UNCALIBRATED, Model
from gale.model.cutoffs import measured_cutoffs
from gale.notebook.parts import block, sentences, table
from gale.plumbing.text import counted, listed

AIM = "best F1"
"""The cut-off that the card shows, as `gale.evaluation.cutoffs.Aim` calls it."""


HEADER = ("family", "positive of known", "prevalence", f"cut-off ({AIM})", "precision", "recall")


def model_html(model: Model) -> str:
    """Draw a model."""
    facts = model.facts
    training, scores = facts["training"], facts["scores"]
    cutoffs = {row.family: row for row in measured_cutoffs(facts) if row.aim in (AIM, "")}
    rows = []
    for family, share, positive, known in zip(
        model.families, facts["prevalence"], training["positive"], training["known"], strict=True
    ):
        row = cutoffs.get(family)
        measured = (
            [f"{row.threshold:.2f}", _share(row.precision), _share(row.recall)]
            if row is not None and row.threshold is not None
            else ["none", "", ""]
        )
        rows.append([family, f"{positive:,} of {known:,}", f"{share:.2f}", *measured])
    said = [
        f"log loss {scores['log_loss']:.3f} (training prevalence: {scores['prior_log_loss']:.3f}), "
        f"measured on {scores['measured_on']}; {scores['caution']}"
    ]
    return block(
        f"Model {facts['recipe']['name']}",
        (
            counted(facts["members"], "member"),
            f"{kinds_of(model.spec)} features",
            f"trained on {counted(training['runs'], 'run')} of {training['campaign']}",
            facts["created"][:10],
            f"gale {facts['gale_version']}",
        ),
        sentences("", said),
        table(HEADER, rows),
        sentences("to know:", list(_cautions(model))),
    )


def _share(found: list[float] | None) -> str:
    return "" if found is None else f"{found[0]:.2f} [{found[1]:.2f}, {found[2]:.2f}]"


def _cautions(model: Model) -> Iterator[str]:
    if model.caution:
        yield model.caution
    if not model.facts["calibrated"]:
        yield UNCALIBRATED
    positive = zip(model.families, model.facts["training"]["positive"], strict=True)
    if few := [family for family, number in positive if number < FEW_POSITIVES]:
        yield f"learned from fewer than {FEW_POSITIVES} positive runs: {listed(few, 4)}"
    if unreadable := model.facts["training"]["unreadable"]:
        yield f"left out of the training, since they could not be read: {listed(unreadable, 3)}"
