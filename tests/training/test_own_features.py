"""Stacks whose parts see features of their own: each part is as if it were trained alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from scipy.special import logit
from torch import nn

import gale
from gale.errors import ModelError, TableError, TrainingError
from gale.features import compute_features
from gale.features.apexes import ApexSpec
from gale.features.elution import ElutionSpec
from gale.features.joined import JoinedSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.plumbing.work import Work
from gale.training.cost import check_model
from gale.training.export import PartGraph, to_onnx
from gale.training.fitting import predict_logits
from gale.training.given import train_features
from gale.training.networks.build import columns_of, seen_by
from helpers.errors import refused
from helpers.model_files import facts_of, restated
from helpers.predictions import calibration_of
from helpers.training import Array, Exported, Recorder

MZ = (28, 43, 44, 57, 73, 91)
APEXES = ApexSpec(ProfileSpec(ElutionSpec(24, 26, 95), losses=10), events=6)
SUMMARY = SummarySpec(MZ)
SPEC = JoinedSpec((APEXES, SUMMARY))

HEAD = """
name = "small"
kind = "stack"
folds = { count = 2 }
"""

ON_APEXES = """
[features]
kind = "apexes"
bins = 24
mz_first = 26
mz_last = 95
losses = 10
events = 6
"""

FITTING = """
fitting = { learning_rate = 1e-2, batch_size = 16, epochs = 3, patience = 3 }
soup = { kind = "none", size = 1 }
"""

ELUTION = f"""
[[parts]]
name = "elution"
share = 1.0
network = {{ kind = "elution", hidden = [8], batch_norm = false }}
{FITTING}
"""

OF_SUMMARY = f"""
[[parts]]
name = "of_summary"
share = 1e-9
features = {{ mz = {list(MZ)} }}
network = {{ hidden = [8], standardise = "full" }}
{FITTING}
"""


def recipe_of(*parts: str) -> gale.Recipe:
    shared = ON_APEXES if any("features =" not in part for part in parts) else ""
    return gale.Recipe.parse("".join([HEAD, shared, *parts]), "small.toml")


class Trained(NamedTuple):
    """A model, its networks, and its predictions of held-out runs."""

    model: gale.Model
    networks: list[nn.Module]
    held_out: pl.DataFrame


@pytest.fixture(scope="module")
def models(
    campaign: gale.Campaign, cache_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Trained]]:
    """The stack of both parts, in an order that is not that of the features, and each alone."""
    networks: list[nn.Module] = []

    def export(parts: Sequence[PartGraph], *facts: Any, **more: Any) -> bytes:
        networks[:] = [part.network for part in parts]
        return to_onnx(parts, *facts, **more)

    def train(name: str, *parts: str) -> Trained:
        file = tmp_path_factory.mktemp(name) / "held_out.csv"
        work = Work(cache=gale.Cache.default())
        model = gale.train(campaign, recipe_of(*parts), out_of_fold=file, work=work)
        return Trained(model, list(networks), pl.read_csv(file))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gale.training.to_onnx", export)
        yield {
            "both": train("both", OF_SUMMARY, ELUTION),
            "elution": train("elution", ELUTION),
            "of_summary": train("of_summary", OF_SUMMARY),
        }


@pytest.fixture(scope="module")
def features(campaign: gale.Campaign, models: Mapping[str, Trained]) -> dict[str, Array]:
    """Features of five test runs, joined and of each kind."""
    paths = campaign.of_split("test").paths[:5]
    specs: dict[str, FeatureSpec] = {"both": SPEC, "elution": APEXES, "of_summary": SUMMARY}
    return {name: compute_features(paths, spec).values for name, spec in specs.items()}


@pytest.mark.slow
def test_each_part_is_fitted_as_if_it_were_alone(models: Mapping[str, Trained]) -> None:
    of_summary, elution = models["both"].networks
    for network, name in ((of_summary, "of_summary"), (elution, "elution")):
        (alone,) = models[name].networks
        expected = alone.state_dict()
        assert network.state_dict().keys() == expected.keys()
        for key, value in network.state_dict().items():
            np.testing.assert_allclose(value, expected[key], atol=1e-6)


@pytest.mark.slow
def test_held_out_predictions_are_those_of_the_part_that_counts(
    models: Mapping[str, Trained],
) -> None:
    families = models["both"].model.families
    both, alone = (models[name].held_out for name in ("both", "elution"))
    assert both["run"].equals(alone["run"])
    np.testing.assert_allclose(
        both.select(families).to_numpy(), alone.select(families).to_numpy(), atol=1e-5
    )
    other = models["of_summary"].held_out.select(families).to_numpy()
    assert np.abs(other - alone.select(families).to_numpy()).max() > 0.01


@pytest.mark.slow
def test_the_model_file_gives_what_the_networks_give(
    models: Mapping[str, Trained], features: Mapping[str, Array], campaign: gale.Campaign
) -> None:
    model, networks, _ = models["both"]
    assert model.spec == SPEC
    assert model.facts["recipe"] == recipe_of(OF_SUMMARY, ELUTION).to_dict()
    np.testing.assert_array_equal(
        features["both"], np.hstack([features["elution"], features["of_summary"]])
    )
    _, members = model.predict_features(features["both"])
    seen = features["of_summary"], features["elution"][:, APEXES.profile.n_features :]
    expected = np.concatenate(
        [predict_logits(network, each) for network, each in zip(networks, seen, strict=True)]
    )
    calibration = calibration_of(model.facts)
    logits = (logit(members.astype(float)) - calibration.bias) / calibration.weight.sum(axis=0)
    np.testing.assert_allclose(logits, expected, atol=1e-3)
    predictions = model.predict(campaign.of_split("test").paths[:5])
    np.testing.assert_allclose(
        predictions.select(model.families).to_numpy(),
        model.predict_features(features["both"])[0],
        atol=1e-6,
    )


@pytest.mark.slow
def test_evidence_and_windows_are_those_of_the_elution_network_alone(
    models: Mapping[str, Trained], campaign: gale.Campaign
) -> None:
    run = gale.read_run(campaign.paths[0])
    both, alone = models["both"].model, models["elution"].model
    found, expected = both.evidence(run), alone.evidence(run)
    assert found["time_min"].to_list() == APEXES.describe(run)[1].tolist()
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-6)
    windows, others = (gale.find_windows(model, run, least=0.0) for model in (both, alone))
    assert len(windows) == len(others) > 0
    for window, other in zip(windows, others, strict=True):
        assert (window.family, window.apex_min) == (other.family, other.apex_min)
        assert window.probability == pytest.approx(other.probability, abs=1e-5)
        assert window.share == pytest.approx(other.share, abs=1e-4)


@pytest.mark.slow
def test_specs_in_another_order_are_damage(models: Mapping[str, Trained]) -> None:
    facts = facts_of(models["both"].model.content)
    facts["features"]["specs"].reverse()
    with refused(ModelError, "memory", found="evidence"):
        gale.Model(restated(models["both"].model.content, facts))


def test_which_features_a_part_sees() -> None:
    other = OF_SUMMARY.replace("of_summary", "profile").replace("features = {", "#")
    recipe = recipe_of(OF_SUMMARY, ELUTION, other)
    of_summary, elution, profile = recipe.parts
    assert recipe.all_features == (recipe.features, of_summary.features)
    edge = APEXES.n_features
    assert seen_by(elution, recipe, SPEC) == (APEXES, slice(0, edge))
    assert seen_by(profile, recipe, SPEC) == (APEXES, slice(0, edge))
    assert seen_by(of_summary, recipe, SPEC) == (SUMMARY, slice(edge, SPEC.n_features))
    assert columns_of(profile, APEXES) == slice(0, APEXES.profile.n_features)
    assert recipe_of(ELUTION, other).all_features == (recipe.features,)
    assert recipe_of(OF_SUMMARY).all_features == (of_summary.features,)
    matching = "[[parts]]\nname = 'matching'\nkind = 'matching'\nshare = 0.2\n"
    apexes = recipe_of(f"{matching}features = {{ kind = 'apexes' }}\n", ELUTION)
    assert apexes.all_features == (apexes.features, apexes.parts[0].features), "evidence is first"


def test_the_cost_of_a_part_is_that_of_its_features() -> None:
    wide = OF_SUMMARY.replace("hidden = [8]", "hidden = [60_000]")
    progress = Recorder()
    check_model(recipe_of(wide, ELUTION), SPEC, 9, 10, progress)
    assert progress.notes == []
    check_model(recipe_of(wide, wide.replace("of_summary", "more")), SUMMARY, 9, 50, progress)
    assert progress.notes == ["the model will take 1,224 MB"]


LEARNED = OF_SUMMARY.replace(f"mz = {list(MZ)}", 'mz = "learned", mz_min = 26, mz_max = 95')


@pytest.mark.slow
def test_stored_features_have_those_of_all_parts(
    campaign: gale.Campaign, exported: Exported, tmp_path: Path
) -> None:
    recipe, work = recipe_of(ELUTION, LEARNED), Work(cache=gale.Cache.default())
    gale.write_features(campaign, tmp_path / "features", recipe, work=work)
    one, other = (
        gale.train(campaign, recipe, features=stored, work=work).facts
        for stored in (None, tmp_path / "features")
    )
    assert {**one, "created": ""} == {**other, "created": ""}
    assert "which m/z to learn" in one["scores"]["caution"]
    assert [spec["kind"] for spec in one["features"]["specs"]] == ["apexes", "summary"]
    changed = LEARNED.replace("mz_min = 26", "mz_min = 27")
    for part, found in ((changed, "learned"), (OF_SUMMARY, "apexes + summary")):
        with refused(TableError, tmp_path / "features", found=found):
            gale.train(
                campaign, recipe_of(ELUTION, part), features=tmp_path / "features", work=work
            )


def test_given_features_are_those_of_all_parts() -> None:
    parts = OF_SUMMARY, OF_SUMMARY.replace("of_summary", "other").replace("28,", "")
    with refused(TrainingError, "recipe small", found="features of their own"):
        train_features(
            np.zeros((4, 2), np.float32),
            np.zeros((4, 1), np.float32),
            names=["a", "b"],
            families=["c"],
            recipe=recipe_of(*parts),
        )
