"""Recalibration: a model's probabilities corrected on a few labelled runs of another laboratory.

A model that learned elsewhere may rank runs well and yet be far too sure of them: families are more
or less common here, and another instrument shows less of each. Both are mended by a scale and an
offset of the logit for each family (Platt 1999), pooled over families, so that twenty runs suffice
(see `gale.training.calibration`). The networks stay as they are.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from gale.campaign import Campaign
from gale.campaign.labels import order_of, prevalence_of
from gale.errors import CampaignError, TrainingError
from gale.evaluation.metrics import log_loss
from gale.model import Model
from gale.model.file import CHECKSUM, EVIDENCE, METADATA_KEY, OUTPUTS, sealed
from gale.model.graph import Graph, ValueInfo
from gale.model.support import Support
from gale.plumbing.kinds import checked
from gale.plumbing.tables import FAILED
from gale.plumbing.text import counted, listed
from gale.plumbing.work import Work
from gale.portable.embedding import PREFIX, Parts, embed, embeddable
from gale.readers import DIGITS
from gale.run import Floats
from gale.training.calibration import Calibration, Deviations, cross_fitted, fit_calibration
from gale.training.copies import check_not_tested, contents_of, without_copies
from gale.training.export import SUMMARY
from gale.training.folds import Fold

LEAST_RUNS = 20
"""With fewer labelled runs, a correction is as likely to harm."""

CLOSE = Deviations(scale=0.2, offset=0.5, family_scale=0.2)
"""Tighter priors than those of a training: with the usual ones, twenty runs harm a model that is
calibrated for other instruments already."""

LIMIT = 1e-6
"""Probabilities are taken to be this far from 0 and 1 at least, so that each has a logit."""


@checked
def recalibrate(model: Model, campaign: Campaign, *, work: Work | None = None) -> Model:
    """Correct a model's probabilities on the labelled train and val runs of a campaign.

    Parameters
    ----------
    model : Model
        Also :func:`gale.bundled_model`.
    campaign : Campaign
        With labels of families that the model has; the others keep the correction that all share.
        Runs that the model was trained on, that cannot be read, or that have the content of others
        are left out with a note.
    work : Work, optional

    Returns
    -------
    Model
        Its ``scores`` are those of the labelled runs, each corrected by the others.

    Raises
    ------
    TrainingError
        If fewer than 20 labelled runs are left.
    CampaignError
        If the campaign has no family of the model, runs of the same content have contradicting
        labels, or a test run has the content of one to learn from.
    ModelError
        If the model's graph is of an older operator set than the correction needs.

    Examples
    --------
    In a folder with a campaign and a model:

    >>> import gale
    >>> model = gale.Model.load("model.onnx")
    >>> elsewhere = gale.Campaign.open("campaign").of_split("test")
    >>> try:
    ...     gale.recalibrate(model, elsewhere)
    ... except gale.errors.TrainingError as error:
    ...     print(error.expected)
    20 or more
    """
    work = work or Work()
    labels, probability, contents = _labelled(model, campaign, work)
    parts = embeddable(model)
    logits = logit(np.clip(probability, LIMIT, 1 - LIMIT))[None]
    facts = _facts(model, campaign, labels, contents)
    support = Support.of_facts(facts)
    assert support is not None
    everything = Fold(np.arange(0), np.arange(len(labels)))
    held_out = support.apply(cross_fitted(logits, labels, [everything], deviations=CLOSE))
    before = log_loss(labels, probability)
    facts["recalibrated"]["log_loss_before"] = before
    facts["scores"] = {
        "caution": "they are of the campaign that corrected the model",
        "log_loss": log_loss(labels, held_out),
        "measured_on": f"{len(labels):,} runs of {facts['recalibrated']['campaign']}, each "
        f"corrected by the others (before: {before:.3f})",
        "prior_log_loss": log_loss(labels, np.tile(prevalence_of(labels), (len(labels), 1))),
    }
    calibration = fit_calibration(logits, labels, deviations=CLOSE)
    return Model(_graph(model, parts, calibration, support, facts))


def _labelled(
    model: Model, campaign: Campaign, work: Work
) -> tuple[NDArray[np.float32], Floats, list[str]]:
    """Return labels and probabilities (R, K) of the runs to learn from, and their checksums."""
    shared = [family for family in model.families if family in campaign.families]
    if not shared:
        raise CampaignError(
            campaign.root,
            f"has labels of {listed(campaign.families, 3) or 'no family'}",
            f"families of the model ({listed(model.families, 3)})",
            "rename the columns of the label table",
        )
    chosen = campaign.select(np.array([split != "test" for split in campaign.split]))
    chosen = chosen.select(chosen.labelled)
    table, files = model.predict_read(chosen, work)
    read = np.array([status != FAILED for status in table["status"]], dtype=bool)
    checksums = zip(files.contents, files.checksums, strict=True)
    seen = np.array([model.is_trained_on(*each) for each in checksums], dtype=bool)
    for count, why in ((int((~read).sum()), "not readable"), (int(seen.sum()), "in the training")):
        if count:
            work.progress.note(f"{counted(count, 'run is', 'runs are')} left out: {why}")
    labels = np.full((len(chosen), len(model.families)), np.nan, np.float32)
    columns = order_of(chosen.families, shared)
    labels[:, order_of(model.families, shared)] = chosen.labels[:, columns]
    kept = np.flatnonzero(read & ~seen & np.isfinite(labels).any(axis=1))
    known = chosen.select(kept)
    contents = contents_of(known, [files.contents[row] for row in kept])
    rows, _ = without_copies(known, contents, work.progress)
    check_not_tested(campaign, known, contents)
    kept = kept[rows]
    if len(kept) < LEAST_RUNS:
        raise TrainingError(
            campaign.root,
            f"has {counted(len(kept), 'labelled run')} to correct the model with",
            f"{LEAST_RUNS} or more",
            "label more runs",
        )
    probability = table.select(model.families).to_numpy().astype(np.float64)
    learned = [contents[row].checksum[:DIGITS] for row in rows]
    return labels[kept], probability[kept], learned


def _facts(
    model: Model, campaign: Campaign, labels: NDArray[np.float32], contents: list[str]
) -> dict[str, Any]:
    """What the corrected model says of itself; its cut-offs were those of other probabilities."""
    facts = {key: value for key, value in model.facts.items() if key not in ("cutoffs", "files")}
    known_content = facts["training"].get("content", [])
    return {
        **facts,
        "calibrated": True,
        "checksum": CHECKSUM,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "recalibrated": {
            "campaign": campaign.root.resolve().name,
            "known": np.isfinite(labels).sum(axis=0).tolist(),
            "model_sha256": model.sha256,
            "positive": np.nansum(labels, axis=0).astype(int).tolist(),
            "runs": len(labels),
        },
        "supported": True,
        "training": {**facts["training"], "content": [*known_content, *contents]},
    }


def _graph(
    model: Model, parts: Parts, calibration: Calibration, support: Support, facts: dict[str, Any]
) -> bytes:
    """Append the correction to the graph of a model."""
    graph = Graph("recalibration/")
    graph.name(PREFIX + SUMMARY, SUMMARY)
    embed(graph, parts)
    n_families = len(model.families)
    shapes = {OUTPUTS[0]: ["runs", n_families], OUTPUTS[1]: [facts["members"], "runs", n_families]}
    for name, shape in shapes.items():
        p = graph("Clip", PREFIX + name, LIMIT, 1 - LIMIT)
        z = graph("Sub", graph("Log", p), graph("Log", graph("Sub", 1.0, p)))
        moved = graph("Add", graph("Mul", z, calibration.weight[0]), calibration.bias)
        corrected = graph("Sigmoid", moved)
        graph.output(
            name, graph("Add", graph("Mul", corrected, support.scale), support.least), shape
        )
    if model.has_elution_network:
        graph.output(EVIDENCE, PREFIX + EVIDENCE, ["runs", model.event_spec.shape[0], n_families])
    for name in model.further_outputs:
        graph.output(name, PREFIX + name, ["runs"])
    metadata = {METADATA_KEY: json.dumps(facts, sort_keys=True, allow_nan=False)}
    inputs = [ValueInfo(SUMMARY, ["runs", model.spec.n_features])]
    return sealed(graph.to_bytes(inputs, metadata, opset=parts.opset, ir_version=parts.ir_version))
