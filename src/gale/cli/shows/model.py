"""A model: where it comes from, what it looks at, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gale.cli.shows import rows
from gale.cli.wording import in_options
from gale.features.joined import kinds_of
from gale.model import Model
from gale.model.groups import sentences_on_groups
from gale.plumbing.text import counted

if TYPE_CHECKING:
    from gale.report import TrainingFiles


def values(model: Model) -> dict[str, Any]:
    """Give the facts of a model as values that JSON can hold."""
    return dict(model.facts)


def _of_mz(model: Model) -> str:
    mz = model.spec.mz
    return f" from {len(mz)} m/z ({mz[0]} to {mz[-1]})" if mz else ""


def lines(model: Model) -> list[str]:
    """Describe a model for people."""
    facts = model.facts
    training, scores = facts["training"], facts["scores"]
    trained_on = f"{counted(training['runs'], 'run')} of {training['campaign']}"
    shown = {
        "recipe": f"{facts['recipe']['name']}, seed {facts['seed']}",
        "trained": f"{facts['created']} on {trained_on}",
        "left out": ", ".join(training["unreadable"]) or "none",
        "ensemble": f"{counted(facts['members'], 'member')} from {counted(facts['folds'], 'fold')}",
        "features": f"{kinds_of(model.spec)}: {model.spec.n_features:,}{_of_mz(model)}",
        "calibrated": "yes" if facts["calibrated"] else "no: the outputs are scores",
        "log loss": f"{scores['log_loss']:.3f} (training prevalence: "
        f"{scores['prior_log_loss']:.3f})",
        "measured on": f"{scores['measured_on']}; {scores['caution']}",
        **_groups(model),
        **_recalibrated(model),
        **({"caution": in_options(model.caution)} if model.caution else {}),
        "fingerprint": training["fingerprint"],
        "checksum": "agrees"
        if model.has_checksum
        else "none: an older file, in which damage may go unnoticed",
    }
    table = [f"  {'family':<32}{'positive':>9}{'known':>9}{'prevalence':>12}"]
    counts = zip(model.prevalence.items(), training["positive"], training["known"], strict=True)
    for (family, prevalence), positive, known in counts:
        table.append(f"  {family:<32}{positive:>9,}{known:>9,}{prevalence:>12.3f}")
    head = f"{model.source}: a model (format {facts['format']}, gale {facts['gale_version']})"
    return [head, *rows(shown), *table]


def _recalibrated(model: Model) -> dict[str, str]:
    """Say on what the probabilities were corrected, if they were."""
    if (known := model.facts.get("recalibrated")) is None:
        return {}
    return {"corrected": f"on {counted(known['runs'], 'labelled run')} of {known['campaign']}"}


def _groups(model: Model) -> dict[str, str]:
    """Say what the groups of the training runs do to its figures, if there are any."""
    said = sentences_on_groups(model.facts)
    return {"groups": " ".join(said)} if said else {}


def trained_lines(model: Model, files: TrainingFiles, seconds: float) -> list[str]:
    """Describe a model that was just trained, and the files beside it."""
    scores, unreadable = model.facts["scores"], model.facts["training"]["unreadable"]
    left_out = [f"{counted(len(unreadable), 'run')} left out: not readable, see the notes"]
    said = repr(model).removeprefix("<Model ").removesuffix(">")
    return [
        f"{files.model}: {said}, {files.model.stat().st_size / 1e6:.1f} MB, {seconds:.0f} s",
        f"{files.history}: losses of every epoch",
        f"{files.out_of_fold}: predictions of the labelled runs by members that did not train on "
        "them",
        *(left_out if unreadable else []),
        f"log loss {scores['log_loss']:.3f} (training prevalence: {scores['prior_log_loss']:.3f}) "
        f"on {scores['measured_on']}; {scores['caution']}",
        *_groups(model).values(),
        *filter(None, [_no_better(scores), model.caution]),
    ]


def _no_better(scores: Mapping[str, Any]) -> str:
    """Say if a model is no better than the training prevalence on held-out runs."""
    if scores["log_loss"] < scores["prior_log_loss"]:
        return ""
    return "that is no better than the training prevalence: do not rely on this model"
