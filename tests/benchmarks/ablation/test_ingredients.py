"""benchmarks/ablation.py and labelled_runs.py, with a recipe whose fits take moments."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit

import gale
from gale.evaluation.metrics import log_loss
from gale.plumbing.cache import Cache, default_folder
from gale.plumbing.work import Work
from gale.training.fitting import predict_logits, set_weights
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.pretraining import pretrain
from helpers.stacks import stack_recipe

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import ablation
import ablation_fits
import labelled_runs
from ablation import table
from ablation_fits import MixtureLoss
from ablation_rows import COMBINED, DERIVATIZED_DEVIATION, Score, derivatized_offset

Script = Callable[..., str]


@pytest.fixture
def script(
    tmp_path: Path,
    campaign_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Script:
    """Run a script on the campaign of the tests, and give what it prints."""
    load = gale.Recipe.load

    def loaded(name: str) -> gale.Recipe:
        return stack_recipe() if name == "default" else load(name)

    monkeypatch.setattr(gale.Recipe, "load", loaded)

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
    asked = ("--rows", *(row.name for row in COMBINED), "no augmentation")
    printed = script(ablation.main, *asked)
    rows = rows_of(printed)
    assert rows.keys() == {
        "log loss",
        "prior",
        "logistic",
        "default, one member a fold",
        *asked[1:],
    }
    assert len(list((tmp_path / "fits").rglob("*.pickle"))) == 2

    test = campaign.of_split("test")
    prior = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    expected = log_loss(test.labels, np.tile(prior, (len(test), 1)))
    assert float(rows["prior"][0]) == pytest.approx(expected, abs=1e-4)

    def trained(recipe: gale.Recipe | str) -> float:
        model = gale.train(campaign, recipe, seed=0, work=Work(cache=Cache(default_folder())))
        probability = model.predict(test).select(test.families).to_numpy()
        return log_loss(test.labels, probability)

    def whole(**soup: Any) -> gale.Recipe:
        choices = stack_recipe().to_dict() | {"calibration_way": 0.5}
        for each, share in zip(choices["parts"], (0.8, 0.2), strict=True):
            each["share"] = share
            each["soup"]["kind"] = "uniform"
        choices["parts"][0]["soup"]["interpolate"] = (0.5, 0.75, 1.0)
        for each in choices["parts"]:
            each["soup"] |= soup
        return gale.Recipe.model_validate(choices)

    assert float(rows["default"][0]) == pytest.approx(trained(whole()), abs=2e-4)
    assert float(rows["one member a fold"][0]) == pytest.approx(trained(whole(size=1)), abs=2e-4)
    assert float(rows["greedy soups"][0]) == pytest.approx(trained(whole(kind="greedy")), abs=2e-4)
    assert float(rows["logistic"][0]) == pytest.approx(trained("logistic"), abs=1e-4)
    assert rows["one member a fold"][0] == rows["default, one member a fold"][0]
    assert rows["no augmentation"][0] != rows["one member a fold"][0]

    # nothing is fitted again, and no network asked again
    monkeypatch.setattr(ablation_fits, "pretrain", None)
    monkeypatch.setattr(ablation_fits, "predict_logits", None)
    monkeypatch.setattr(gale, "train", None)
    assert script(ablation.main, *asked) == printed
    assert script(ablation.main, *asked, "--kept") == printed


def test_what_is_not_fitted_yet(script: Script) -> None:
    rows = rows_of(script(ablation.main, "--kept", "--rows", "no augmentation"))
    assert rows["default"] == ["-", "-", "-"]
    assert rows["no augmentation"] == ["-"] * 5
    assert rows["prior"][0] != "-"


@pytest.mark.slow
def test_fits_of_another_recipe_are_not_taken(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(ablation.main, "--rows")
    (file,) = (tmp_path / "fits").rglob("default-0.pickle")
    kept = file.read_bytes()
    script(ablation.main, "--rows")
    assert file.read_bytes() == kept
    other = stack_recipe(ions="2100")
    monkeypatch.setattr(gale.Recipe, "load", lambda _: other)
    assert rows_of(script(ablation.main, "--rows", "--kept"))["default"][0] == "-"
    old = [each.stat().st_mtime_ns for each in sorted(file.with_suffix("").glob("*.npz"))]
    script(ablation.main, "--rows")
    assert file.read_bytes() != kept
    new = [each.stat().st_mtime_ns for each in sorted(file.with_suffix("").glob("*.npz"))]
    assert len(new) == len(old)
    assert not set(new) & set(old)


def test_campaigns_of_one_name(script: Script, tmp_path: Path, campaign_folder: Path) -> None:
    with pytest.raises(SystemExit, match="the same name"):
        script(ablation.main, "--kept", "--campaigns", campaign_folder, campaign_folder)


@pytest.mark.slow
def test_labelled_runs(
    script: Script, tmp_path: Path, campaign: gale.Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--runs", "40", "60", "--draws", "2")
    printed = script(labelled_runs.main, *asked)
    rows = rows_of(printed)
    kinds = ("default", "no more epochs", "not pre-trained", "logistic", "prior")
    assert rows.keys() == {
        "labelled runs",
        "0, the libraries alone",
        *(f"{n_runs}, {kind}" for n_runs in (40, 60) for kind in kinds),
    }
    assert len(list((tmp_path / "few").rglob("*.pickle"))) == 12
    assert all("±" in cells[1] for name, cells in rows.items() if name != "labelled runs")

    # the libraries alone: networks that nothing is fitted to
    test, of_draws = campaign.of_split("test"), []
    runs = ablation_fits.Runs.read(campaign.root)
    for draw in range(2):
        recipe = stack_recipe()
        starts = pretrain(recipe, runs.spec, campaign.families, seed=draw, work=Work(device="cpu"))
        logits = []
        for part in recipe.members_of:
            columns = columns_of(part, runs.spec)
            start = starts[part.name]
            network = build_network(
                part,
                runs.spec,
                [torch.Generator()],
                priors=[torch.zeros(len(campaign.families))],
                scales=[scale_of(part, runs.features[:, columns])],
            )
            set_weights(network, 0, start)
            logits.append(predict_logits(network, runs.test_features[:, columns])[0])
        of_draws.append(log_loss(test.labels, expit(np.mean(logits, axis=0))))
    found = float(rows["0, the libraries alone"][0])
    assert found == pytest.approx(np.mean(of_draws), abs=1e-4)

    monkeypatch.setattr(ablation_fits, "pretrain", None)  # nothing is fitted again
    monkeypatch.setattr(gale, "train", None)
    assert script(labelled_runs.main, *asked) == printed


def test_more_labelled_runs_than_there_are(script: Script) -> None:
    with pytest.raises(SystemExit, match="84 labelled runs"):
        script(labelled_runs.main, "--kept", "--runs", "85")
    with pytest.raises(SystemExit, match="too few"):
        script(labelled_runs.main, "--kept", "--runs", "1")


def test_the_table() -> None:
    scores = {
        "first": {"a": [Score(0.1, 0.01)], "b": [Score(0.2, 0.03)]},
        "second": {"a": [Score(0.11, 0.02)], "b": [Score(0.2, 0.02)]},
        "half": {"a": [Score(0.11, 0.02)], "b": [Score()]},
    }
    assert table(scores) == [
        ["log loss", "a", "b", "mean", "difference", "difference, %", "calibration error"],
        ["first", "0.1000", "0.2000", "0.1500", "", "", "0.020"],
        ["second", "0.1100", "0.2000", "0.1550", "+0.0050", "+5.0 ± 7.1", "0.020"],
        ["half", "0.1100", "-", "-", "-", "-", "-"],
    ]


def test_differences_are_paired_by_seed() -> None:
    scores = {
        "first": {"a": [Score(0.1, 0.0), Score(0.2, 0.0)], "b": [Score(0.3, 0.0), Score(0.4, 0.0)]},
        "better": {
            "a": [Score(0.09, 0.0), Score(0.19, 0.0)],
            "b": [Score(0.28, 0.0), Score(0.38, 0.0)],
        },
        "no seed": {"a": [Score(0.2, 0.0)], "b": [Score(0.4, 0.0)]},
    }
    _, first, better, no_seed = table(scores)
    assert first[3] == "0.2500 ± 0.0707"
    assert better[3:5] == ["0.2350 ± 0.0707", "-0.0150 ± 0.0000"]
    assert no_seed[3:5] == ["0.3000", "+0.0500 ± 0.0707"]


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
