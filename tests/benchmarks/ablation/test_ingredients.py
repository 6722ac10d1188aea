"""benchmarks.ablation.ingredients, with a recipe whose fits take moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gale
from benchmarks.ablation import fits, ingredients, scores
from benchmarks.ablation.rows import COMBINED
from gale.evaluation.metrics import log_loss
from gale.model.support import Support
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from helpers.benchmark_runs import Run, rows_of, runner
from helpers.stacks import STACK, stack_recipe


@pytest.fixture
def stack_toml(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STACK, "utf-8")
    return path


@pytest.fixture
def run(
    stack_toml: Path, tmp_path: Path, campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    words = ("--out", tmp_path, "--campaigns", campaign_folder, "--recipe", stack_toml)
    return runner(capsys, *words)


@pytest.mark.slow
def test_rows_are_what_training_gives(
    run: Run, campaign: gale.Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--rows", *(row.name for row in COMBINED), "no augmentation")
    printed = run(ingredients.main, *asked)
    rows = rows_of(printed)
    assert rows.keys() == {
        "log loss",
        "prior",
        "logistic",
        "default, one member a fold",
        *asked[1:],
    }
    assert len(list((tmp_path / "fits").rglob("fingerprint"))) == 2

    test = campaign.of_split("test")
    prior = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    expected = log_loss(test.labels, np.tile(prior, (len(test), 1)))
    assert float(rows["prior"][0]) == pytest.approx(expected, abs=1e-4)

    def trained(recipe: gale.Recipe | str, *, limited: bool = False) -> float:
        model = gale.train(campaign, recipe, seed=0, work=Work(cache=Cache.default()))
        probability = model.predict(test).select(test.families).to_numpy()
        support = Support.of_facts(model.facts)
        assert support is not None
        return log_loss(test.labels, probability if limited else support.undo(probability))

    def whole(**soup: Any) -> gale.Recipe:
        choices = stack_recipe().to_dict() | {"calibration_strength": 0.5}
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
    assert float(rows["logistic"][0]) == pytest.approx(trained("logistic", limited=True), abs=1e-4)
    assert rows["one member a fold"][0] == rows["default, one member a fold"][0]
    assert rows["no augmentation"][0] != rows["one member a fold"][0]

    # nothing is fitted again, and no network asked again
    monkeypatch.setattr(fits, "pretrain", None)
    monkeypatch.setattr(fits, "predict_logits", None)
    monkeypatch.setattr(scores, "train", None)
    assert run(ingredients.main, *asked) == printed
    assert run(ingredients.main, *asked, "--kept") == printed


@pytest.mark.slow
def test_what_is_not_fitted_yet(run: Run) -> None:
    rows = rows_of(run(ingredients.main, "--kept", "--rows", "no augmentation"))
    assert rows["default"] == ["-", "-", "-"]
    assert rows["no augmentation"] == ["-"] * 5
    assert rows["prior"][0] != "-"


@pytest.mark.slow
def test_fits_of_another_recipe_are_not_taken(run: Run, stack_toml: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fits" / "campaign" / "default-0"

    def kept() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(folder.rglob("*.*"))}

    run(ingredients.main, "--rows")
    first = kept()
    assert {path.parent.name for path in first} == {"journal", "starts", "logits"}
    run(ingredients.main, "--rows")
    assert kept() == first
    stack_toml.write_text(STACK.replace("ions = 2000", "ions = 2100"), "utf-8")
    assert rows_of(run(ingredients.main, "--rows", "--kept"))["default"][0] == "-"
    assert kept() == first
    run(ingredients.main, "--rows")
    second = kept()
    assert second.keys() == first.keys()
    assert not set(second.values()) & set(first.values())


@pytest.mark.slow
def test_an_interrupted_fit_goes_on(run: Run, tmp_path: Path) -> None:
    printed = run(ingredients.main, "--rows")
    journal = tmp_path / "fits" / "campaign" / "default-0" / "journal"
    lost, *others = sorted(journal.glob("*.npz"))
    age = [path.stat().st_mtime_ns for path in others]
    lost.unlink()
    assert rows_of(run(ingredients.main, "--rows", "--kept"))["default"][0] == "-"
    assert not lost.exists()
    assert run(ingredients.main, "--rows") == printed
    assert lost.exists()
    assert [path.stat().st_mtime_ns for path in others] == age
