"""A model: where it is from, what it looks at, and how well it did."""

from __future__ import annotations

import json
from typing import Any

from gale.cli.shows import rows
from gale.model import Model


def values(model: Model) -> dict[str, Any]:
    """What a model says of itself, as values that JSON can hold."""
    return dict(model.facts)


def lines(model: Model) -> list[str]:
    """What is said of a model, for people."""
    facts = model.facts
    training, scores = facts["training"], facts["scores"]
    shown = {
        "recipe": f"{facts['recipe']['name']}, seed {facts['seed']}",
        "trained": f"{facts['created']} on {training['runs']:,} runs of {training['campaign']}",
        "left out": ", ".join(training["unreadable"]) or "no run",
        "ensemble": f"{facts['members']} members from {facts['folds']} folds",
        "features": f"{model.spec.to_dict()['kind']}, {model.spec.n_features:,} "
        f"from {len(model.spec.mz)} m/z, {model.spec.mz[0]} to {model.spec.mz[-1]}",
        "calibrated": "yes" if facts["calibrated"] else "no: the outputs are scores",
        "log loss": f"{scores['log_loss']:.3f}, beside {scores['prior_log_loss']:.3f} of the "
        "training prevalence",
        "measured on": f"{scores['measured_on']}; {scores['caution']}",
        "fingerprint": training["fingerprint"],
    }
    table = [f"  {'family':<32}{'positive':>9}{'known':>9}{'prevalence':>12}"]
    counts = zip(model.prevalence.items(), training["positive"], training["known"], strict=True)
    for (family, prevalence), positive, known in counts:
        table.append(f"  {family:<32}{positive:>9,}{known:>9,}{prevalence:>12.3f}")
    head = f"{model.source}: a model (format {facts['format']}, gale {facts['gale_version']})"
    return [head, *rows(shown), *table]


def recipe_lines(choices: dict[str, Any], prefix: str = "") -> list[str]:
    """The choices of a recipe as TOML: dotted keys, and values that JSON and TOML write alike.

    Parts come last, each as a table of its own.
    """
    said, tables = [], []
    for key, value in choices.items():
        if isinstance(value, dict):
            said += recipe_lines(value, f"{prefix}{key}.")
        elif key == "parts":
            for part in value:
                tables += ["", "[[parts]]", *recipe_lines(part)]
        elif value is not None:
            said.append(f"{prefix}{key} = {json.dumps(value)}")
    return said + tables
