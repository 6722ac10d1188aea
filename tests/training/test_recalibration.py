"""Models that are corrected on a few labelled runs of elsewhere."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from scipy.special import logit

import gale
from gale.errors import CampaignError, TrainingError
from gale.evaluation.metrics import log_loss
from gale.model.support import Support
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from helpers.commands import succeed
from helpers.errors import refused
from helpers.training import Recorder

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")


@pytest.fixture(scope="module")
def bundled() -> gale.Model:
    return gale.bundled_model()


@pytest.fixture
def work(cache: Cache) -> Work:
    return Work(cache=cache, progress=Recorder())


@pytest.fixture
def corrected(bundled: gale.Model, campaign: gale.Campaign, work: Work) -> gale.Model:
    return gale.recalibrate(bundled, campaign, work=work)


@pytest.mark.slow
def test_it_lowers_the_log_loss_of_the_runs_it_saw(
    bundled: gale.Model, corrected: gale.Model, campaign: gale.Campaign, work: Work
) -> None:
    known = campaign.of_split("train", "val")
    before, after = (
        log_loss(known.labels, model.predict(known, work).select(model.families).to_numpy())
        for model in (bundled, corrected)
    )
    facts = corrected.facts
    assert after < before
    assert facts["recalibrated"]["log_loss_before"] == pytest.approx(before, abs=1e-5)
    assert after < facts["scores"]["log_loss"], "each by the others"
    assert (facts["recalibrated"]["runs"], facts["calibrated"]) == (len(known), True)
    assert facts["recalibrated"]["model_sha256"] == bundled.sha256
    assert "cutoffs" not in facts
    onnx.checker.check_model(onnx.load_from_string(corrected.content), full_check=True)


@pytest.mark.slow
def test_every_family_moves_along_one_line(
    bundled: gale.Model, corrected: gale.Model, campaign: gale.Campaign, work: Work
) -> None:
    """The corrected logit is a scale and an offset of the logit before, for members, too."""
    test = campaign.of_split("test")
    support = Support.of_facts(corrected.facts)
    assert support is not None
    before, after = (
        model.predict(test, work).select(model.families).to_numpy().astype(float)
        for model in (bundled, corrected)
    )
    x, y = logit(before), logit(np.clip(support.undo(after), 1e-9, 1 - 1e-9))
    for column in range(x.shape[1]):
        slope, offset = np.polyfit(x[:, column], y[:, column], 1)
        line = slope * x[:, column] + offset
        rounding = np.finfo(np.float32).eps * np.exp(np.abs(line))  # of probabilities near 0 or 1
        assert np.all(np.abs(y[:, column] - line) <= 0.02 + rounding)
        assert slope > 0
    assert np.all(after >= support.least - 1e-6)
    assert np.all(after <= 1 - support.least + 1e-6)


@pytest.mark.slow
def test_what_it_learned_from_is_known_again(
    corrected: gale.Model, campaign: gale.Campaign, work: Work
) -> None:
    message = corrected.predict(campaign.of_split("train"), work)["message"][0]
    assert message is not None
    assert "train" in message
    assert "corrected on 84 labelled runs" in corrected.caution
    with refused(TrainingError, found="0 labelled runs", expected="20 or more"):
        gale.recalibrate(corrected, campaign, work=work)
    assert any("in the training" in note for note in work.progress.notes)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_families_without_labels_share_the_correction(
    bundled: gale.Model, campaign: gale.Campaign, work: Work
) -> None:
    labels = campaign.labels.copy()
    labels[:, 2:] = np.nan
    model = gale.recalibrate(bundled, replace(campaign, labels=labels), work=work)
    assert model.facts["recalibrated"]["known"][2:] == [0] * (len(model.families) - 2)
    support = Support.of_facts(model.facts)
    assert support is not None
    assert support.n_runs[2:].tolist() == bundled.facts["training"]["known"][2:]
    found = model.predict(campaign.of_split("test"), work).select(model.families).to_numpy()
    assert found[:, 2:].std() > 0


def test_too_few_runs_and_other_families(
    bundled: gale.Model, campaign: gale.Campaign, work: Work
) -> None:
    few = campaign.select(np.flatnonzero(np.array(campaign.split) == "train")[:19])
    with refused(TrainingError, found="19 labelled runs", expected="20 or more"):
        gale.recalibrate(bundled, few, work=work)
    other = replace(campaign, families=tuple(f"other {n}" for n in range(9)))
    with refused(CampaignError, found="other 0", expected="aromatic"):
        gale.recalibrate(bundled, other, work=work)


@pytest.mark.slow
def test_copies_count_once_and_may_not_be_tested(
    bundled: gale.Model, campaign: gale.Campaign, work: Work, tmp_path: Path
) -> None:
    """Neither packed otherwise: what is in a file is compared."""
    known = campaign.of_split("train").select(np.arange(24))
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(known.paths[1].read_bytes()))
    labels = known.labels.copy()
    labels[0] = labels[1]
    twice = replace(known, paths=(packed, *known.paths[1:]), labels=labels)
    assert gale.recalibrate(bundled, twice, work=work).facts["recalibrated"]["runs"] == 23
    other = labels.copy()
    other[0, 0] = 1 - labels[1, 0]
    with refused(CampaignError, found=[known.runs[0], known.runs[1], "same content"]):
        gale.recalibrate(bundled, replace(twice, labels=other), work=work)
    tested = replace(twice, split=("test", *known.split[1:]))
    with refused(CampaignError, found=["test run", "same content"]):
        gale.recalibrate(bundled, tested, work=work)


@pytest.mark.slow
def test_the_command(campaign: gale.Campaign, tmp_path: Path) -> None:
    file = tmp_path / "corrected.onnx"
    printed = succeed("recalibrate", campaign.root, "-o", file, "-q").stdout
    model = gale.Model.load(file)
    assert f"log loss {model.facts['scores']['log_loss']:.3f}" in printed
    assert "each corrected by the others" in printed
    assert "corrected" in succeed("inspect", file).stdout
