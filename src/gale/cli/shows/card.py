"""A model card: what a model is for, what it was made of, how good it is, and where it ends.

The sections are those of Mitchell et al. 2019, "Model cards for model reporting", FAT*, as far as a
model knows them of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gale.cli.shows.model import recipe_lines
from gale.errors import TableError
from gale.model import FEW_POSITIVES, Model
from gale.plumbing.text import listed

ADVICE = (
    "Score it on labelled runs of your own that chose nothing (`gale evaluate --json`), and put "
    "the scores here with `--scores`."
)


def card(model: Model, scores: Sequence[Measured] = ()) -> str:
    """Write the card of a model in Markdown, with scores that were measured beside its own."""
    return "\n".join(_lines(model, scores)) + "\n"


def read_scores(path: Path, families: Sequence[str]) -> list[Measured]:
    """Read what `gale evaluate --json` wrote.

    Raises
    ------
    TableError
        If it is something else, or of other families.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        labels = ", ".join(map(str, found["labels"]))
        measured = [Measured(labels, each) for each in found["evaluations"]]
        scored = {row["family"] for each in measured for row in each.rows}
        _ = [list(each.lines()) for each in measured], measured[0]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TableError(
            f"{path}: found no scores ({error}); expected what gale evaluate --json writes; "
            "evaluate the model's predictions again"
        ) from error
    if others := sorted(scored - set(families)):
        raise TableError(
            f"{path}: found scores of {listed(others, 3)}; expected families of the model "
            f"({listed(families, 3)}); evaluate the predictions of this model"
        )
    return measured


@dataclass(frozen=True)
class Measured:
    """Scores of predictions on labelled runs.

    Parameters
    ----------
    labels : str
        Names of the label tables.
    evaluation : mapping
        As `gale.evaluation.Evaluation.to_dict` gives it.
    """

    labels: str
    evaluation: Mapping[str, Any]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """Scores of each family."""
        rows: list[Mapping[str, Any]] = self.evaluation["scores"]["families"]
        return rows

    def lines(self) -> Iterator[str]:
        """Say it in Markdown."""
        scores, prior = self.evaluation["scores"], self.evaluation["prior"]
        mean = scores["mean"]["log_loss"]
        yield ""
        yield (
            f"Predictions {self.evaluation['predictions']} on {scores['runs']:,} runs of "
            f"{self.labels}: log loss {_interval(mean, '')}, beside "
            f"{prior['mean']['log_loss']['value']:.3f} of the prevalence "
            + ("in these runs" if prior["prevalence_from"] == "labels" else "in the training runs")
            + f"; calibration error {scores['calibration_error']:.3f}. In brackets: 95 % intervals "
            "over runs."
        )
        if n_left := len(self.evaluation["missing"]) + len(self.evaluation["failed"]):
            yield f"Labelled runs that were not predicted, or could not be: {n_left:,}."
        yield from ("", "| family | positive | log loss | ROC AUC |", "| --- | --- | --- | --- |")
        for row in self.rows:
            loss, area = (
                _interval({end: row[f"{name}{of}"] for end, of in ENDS.items()}, "-")
                for name in ("log_loss", "roc_auc")
            )
            yield f"| {_cell(row['family'])} | {row['positives']:,} | {loss} | {area} |"


ENDS = {"value": "", "low": "_low", "high": "_high"}
"""Of an estimate: its keys, and how columns of tables end that hold them."""


def _cell(text: str) -> str:
    """Write a text so that it stays in its cell."""
    return text.replace("|", "\\|")


def _interval(estimate: Mapping[str, float | None], undefined: str) -> str:
    value, low, high = (estimate[end] for end in ENDS)
    if value is None or low is None or high is None:
        return undefined
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _lines(model: Model, measured: Sequence[Measured]) -> Iterator[str]:
    facts = model.facts
    training, scores, recipe = facts["training"], facts["scores"], facts["recipe"]
    yield f"# Model card: {recipe['name']}, trained on {training['campaign']}"
    yield ""
    yield (
        f"An ensemble of {facts['members']} members from {facts['folds']} folds, made by gale "
        f"{facts['gale_version']} on {facts['created'][:10]} with seed {facts['seed']}. From the "
        f"{facts['features']['kind']} features of a GC-MS run, of m/z {model.spec.mz[0]} to "
        f"{model.spec.mz[-1]}, it says how probable it is that the sample holds each of "
        f"{len(model.families)} families of compounds."
    )
    yield from ("", "## Intended use", "")
    yield (
        "Runs of the instruments and the kinds of samples that it was trained on: to sort them by "
        "what they probably hold, and to see where to look. Not to decide alone: a low probability "
        "does not show that a compound is absent, and a high one names a family, not a compound."
    )
    yield from ("", "## Training data", "")
    n_left_out = len(training["unreadable"])
    yield (
        f"{training['runs']:,} labelled runs of the campaign {training['campaign']}"
        + (f"; {n_left_out:,} that could not be read were left out" if n_left_out else "")
        + "."
    )
    yield from ("", "| family | positive | known | prevalence |", "| --- | --- | --- | --- |")
    counts = zip(model.prevalence.items(), training["positive"], training["known"], strict=True)
    few = []
    for (family, prevalence), positive, known in counts:
        yield f"| {_cell(family)} | {positive:,} | {known:,} | {prevalence:.3f} |"
        if positive < FEW_POSITIVES:
            few.append(f"{family} ({positive})")
    if "pretraining" in recipe:
        pretraining = recipe["pretraining"]
        own = ", ".join(pretraining.get("libraries", ()))  # not in older models
        yield ""
        yield (
            f"Before these, its networks learned from {pretraining['runs']:,} simulated runs of "
            + (f"compounds of {own}." if own else "the compounds that come with gale.")
        )
    yield from ("", "## How good it is", "")
    yield (
        f"Log loss {scores['log_loss']:.3f}, beside {scores['prior_log_loss']:.3f} of the training "
        f"prevalence, on {scores['measured_on']}. {_sentence(scores['caution'])}"
        + ("" if measured else f" {ADVICE}")
    )
    for each in measured:
        yield from each.lines()
    yield from ("", "## Limits", "")
    yield from _limits(facts["calibrated"], few)
    yield from ("", "## Recipe", "", "```toml", *recipe_lines(recipe), "```", "")
    yield f"Fingerprint of the training (runs, labels, recipe, seed): `{training['fingerprint']}`"


def _limits(calibrated: bool, few: list[str]) -> Iterator[str]:
    if calibrated:
        yield (
            "- Its probabilities are calibrated on runs like those of training. On another "
            "instrument they can be too sure; the column `unlike` of its predictions, and what "
            "`gale predict` says of a batch, are signs of one, and no guarantee."
        )
    else:
        yield "- It gives scores from 0 to 1 that are not calibrated."
    if few:
        yield (
            f"- Learned from fewer than {FEW_POSITIVES} positive runs, and uncertain accordingly: "
            f"{', '.join(few)}."
        )
    yield (
        "- It knows families, as they were labelled in training, and nothing of how much of a "
        "compound there is."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
