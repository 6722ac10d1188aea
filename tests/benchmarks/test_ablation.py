"""benchmarks/ablation.py and labelled_runs.py, with a recipe whose fits take moments."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import gale
from gale.features.cache import Cache, default_folder
from gale.metrics import log_loss
from stacks import stack_recipe

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import ablation
import ablation_fits
import labelled_runs
from ablation import DERIVATIZED_DEVIATION, Score, derivatized_offset, table
from ablation_fits import MixtureLoss

Script = Callable[..., str]


@pytest.fixture
def script(
    tmp_path: Path,
    campaign_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Script:
    """Run a script on the campaign of the tests, and give what it prints."""
    monkeypatch.setattr(gale.Recipe, "load", lambda _: stack_recipe())

    def run(main: Callable[[], None], *words: object) -> str:
        given = ("--out", tmp_path, "--campaigns", campaign_folder, *words)
        monkeypatch.setattr("sys.argv", ["script.py", *map(str, given)])
        main()
        return capsys.readouterr().out

    return run


def rows_of(printed: str) -> dict[str, list[str]]:
    """The cells of each row by its first one."""
    lines = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) > 1}


@pytest.mark.slow
def test_rows_are_what_training_gives(
    script: Script, campaign: gale.Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = script(ablation.main, "--rows", "no augmentation")
    rows = rows_of(printed)
    assert {row.name for row in ablation.COMBINED} <= rows.keys()
    assert {"no augmentation", "default, one member a fold", "prior"} <= rows.keys()
    assert "no pre-training" not in rows

    test = campaign.of_split("test")
    prior = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    expected = log_loss(test.labels, np.tile(prior, (len(test), 1)))
    assert float(rows["prior"][0]) == pytest.approx(expected, abs=1e-4)

    def trained(**part: Any) -> float:
        choices = stack_recipe().to_dict() | {"calibration_way": 0.5}
        for each, share in zip(choices["parts"], (0.8, 0.2), strict=True):
            each["share"] = share
            each["soup"]["kind"] = "uniform"
        choices["parts"][0]["soup"]["interpolate"] = (0.5, 0.75, 1.0)
        for each in choices["parts"]:
            each["soup"] |= part
        recipe = gale.Recipe.model_validate(choices)
        model = gale.train(campaign, recipe, cache=Cache(default_folder()), seed=0)
        probability = model.predict(test).select(test.families).to_numpy()
        return log_loss(test.labels, probability)

    assert float(rows["default"][0]) == pytest.approx(trained(), abs=2e-4)
    assert float(rows["one member a fold"][0]) == pytest.approx(trained(size=1), abs=2e-4)
    assert rows["one member a fold"][0] == rows["default, one member a fold"][0]
    assert rows["no augmentation"][0] != rows["one member a fold"][0]

    kept = sorted((tmp_path / "fits").rglob("*.pickle"))
    assert len(kept) == 2
    monkeypatch.setattr(ablation_fits, "pretrain", None)  # nothing is fitted again
    assert script(ablation.main, "--rows", "no augmentation") == printed


@pytest.mark.slow
def test_labelled_runs(script: Script, tmp_path: Path) -> None:
    printed = script(labelled_runs.main, "--runs", "40", "--draws", "2")
    rows = rows_of(printed)
    assert {"the libraries alone", "prior", "pre-trained", "not pre-trained"} <= rows.keys()
    assert len(list((tmp_path / "few").rglob("*.pickle"))) == 4
    assert "±" in rows["pre-trained"][1], "of two draws"
    assert 0 < float(rows["the libraries alone"][0]) < 5


def test_the_table() -> None:
    scores = {
        "first": {"a": [Score(0.1, 0.01)], "b": [Score(0.2, 0.03)]},
        "second": {"a": [Score(0.11, 0.02)], "b": [Score(0.2, 0.02)]},
    }
    assert table(scores) == [
        ["log loss", "a", "b", "mean", "difference, %", "calibration error"],
        ["first", "0.1000", "0.2000", "0.1500", "", "0.020"],
        ["second", "0.1100", "0.2000", "0.1550", "+5.0 ± 7.1", "0.020"],
    ]


def test_offsets_of_derivatized_samples() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 1, (20_000, 2))
    labels = (rng.random(logits.shape) < expit(logits + np.array([0.7, -0.4]))).astype(np.float64)
    labels[::3, 0] = np.nan
    np.testing.assert_allclose(derivatized_offset(logits, labels), [0.7, -0.4], atol=0.05)
    one = derivatized_offset(np.zeros((1, 1)), np.ones((1, 1)))
    # where the slopes of the log loss and of the prior meet
    assert expit(-one[0]) == pytest.approx(one[0] / DERIVATIZED_DEVIATION**2, abs=1e-3)


def test_the_loss_of_mixtures() -> None:
    import torch

    probability = torch.tensor([[[0.2, 0.5], [0.6, 0.9], [0.1, 0.3]]])
    logits, nan = torch.logit(probability), float("nan")
    labels = torch.tensor([[[1.0, 0.0], [0.0, nan], [0.0, 1.0]]])
    noise = torch.zeros(1, 3, 2)
    found = MixtureLoss(0.0, 0.0)(logits, labels, noise)
    odds = probability / (1 - probability)
    mixed = odds + odds[:, [2, 0, 1]]
    chance = (mixed / (1 + mixed))[0].numpy()
    # of runs 0+2, 1+0, 2+1; unknown where one is unknown and the other does not hold it
    expected = [np.log(chance[0, 0]), np.log(chance[0, 1]), np.log(chance[1, 0])]
    expected += [np.log(1 - chance[2, 0]), np.log(chance[2, 1])]
    own = [np.log(0.2), np.log(0.5), np.log(0.4), np.log(0.9), np.log(0.3)]
    assert found.item() == pytest.approx(-np.mean(expected) - np.mean(own), abs=1e-5)
