"""A part that matches spectra with references: its share, and families that have no references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

import gale
from gale.campaign import Campaign
from gale.errors import GaleWarning, TrainingError
from gale.features import compute_features
from gale.features.apexes import ApexSpec
from gale.features.events import EventSpec
from gale.model.file import NOVELTY
from gale.model.novelty import NEW_COMPOUNDS
from gale.portable.whole import whole_graph
from gale.report import run_report
from gale.training import elsewhere, novelty
from gale.training.calibration import Calibration, fit_calibration
from gale.training.novelty import UNSURE
from gale.training.recipe import Part
from gale.training.shipped import shipped_families, shipped_weights
from helpers.errors import refused
from helpers.predictions import calibration_of
from helpers.whole_graphs import outputs_of, session_of

SHARE = 0.3

TELLS = 1e-5
"""Single precision cannot tell the logit of a probability as near to 0 or 1."""

MATCHING = f"[[parts]]\nname = 'matching'\nkind = 'matching'\nshare = {SHARE}\n"
TEXT = f"""
kind = "stack"
features.kind = "apexes"
folds.count = 2
[[parts]]
name = "profile"
network.hidden = [8]
soup = {{ kind = "none", size = 1 }}
fitting = {{ learning_rate = 1e-2, epochs = 3 }}
{MATCHING}
"""


def recipe_of(text: str = TEXT) -> gale.Recipe:
    return gale.Recipe.parse(text, "small.toml", default_name="small")


def renamed(campaign: Campaign, **names: str) -> Campaign:
    families = tuple(names.get(family, family) for family in campaign.families)
    return replace(campaign, families=families)


@pytest.fixture(scope="module")
def model(campaign: Campaign) -> gale.Model:
    return gale.train(campaign, recipe_of())


@pytest.mark.slow
def test_it_has_its_share_and_one_member(model: gale.Model) -> None:
    weight = calibration_of(model.facts).weight
    np.testing.assert_allclose(weight[1] / weight.sum(axis=0), SHARE, atol=1e-5)
    assert model.facts["members"] == 2 + 1
    assert [part["name"] for part in model.facts["recipe"]["parts"]] == ["profile", "matching"]


@pytest.mark.slow
def test_its_member_is_the_network_that_comes_with_gale(
    model: gale.Model, campaign: Campaign
) -> None:
    """Its logits are those of the bundled model's matching network, but for that one's 8 bits."""
    known = campaign.of_split("train")  # nothing is new in these runs
    logits = []
    for each in (model, gale.bundled_model()):
        _, members = each.predict_features(compute_features(known.paths, each.spec).values)
        calibration = calibration_of(each.facts)
        calibrated = logit(members[2].astype(float).clip(0.1 * TELLS, 1 - 0.1 * TELLS))
        order = [each.families.index(family) for family in model.families]
        raw = (calibrated - calibration.bias) / calibration.weight.sum(axis=0)
        logits.append(np.where(np.abs(calibrated) < logit(1 - TELLS), raw, np.nan)[:, order])
    own, bundled = logits
    told = np.isfinite(own) & np.isfinite(bundled)
    assert told.mean() > 0.7
    np.testing.assert_allclose(own[told], bundled[told], atol=0.2)
    assert np.ptp(own[told]) > 3


def strange_run() -> gale.Run:
    """A run with noise everywhere, and a tall peak of ions that no compound has together."""
    rng = np.random.default_rng(1)
    time_min, mz = np.linspace(1, 20, 900), np.arange(30.0, 300.0)
    signal = rng.exponential(5, (len(time_min), len(mz)))
    peak = 1e5 * np.exp(-0.5 * ((time_min - 9) / 0.05) ** 2)
    for ion in (61, 111, 213, 289):
        signal[:, ion - 30] += peak
    counts = np.full(len(time_min), len(mz))
    return gale.Run.from_scans(time_min, counts, np.tile(mz, len(time_min)), signal.ravel())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_predictions_and_pages_say_that_a_run_is_new(model: gale.Model, campaign: Campaign) -> None:
    run = strange_run()
    new = model.predict(run).row(0, named=True)
    assert NEW_COMPOUNDS in new["message"]
    assert NEW_COMPOUNDS in run_report(model, run)
    assert model.facts["novelty"]["unsure"] == UNSURE
    known = model.predict(campaign.of_split("train"))["message"]
    assert not known.str.contains(NEW_COMPOUNDS, literal=True).any()
    assert model.further_outputs == ["novelty", "unlike"]
    assert gale.bundled_model().further_outputs == ["unlike"]


@pytest.mark.slow
def test_a_family_without_references_is_left_to_the_other_parts(campaign: Campaign) -> None:
    first, *others = campaign.families
    model = gale.train(renamed(campaign, **{first: "nitriles"}), recipe_of())
    weight = calibration_of(model.facts).weight
    share = weight[1] / weight.sum(axis=0)
    np.testing.assert_allclose(share, [0.0, *[SHARE] * len(others)], atol=1e-5)


@pytest.mark.slow
def test_without_a_known_family_the_part_is_left_out(campaign: Campaign) -> None:
    unknown = renamed(campaign, **{family: f"{family}_x" for family in campaign.families})
    own = TEXT.replace(MATCHING, f"{MATCHING}features.kind = 'apexes'\n").replace(
        'features.kind = "apexes"', "features = { kind = 'profile', mz_last = 200 }", 1
    )
    with pytest.warns(GaleWarning, match="knows none of these families"):
        model = gale.train(unknown, recipe_of(own))
    assert model.facts["features"]["elution"]["mz_last"] == 200, "no apexes are left"
    assert [part["name"] for part in model.facts["recipe"]["parts"]] == ["profile"]
    alone = recipe_of(f"kind = 'stack'\nfeatures.kind = 'apexes'\n{MATCHING}")
    for strange in (unknown, renamed(campaign, **{campaign.families[0]: "nitriles"})):
        with refused(TrainingError, "recipe small", remedy="a part that is fitted"):
            gale.train(strange, alone)
    other = recipe_of(TEXT.replace('kind = "apexes"', 'kind = "events"'))
    with refused(TrainingError, "part matching", remedy="kind = 'apexes'"):
        gale.train(campaign, other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_other_instruments_have_the_same_share_and_what_is_new_counts(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares, figures = [], []

    def recorded(*given: Any, **how: Any) -> Calibration:
        shares.append(how["shares"])
        return fit_calibration(*given, **how)

    monkeypatch.setattr(elsewhere, "fit_calibration", recorded)
    two = recipe_of(TEXT.replace("folds.count = 2", "folds = { count = 2, elsewhere = 2 }"))
    for unsure in (UNSURE, 0.0):
        monkeypatch.setattr(novelty, "UNSURE", unsure)
        found = gale.train(campaign, two).facts["elsewhere"]
        assert found["log_loss"] <= found["as_here_log_loss"]
        figures.append(found["as_here_log_loss"])
    for of_profile, of_matching in shares:
        assert np.isnan(of_profile).all()
        np.testing.assert_array_equal(of_matching, SHARE)
    assert figures[0] != figures[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_a_whole_graph_gives_the_novelty(model: gale.Model) -> None:
    run = strange_run()
    found = outputs_of(session_of(whole_graph(model)), run)[NOVELTY]
    (own,) = model._run([NOVELTY], model.spec.features_of(run)[None].astype(np.float32))
    np.testing.assert_allclose(found, np.concatenate(own), atol=1e-3)


def test_other_features_have_no_such_network() -> None:
    part = Part(name="matching", kind="matching", share=0.2)
    assert shipped_weights(part, ApexSpec(), shipped_families()).keys() == {
        "head.dense.0.weight", "head.dense.0.bias", "head.dense.2.weight", "head.dense.2.bias",
        "head.offset",
    }  # fmt: skip
    with refused(TrainingError, "part matching", remedy="kind = 'apexes' in the features"):
        shipped_weights(part, EventSpec(), shipped_families())
