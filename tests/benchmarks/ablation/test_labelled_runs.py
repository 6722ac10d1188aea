"""benchmarks.ablation.labelled_runs, with a recipe whose fits take moments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

import gale
from benchmarks.ablation import fits, labelled_runs, scores
from benchmarks.ablation.fits import Runs
from gale.evaluation.metrics import log_loss
from gale.plumbing.work import Work
from gale.training.fitting import predict_logits, set_weights
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.pretraining import pretrain
from helpers.benchmark_runs import Run, rows_of, runner
from helpers.stacks import STACK, stack_recipe


@pytest.fixture
def run(tmp_path: Path, campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    recipe = tmp_path / "small.toml"
    recipe.write_text(STACK, "utf-8")
    words = ("--out", tmp_path, "--campaigns", campaign_folder, "--recipe", recipe)
    return runner(capsys, *words)


@pytest.mark.slow
def test_labelled_runs(
    run: Run, tmp_path: Path, campaign: gale.Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--runs", "40", "60", "--draws", "2")
    printed = run(labelled_runs.main, *asked)
    rows = rows_of(printed)
    kinds = ("default", "no more epochs", "not pre-trained", "logistic", "prior")
    assert rows.keys() == {
        "labelled runs",
        "0, the libraries alone",
        *(f"{n_runs}, {kind}" for n_runs in (40, 60) for kind in kinds),
    }
    assert len(list((tmp_path / "few").rglob("fingerprint"))) == 12
    assert all("±" in cells[1] for name, cells in rows.items() if name != "labelled runs")

    # the libraries alone: networks that nothing is fitted to
    test, of_draws = campaign.of_split("test"), []
    runs = Runs.read(campaign.root, stack_recipe())
    for draw in range(2):
        recipe = stack_recipe()
        work = Work(device="cpu")
        starts = pretrain(recipe, runs.spec, campaign.families, seed=draw, work=work).weights
        logits = []
        for part in recipe.members_of:
            columns = columns_of(part, runs.spec)
            start = starts[part.name]
            network = build_network(
                part,
                runs.spec,
                [torch.Generator()],
                priors=[torch.zeros(len(campaign.families))],
                scales=[scale_of(part, runs.spec, runs.features[:, columns])],
            )
            set_weights(network, 0, start)
            logits.append(predict_logits(network, runs.test_features[:, columns])[0])
        of_draws.append(log_loss(test.labels, expit(np.mean(logits, axis=0))))
    found = float(rows["0, the libraries alone"][0])
    assert found == pytest.approx(np.mean(of_draws), abs=1e-4)

    monkeypatch.setattr(fits, "pretrain", None)  # nothing is fitted again
    monkeypatch.setattr(scores, "train", None)
    assert run(labelled_runs.main, *asked) == printed


@pytest.mark.slow
def test_more_labelled_runs_than_there_are(run: Run) -> None:
    with pytest.raises(SystemExit, match="85 labelled runs: a campaign has 84"):
        run(labelled_runs.main, "--kept", "--runs", "85")
    with pytest.raises(SystemExit, match="too few"):
        run(labelled_runs.main, "--kept", "--runs", "1")
