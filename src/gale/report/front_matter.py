"""What stands at the head of a model card for machines: YAML as model hubs read it.

`model-index` has the scores, as Hugging Face and Papers with Code define it: of each data set, the
task, its name and its metrics. Only scores that were measured are in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gale.model import Model

TAGS = ("gc-ms", "mass-spectrometry", "chemistry", "multi-label-classification", "onnx")

METRICS = {
    "log_loss": "Log loss (mean over families)",
    "brier": "Brier score (mean over families)",
    "roc_auc": "ROC AUC (mean over families)",
}
"""Means of an evaluation that are stated, and what they are called."""

TASK = ("tabular-classification", "Compound families in GC-MS runs")

_ESCAPED = re.compile(r"[^\w .,:;()/+%=-]")
"""What is written as a number, so that it means nothing in YAML, Markdown or HTML."""

Scores = tuple[str, Mapping[str, float | None]]
"""The name of a data set, and the value of each metric, None where it is undefined."""


def front_matter(model: Model, measured: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Give the lines of the front matter.

    Parameters
    ----------
    model : Model
    measured : sequence of (str, mapping)
        Names of the label tables, and an evaluation as `gale.evaluation.Evaluation.to_dict` gives
        it.
    """
    yield from ("---", "library_name: gale", "tags:")
    yield from (f"- {tag}" for tag in TAGS)
    yield "metrics:"
    yield from (f"- {metric}" for metric in METRICS)
    yield "model-index:"
    yield f"- name: {_quoted(model.facts['recipe']['name'])}"
    yield "  results:"
    for name, values in (_of_training(model), *(_of_evaluation(*each) for each in measured)):
        yield f"  - task: {{type: {TASK[0]}, name: {_quoted(TASK[1])}}}"
        yield f"    dataset: {{type: gc-ms, name: {_quoted(name)}}}"
        yield "    metrics:"
        for metric, value in values.items():
            if value is not None:
                called = _quoted(METRICS[metric])
                yield f"    - {{type: {metric}, value: {value:.6g}, name: {called}}}"
    yield "---"


def _of_training(model: Model) -> Scores:
    facts = model.facts
    name = f"{facts['training']['campaign']}, {facts['scores']['measured_on']}"
    return name, {"log_loss": facts["scores"]["log_loss"]}


def _of_evaluation(labels: str, evaluation: Mapping[str, Any]) -> Scores:
    means, n_runs = evaluation["scores"]["mean"], evaluation["scores"]["runs"]
    name = f"{n_runs} runs of {labels}" if labels else f"{n_runs} labelled runs"
    return name, {metric: means[metric]["value"] for metric in METRICS if metric in means}


def _quoted(text: str) -> str:
    """Return a text in quotation marks, in which YAML undoes the escapes."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(sign: re.Match[str]) -> str:
    number = ord(sign[0])
    return f"\\u{number:04x}" if number < 2**16 else f"\\U{number:08x}"
