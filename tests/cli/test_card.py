"""`gale inspect --card`: what a model card says."""

from __future__ import annotations

import re
from pathlib import Path

import gale
from commands import invoke, succeed
from model_files import restated
from training import Trained


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


def test_a_card_is_of_one_model(trained: Trained, tmp_path: Path) -> None:
    told = invoke("inspect", trained.path, trained.path, "--card")
    assert told.exit_code == 2
    assert "--recipe and --card need a model, and one alone" in told.stderr
