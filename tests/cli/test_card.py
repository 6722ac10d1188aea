"""`gale inspect --card`: what a model card says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import gale
from helpers.commands import error_of, invoke, succeed
from helpers.model_files import restated
from helpers.training import Trained


def test_a_card_says_what_the_model_knows_of_itself(trained: Trained) -> None:
    text = succeed("inspect", trained.path, "--card").output
    assert text.startswith("# Model card: tiny, trained on campaign\n")
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert sections == ["Intended use", "Training data", "How good it is", "Limits", "Recipe"]
    facts = trained.model.facts
    for (family, share), positive in zip(
        trained.model.prevalence.items(), facts["training"]["positive"], strict=True
    ):
        assert f"| {family} | {positive} | 84 | {share:.3f} |\n" in text
        assert (f"{family} ({positive})" in text) == (positive < 30)
    assert f"Log loss {facts['scores']['log_loss']:.3f}, beside " in text
    assert "scores from 0 to 1 that are not calibrated" in text
    assert "simulated runs" not in text
    (recipe,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert gale.Recipe.parse(recipe, "card").to_dict() == facts["recipe"]


def test_what_a_pre_trained_and_calibrated_model_says(trained: Trained, tmp_path: Path) -> None:
    recipe = gale.Recipe.load("default").to_dict()
    training = {**trained.model.facts["training"], "unreadable": ["a", "b"]}
    changed = {"recipe": recipe, "calibrated": True, "training": training}
    path = tmp_path / "m.onnx"

    def card() -> str:
        facts = {**trained.model.facts, **changed}
        path.write_bytes(restated(trained.path.read_bytes(), facts))
        return succeed("inspect", path, "--card").output

    text = card()
    assert "learned from 3,840 simulated runs of the compounds that come with gale." in text
    assert "On another instrument they can be too sure" in text.replace("\n", " ")
    assert "; 2 that could not be read were left out." in text
    recipe["pretraining"]["libraries"] = ["mine.msp", "gale"]
    assert "simulated runs of compounds of mine.msp, gale." in card()


def test_scores_that_were_measured(
    trained: Trained, campaign_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = campaign_folder / "test_labels.csv"
    succeed(
        "predict", campaign_folder, "--split", "test", "--model", trained.path, "-o", "p.csv", "-q"
    )
    succeed("evaluate", "p.csv", "--labels", labels, "--json", "scores.json", "--resamples", 50)
    text = succeed("inspect", trained.path, "--card", "--scores", "scores.json").output
    mean = json.loads(Path("scores.json").read_text("utf-8"))["evaluations"][0]["scores"]["mean"]
    assert f"on 24 runs of {labels}: log loss {mean['log_loss']['value']:.3f} [" in text
    assert "gale evaluate" not in text
    rows = re.findall(r"^\| (\w+) \| (\d+) \| 0\.\d{3} \[.*\] \|", text, re.MULTILINE)
    assert tuple(family for family, _ in rows) == trained.model.families
    table = Path("scores.json").read_text("utf-8")
    Path("others.json").write_text(table.replace('"alcohol"', '"beer"'), "utf-8")
    error = error_of("inspect", trained.path, "--card", "--scores", "others.json")
    assert "others.json: found scores of beer; expected families of the model" in str(error)
    Path("none.json").write_text("[]", "utf-8")
    Path("empty.json").write_text('{"labels": [], "evaluations": []}', "utf-8")
    Path("part.json").write_text(table.replace('"log_loss_low"', '"low"'), "utf-8")
    for name in ("none.json", "empty.json", "part.json", "p.csv", "nowhere.json"):
        error = error_of("inspect", trained.path, "--card", "--scores", name)
        assert f"{name}: found no scores (" in str(error)
    told = invoke("inspect", trained.path, "--scores", "scores.json")
    assert "--scores is for --card" in told.stderr


def test_a_card_is_of_one_model(trained: Trained, tmp_path: Path) -> None:
    told = invoke("inspect", trained.path, trained.path, "--card")
    assert told.exit_code == 2
    assert "--recipe and --card need a model, and one alone" in told.stderr
