"""A model card: what a model is for, what it was trained on, how good it is, and its limits.

The sections are those of Mitchell et al. 2019, "Model cards for model reporting", FAT*, as far as a
model knows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gale.errors import TableError, warn
from gale.evaluation import Evaluation
from gale.evaluation.text import share_text
from gale.features.joined import kinds_of
from gale.model import FEW_POSITIVES, Model
from gale.model.cutoffs import measured_cutoffs
from gale.model.groups import sentences_on_groups
from gale.model.support import Support
from gale.plumbing.kinds import checked
from gale.plumbing.reading import read_text
from gale.plumbing.schema import read_json
from gale.plumbing.text import in_markdown, listed
from gale.plumbing.toml import toml_lines
from gale.report.front_matter import front_matter

ADVICE = (
    "To add scores to this card, evaluate the model on labelled runs of your own that were not "
    "used for any choice."
)

SUFFIXES = {"value": "", "low": "_low", "high": "_high"}
"""The keys of an estimate, and the suffix of the column that has each in a table of scores."""


@checked
def model_card(model: Model, scores: str | Path | Evaluation | Sequence[Evaluation] = ()) -> str:
    """Write a model card in Markdown, with front matter in YAML as model hubs read it.

    Parameters
    ----------
    model : Model
    scores : str, Path, Evaluation or sequence of Evaluation
        Scores of the model's predictions to put on the card, beside those of its training: what
        :func:`gale.evaluate` gave, or the JSON file that `gale evaluate` wrote.

    Returns
    -------
    str

    Raises
    ------
    TableError
        If the file has no scores, or none of this model.

    Warns
    -----
    GaleWarning
        If scores of other models are left out, or a file does not say whose its scores are.

    Examples
    --------
    In a folder with a model and a campaign:

    >>> import gale
    >>> model = gale.Model.load("model.onnx")
    >>> test = gale.Campaign.open("campaign").of_split("test")
    >>> evaluation = gale.evaluate(model.predict(test), test, prevalence=model.prevalence)
    >>> card = gale.model_card(model, [evaluation])
    >>> card.count("type: log_loss")
    2
    >>> [line for line in card.splitlines() if line.startswith("# ")]
    ['# Model card: small, trained on campaign']
    """
    if isinstance(scores, Evaluation):
        scores = [scores]
    if isinstance(scores, str | Path):
        measured, source = _read_scores(Path(scores)), str(scores)
    else:
        measured, source = [_Measured("", each.to_dict()) for each in scores], "scores"
    measured = _of_model(measured, model, source)
    scored = {row["family"] for each in measured for row in each.rows}
    if others := sorted(scored - set(model.families)):
        raise TableError(
            source,
            f"has scores of {listed(others, 3)}",
            f"families of the model ({listed(model.families, 3)})",
            "evaluate the predictions of this model",
        )
    return "\n".join(_lines(model, measured)) + "\n"


def _of_model(measured: list[_Measured], model: Model, source: str) -> list[_Measured]:
    """Leave out scores of the predictions of other models."""
    whose = [each.evaluation.get("model_sha256") for each in measured]
    own = [each for each, sha in zip(measured, whose, strict=True) if sha in (None, model.sha256)]
    others = [each.evaluation["predictions"] for each in measured if each not in own]
    if others and not own:
        raise TableError(
            source,
            f"has scores of {listed(others, 3)}, which another model predicted",
            f"scores of predictions of {model.source}",
            "evaluate the predictions of this model",
        )
    if others:
        warn(f"{source}: scores of {listed(others, 3)} are left out: another model predicted them")
    if unknown := [
        each.evaluation["predictions"]
        for each in own
        if each.labels and each.evaluation.get("model_sha256") is None
    ]:
        warn(
            f"{source}: does not say which model predicted {listed(unknown, 3)}; the card takes it "
            "for this one"
        )
    return own


def _read_scores(path: Path) -> list[_Measured]:
    try:
        found = read_json(read_text(path))
        labels = ", ".join(map(str, found["labels"]))
        measured = [_Measured(labels, each) for each in found["evaluations"]]
        _ = [list(each.lines()) for each in measured], measured[0]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise TableError(
            path,
            f"has no scores ({error})",
            "the JSON file of an evaluation",
            "evaluate the predictions of the model again",
        ) from error
    return measured


@dataclass(frozen=True)
class _Measured:
    """Scores of predictions on labelled runs.

    Parameters
    ----------
    labels : str
        Names of the label tables, if they are known.
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
        """The scores in Markdown."""
        scores, prior = in_markdown(self.evaluation["scores"]), self.evaluation["prior"]
        labels, predictions = in_markdown(self.labels), in_markdown(self.evaluation["predictions"])
        yield ""
        yield (
            f"Predictions {predictions} on {scores['runs']:,} "
            + (f"runs of {labels}" if labels else "labelled runs")
            + f": log loss {_interval(scores['mean']['log_loss'], '')}; predicting the prevalence "
            + ("in these runs" if prior["prevalence_from"] == "labels" else "in the training runs")
            + f" gives {prior['mean']['log_loss']['value']:.3f}. Calibration error "
            f"{scores['calibration_error']:.3f}. In brackets: 95 % intervals over runs."
        )
        if n_left := len(self.evaluation["missing"]) + len(self.evaluation["failed"]):
            yield f"Labelled runs without a prediction: {n_left:,}."
        yield from ("", "| family | positive | log loss | ROC AUC |", "| --- | --- | --- | --- |")
        for row in scores["families"]:
            loss, area = (
                _interval({key: row[f"{name}{end}"] for key, end in SUFFIXES.items()}, "-")
                for name in ("log_loss", "roc_auc")
            )
            yield f"| {row['family']} | {row['positives']:,} | {loss} | {area} |"


def _mz(model: Model) -> str:
    """Say which m/z count, if any do."""
    mz = model.spec.mz
    return f", m/z {mz[0]} to {mz[-1]}" if mz else ""


def _interval(estimate: Mapping[str, float | None], undefined: str) -> str:
    value, low, high = (estimate[key] for key in SUFFIXES)
    if value is None or low is None or high is None:
        return undefined
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _lines(model: Model, measured: Sequence[_Measured]) -> Iterator[str]:
    facts = in_markdown(model.facts)
    training, scores, recipe = facts["training"], facts["scores"], facts["recipe"]
    yield from front_matter(model, [(each.labels, each.evaluation) for each in measured])
    yield ""
    yield f"# Model card: {recipe['name']}, trained on {training['campaign']}"
    yield ""
    yield (
        f"An ensemble of {facts['members']} members from {facts['folds']} folds, made by gale "
        f"{facts['gale_version']} on {facts['created'][:10]} with seed {facts['seed']}. From the "
        f"{kinds_of(model.spec)} features of a GC-MS run{_mz(model)}, it predicts the "
        f"{model.number} {_of_what(model)} each of "
        f"{len(model.families)} compound families."
    )
    yield from ("", "## Intended use", "")
    yield (
        "For runs of the instruments and kinds of samples that the model was trained on: to sort "
        "runs by what they probably contain, and to see where to look. Not to decide on its own: a "
        f"low {model.number} does not show that a compound is absent, and a high one names a "
        "family, not a compound."
    )
    yield from _data_lines(model)
    yield from ("", "## How good it is", "")
    yield (
        f"Log loss {scores['log_loss']:.3f} on {scores['measured_on']}; predicting the training "
        f"prevalence gives {scores['prior_log_loss']:.3f}. {_sentence(scores['caution'])}"
        + ("" if measured else f" {ADVICE}")
    )
    if said := sentences_on_groups(facts):
        yield from ("", *(f"- {each}" for each in said))
    for each in measured:
        yield from each.lines()
    yield from _cutoff_lines(model)
    yield from ("", "## Limits", "")
    yield from _limits(model)
    yield from ("", "## Recipe", "", "```toml", *toml_lines(model.facts["recipe"]), "```", "")
    yield f"Fingerprint of the training (runs, labels, recipe, seed): `{training['fingerprint']}`"


def _of_what(model: Model) -> str:
    """Say what a number of the model is about."""
    return "that the sample contains" if model.facts["calibrated"] else "(from 0 to 1) of"


def _data_lines(model: Model) -> Iterator[str]:
    training, recipe = in_markdown(model.facts["training"]), in_markdown(model.facts["recipe"])
    n_left_out = len(training["unreadable"])
    yield from ("", "## Training data", "")
    yield (
        f"{training['runs']:,} labelled runs of {training['campaign']}"
        + (f"; {n_left_out:,} more could not be read" if n_left_out else "")
        + "."
    )
    yield from ("", "| family | positive | known | prevalence |", "| --- | --- | --- | --- |")
    counts = zip(model.prevalence.items(), training["positive"], training["known"], strict=True)
    for (family, prevalence), positive, known in counts:
        yield f"| {in_markdown(family)} | {positive:,} | {known:,} | {prevalence:.3f} |"
    pretrained = in_markdown(model.facts.get("pretrained")) or recipe.get("pretraining", {})
    if "runs" in pretrained:
        own = ", ".join(pretrained.get("libraries", ()))  # not in older models
        yield ""
        yield (
            f"Its networks were pre-trained on {pretrained['runs']:,} simulated runs of "
            + (f"compounds of {own}." if own else "the compounds that come with gale.")
        )
    if any(part.get("kind") == "matching" for part in recipe.get("parts", ())):
        yield ""
        yield (
            "It holds spectra of the library that comes with gale, copyright Battelle Memorial "
            "Institute: who passes it on passes on the licence in gale's NOTICE, too."
        )


def _cutoff_lines(model: Model) -> Iterator[str]:
    if not (rows := list(measured_cutoffs(model.facts))):
        return
    yield from ("", "## Cut-offs", "")
    yield (
        f"From which {model.number} on a run is called positive, to reach a precision or a recall, "
        "or the best F1. Chosen on held-out runs; precision and recall are of runs that did not "
        "choose (each fold is called by the threshold of the others), so they may miss the aim. In "
        "brackets: 95 % intervals. They hold for runs like those of the training."
    )
    yield from ("", "| family | positive | aim | threshold | precision | recall |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        found = f"| {in_markdown(row.family)} | {row.positive:,} | {row.aim} |"
        if row.threshold is None:
            yield f"{found} {row.why} | | |"
        else:
            shares = f"{share_text(row.precision)} | {share_text(row.recall)}"
            yield f"{found} {row.threshold:.3g} | {shares} |"


def _limits(model: Model) -> Iterator[str]:
    if model.caution:
        yield f"- {_sentence(model.caution)}."
    if model.facts["calibrated"]:
        yield (
            "- The probabilities are calibrated on runs like those of the training. On another "
            "instrument they may be overconfident. The column `unlike` of its predictions and the "
            "notes on a batch are signs of this, but no guarantee."
        )
    else:
        yield "- The outputs are scores from 0 to 1, not calibrated probabilities."
    if novelty := model.facts.get("novelty"):
        yield (
            f"- It holds {novelty['spectra']:,} spectra of its training runs. Where strong spectra "
            f"of a run are like none of them, its log odds go up to {novelty['unsure']:.0%} of the "
            "way to those of the training prevalence; from half of that on, a note says so."
        )
    if (support := Support.of_facts(model.facts)) is not None:
        yield (
            f"- No {model.number} is nearer to 0 or 1 than {support.least.min():.2g}: the number "
            "of training runs supports no more."
        )
    positives = zip(model.families, model.facts["training"]["positive"], strict=True)
    if few := [
        f"{in_markdown(family)} ({positive})"
        for family, positive in positives
        if positive < FEW_POSITIVES
    ]:
        yield (
            f"- Families with fewer than {FEW_POSITIVES} positive runs in training, whose "
            f"predictions are less certain: {', '.join(few)}."
        )
    yield (
        "- The model predicts families as they were labelled in training, not how much of a "
        "compound there is."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
