"""The model card: what it says of a model, and of scores."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import gale
from gale.errors import GaleWarning, TableError
from gale.report import model_card
from helpers.errors import refused
from helpers.model_files import restated
from helpers.training import Trained


def test_what_a_model_knows_of_itself(trained: Trained) -> None:
    text = model_card(trained.model)
    assert "\n---\n\n# Model card: tiny, trained on campaign\n" in text
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert sections == [
        "Intended use", "Training data", "How good it is", "Cut-offs", "Limits", "Recipe",
    ]  # fmt: skip
    facts = trained.model.facts
    for (family, share), positive in zip(
        trained.model.prevalence.items(), facts["training"]["positive"], strict=True
    ):
        assert f"| {family} | {positive} | 84 | {share:.3f} |\n" in text
        assert (f"{family} ({positive})" in text) == (positive < 30)
    for name in ("log_loss", "prior_log_loss"):
        assert f"{facts['scores'][name]:.3f}" in text
    assert "not calibrated" in text
    assert "simulated runs" not in text
    (recipe,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert gale.Recipe.parse(recipe, "card").to_dict() == facts["recipe"]


def test_a_pre_trained_and_calibrated_model(trained: Trained) -> None:
    recipe = gale.Recipe.load("default").to_dict()
    recipe["pretraining"] = {"runs": 3840}
    training = {**trained.model.facts["training"], "unreadable": ["a", "b"]}
    changed = {"recipe": recipe, "calibrated": True, "training": training}

    def card() -> str:
        facts = {**trained.model.facts, **changed}
        return model_card(gale.Model(restated(trained.path.read_bytes(), facts)))

    text = card()
    assert "3,840 simulated runs" in text
    assert "overconfident" in text
    assert "not calibrated" not in text
    assert "; 2 more could not be read." in text
    recipe["pretraining"]["libraries"] = ["mine.msp", "gale"]
    assert "compounds of mine.msp, gale." in card()
    recipe["pretraining"] = {"shipped": True}
    assert "simulated runs" not in card()
    changed["pretrained"] = {"runs": 8000, "libraries": ["gale", "other.msp"]}
    assert "8,000 simulated runs of compounds of gale, other.msp." in card()
    recipe["parts"] = [{"name": "matching", "kind": "matching", "share": 0.2}]
    assert "the licence in gale's NOTICE" in card()


def test_cutoffs(trained: Trained) -> None:
    text = model_card(trained.model)
    for family, found in zip(trained.model.families, trained.model.facts["cutoffs"], strict=True):
        positive = found["positive"]
        if positive < 10:
            assert f"| {family} | {positive} |  | no threshold: {positive} positive run" in text
        for each in found["measured"]:
            precision = "{:.2f} [{:.2f}, {:.2f}]".format(*each["precision"])
            assert f" | {each['threshold']:.3g} | {precision} | " in text
    assert "| best F1 |" in text
    assert "no threshold: " in text
    assert f"nearer to 0 or 1 than {0.5 / 85:.2g}" in text
    facts = {**trained.model.facts, "supported": False}
    del facts["cutoffs"]
    old = model_card(gale.Model(restated(trained.path.read_bytes(), facts)))
    assert "Cut-offs" not in old
    assert "nearer to 0 or 1" not in old


def front_of(card: str) -> dict[str, Any]:
    """Read the front matter of a card."""
    head, front, _ = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    assert head == ""
    found = yaml.safe_load(front)
    assert isinstance(found, dict)
    return found


def test_front_matter(
    trained: Trained, evaluation: gale.evaluation.Evaluation, tmp_path: Path
) -> None:
    """Hubs need the type of task and data set, the name of the latter, and metrics with values."""
    known = replace(evaluation, model_sha256=trained.model.sha256)
    file = tmp_path / "scores.json"
    file.write_text(json.dumps({"labels": ["ours.csv"], "evaluations": [known.to_dict()]}), "utf-8")
    front = front_of(model_card(trained.model, file))
    assert front["library_name"] == "gale"
    assert "gc-ms" in front["tags"]
    (entry,) = front["model-index"]
    own, measured = entry["results"]
    assert entry["name"] == "tiny"
    assert own["dataset"]["name"].startswith("campaign, ")
    assert [each["type"] for each in own["metrics"]] == ["log_loss"]
    assert own["metrics"][0]["value"] == pytest.approx(
        trained.model.facts["scores"]["log_loss"], rel=1e-5
    )
    assert measured["dataset"] == {"type": "gc-ms", "name": "24 runs of ours.csv"}
    assert measured["task"]["type"] == "tabular-classification"
    values = {each["type"]: each["value"] for each in measured["metrics"]}
    assert set(values) == set(front["metrics"])
    for metric, value in values.items():
        assert value == pytest.approx(known.scores.mean[metric].value, rel=1e-5)
    undefined = known.to_dict()
    undefined["scores"]["mean"]["roc_auc"]["value"] = None
    file.write_text(json.dumps({"labels": ["a"], "evaluations": [undefined]}), "utf-8")
    _, measured = front_of(model_card(trained.model, file))["model-index"][0]["results"]
    assert "roc_auc" not in {each["type"] for each in measured["metrics"]}


EVIL = "<img src=x onerror=alert(1)>|[a](javascript:b)`*"


def test_names_are_no_html(trained: Trained, evaluation: gale.evaluation.Evaluation) -> None:
    old = trained.model.facts
    training = {**old["training"], "campaign": EVIL}
    recipe = {**old["recipe"], "name": EVIL + "\n\n# Heading"}
    families = [EVIL, *trained.model.families[1:]]
    scores = {**old["scores"], "caution": EVIL, "measured_on": EVIL}
    facts = {**old, "training": training, "recipe": recipe, "families": families, "scores": scores}
    model = gale.Model(restated(trained.path.read_bytes(), facts))
    scored = evaluation.to_dict()
    scored |= {"predictions": EVIL, "model_sha256": None}
    scored["scores"]["families"][0]["family"] = EVIL
    file = trained.path.with_name("evil.json")
    file.write_text(json.dumps({"labels": [EVIL], "evaluations": [scored]}), "utf-8")
    with pytest.warns(GaleWarning):
        text = model_card(model, file)
    file.unlink()
    front = front_of(text)
    assert front["model-index"][0]["name"] == recipe["name"]
    assert front["model-index"][0]["results"][1]["dataset"]["name"] == f"24 runs of {EVIL}"
    assert "<" not in text.split("\n---\n")[0]
    text, toml, _ = re.split("```toml\n|\n```\n", text.split("\n---\n", 1)[1])
    assert EVIL[1:9] in toml
    assert "&lt;img" in text
    assert not re.search(r"<|[^\\]\||(?<!\\)\]\(", re.sub(r"(?m)^\|.*\|$", "", text))
    assert "\n# Heading" not in text
    rows = [line for line in text.splitlines() if line.startswith("| &lt;img")]
    first, second, *of_cutoffs = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert (first, second, set(of_cutoffs)) == (5, 5, {7})


@pytest.fixture
def evaluation(trained: Trained, campaign: gale.Campaign) -> gale.evaluation.Evaluation:
    test = campaign.of_split("test")
    table = trained.model.predict(test)
    return gale.evaluate(table, test, prevalence=trained.model.prevalence, resamples=50)


def test_scores_of_an_evaluation(
    trained: Trained, evaluation: gale.evaluation.Evaluation, tmp_path: Path
) -> None:
    text = model_card(trained.model, [evaluation])
    loss = evaluation.scores.mean["log_loss"].value
    assert f"on 24 labelled runs: log loss {loss:.3f} [" in text
    rows = re.findall(r"^\| (\w+) \| (\d+) \| 0\.\d{3} \[.*\] \|", text, re.MULTILINE)
    assert tuple(family for family, _ in rows) == trained.model.families
    known = replace(evaluation, model_sha256=trained.model.sha256)
    table = {"labels": ["a.csv"], "evaluations": [known.to_dict()]}
    file = tmp_path / "scores.json"
    file.write_text(json.dumps(table), "utf-8")
    named = re.sub('labelled runs([:"])', r"runs of a.csv\1", text)
    assert model_card(trained.model, file) == named


def test_scores_of_other_models_are_left_out(
    trained: Trained, evaluation: gale.evaluation.Evaluation, tmp_path: Path
) -> None:
    own = replace(evaluation, source="own.csv", model_sha256=trained.model.sha256)
    other = replace(evaluation, source="other.csv", model_sha256="0" * 64)
    with pytest.warns(GaleWarning, match=r"other.csv are left out"):
        assert "other.csv" not in model_card(trained.model, [other, own])
    with refused(TableError, "scores", found="other.csv", expected=trained.model.source):
        model_card(trained.model, [other])
    file = tmp_path / "scores.json"
    file.write_text(json.dumps({"labels": ["a"], "evaluations": [evaluation.to_dict()]}), "utf-8")
    with pytest.warns(GaleWarning, match="does not say which model"):
        assert "log loss" in model_card(trained.model, file)


def test_files_without_scores(
    trained: Trained, evaluation: gale.evaluation.Evaluation, tmp_path: Path
) -> None:
    known = replace(evaluation, model_sha256=trained.model.sha256)
    table = json.dumps({"labels": ["a.csv"], "evaluations": [known.to_dict()]})
    texts = {
        "none.json": "[]",
        "empty.json": '{"labels": [], "evaluations": []}',
        "part.json": table.replace('"log_loss_low"', '"low"'),
        "p.csv": "run,status",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    for name in (*texts, "nowhere.json"):
        with refused(TableError, tmp_path / name, expected="evaluation"):
            model_card(trained.model, tmp_path / name)
    others = tmp_path / "others.json"
    others.write_text(table.replace('"alcohol"', '"beer"'), "utf-8")
    with refused(TableError, others, found="beer", expected="hydrocarbon"):
        model_card(trained.model, others)
