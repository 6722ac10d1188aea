"""Pre-training: what spectra are told, what is kept, and what the weights depend on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gale
from gale.chemistry.families import default_family_table
from gale.errors import ReadError
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec
from gale.features.profile import ProfileSpec
from gale.library import default_libraries
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.run import Run
from gale.simulation.targets import FeaturesAndTargets
from gale.training import pretraining
from gale.training.fitting import Weights, get_weights, set_weights
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.pretraining import pretrain, read_substances, simulate_runs
from gale.training.settings import PretrainSettings
from helpers.stacks import stack_recipe
from helpers.training import Recorder
from helpers.work import with_work

SPEC = EventSpec(ProfileSpec(ElutionSpec(24, 26, 95), losses=10), events=6)
FAMILIES = ("alcohol", "mineral")
KNOWN = tuple(default_family_table())
CPU = torch.device("cpu")


def run_of_peaks() -> Run:
    """101 scans in 10 minutes: peaks at 2, 5 and 8 minutes on a floor."""
    time = np.linspace(0, 10, 101)
    signal = np.ones((101, 3))
    for column, at in enumerate((2.0, 5.0, 8.0)):
        signal[:, column] += 500 * np.exp(-0.5 * ((time - at) / 0.2) ** 2)
    mz = np.tile([43.0, 57.0, 91.0], 101)
    return Run.from_scans(time, np.full(101, 3), mz, signal.ravel())


def compound(at: float, **changes: object) -> dict[str, object]:
    told = {
        "role": "compound", "families": ("alcohol",), "retention_time_min": at, "width_min": 0.1,
        "abundance": 50.0,
    }  # fmt: skip
    return {**told, **changes}


def told(*truth: dict[str, object], bins: int = 100) -> dict[str, list[float]]:
    """For each family, the times of the spectra that are said to hold it."""
    spec = EventSpec(ProfileSpec(ElutionSpec(bins, 26, 95), losses=5), events=bins)
    run = run_of_peaks()
    features, events = FeaturesAndTargets(spec, FAMILIES)(run, truth)
    vector, times = spec.describe(run)
    assert events.shape == (bins, 2)
    assert features.dtype == np.float16
    np.testing.assert_allclose(features, vector, rtol=1e-3, atol=1e-3)
    return {name: times[events[:, at]].tolist() for at, name in enumerate(FAMILIES)}


def test_spectra_at_the_time_of_a_compound_hold_its_families() -> None:
    # bins of 0.1 min: those of which any moment is within 0.1 min of the peak
    found = told(compound(2.0), compound(8.0, families=("mineral", "aromatic")))
    np.testing.assert_allclose(found["alcohol"], [1.85, 1.95, 2.05, 2.15])
    np.testing.assert_allclose(found["mineral"], [7.85, 7.95, 8.05, 8.15])


def test_a_narrow_peak_has_the_spectrum_of_its_time_bin() -> None:
    assert told(compound(2.03, width_min=0.0)) == {
        "alcohol": [pytest.approx(2.05)], "mineral": []
    }  # fmt: skip


def test_a_wide_peak_has_more_spectra() -> None:
    found = told(compound(5.0, role="evolved gas", families=("mineral",), width_min=1.0))
    np.testing.assert_allclose(found["mineral"], np.arange(3.95, 6.06, 0.1))


def _without_one(weights: Weights) -> Weights:
    return dict(list(weights.items())[1:])


def _with_nan(weights: Weights) -> Weights:
    free = [name for name in weights if name.endswith("weight")]
    return {**weights, free[0]: np.full_like(weights[free[0]], np.nan)}


@pytest.mark.parametrize(
    "planted",
    [
        _without_one,
        _with_nan,
        lambda weights: {name: array[..., None] for name, array in weights.items()},
        lambda weights: {name: array.astype(np.float64) for name, array in weights.items()},
        lambda weights: {name: np.full_like(array, np.inf) for name, array in weights.items()},
    ],
)
def test_planted_weights_are_not_used(
    planted: Callable[[Weights], Weights],
    kept: tuple[Cache, dict[str, Weights]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = Cache(tmp_path / "cache")
    shutil.copytree(kept[0].folder, cache.folder)
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    assert_same(weights_of(cache), kept[1])
    for path in Path(cache.folder).rglob("*.features"):
        weights = cache.get(path.stem)
        assert weights is not None
        cache.put(path.stem, planted(weights))
    with pytest.raises(RuntimeError, match="simulates"):
        weights_of(cache)


@pytest.mark.parametrize(
    "change",
    [
        {"abundance": 0.99},
        {"role": "contaminant"},
        {"role": "carry-over"},
        {"role": "reagent"},
        {"families": ("aromatic",)},
        {"families": ()},
    ],
)
def test_what_is_not_told(change: dict[str, object]) -> None:
    assert told(compound(5.0, **change)) == {"alcohol": [], "mineral": []}
    assert told(compound(5.0, **change), compound(8.0, abundance=1.0))["alcohol"]


def simulated(families: tuple[str, ...], known: tuple[str, ...], workers: int = 1) -> Any:
    settings = PretrainSettings(runs=8, runs_per_laboratory=4, instruments=1, ions=2000)
    return simulate_runs(settings, SPEC, families, known, 3, Work(workers=workers))


def test_simulated_runs_tell_nothing_of_families_that_are_not_known() -> None:
    families = ("ester", *KNOWN)
    runs = simulated(families, KNOWN)
    assert runs.features.shape == (8, SPEC.n_features)
    assert runs.labels.shape == (8, 10)
    assert runs.events.shape == (8, 6, 10)
    assert np.isnan(runs.labels[:, 0]).all()
    assert np.isnan(runs.events[:, :, 0]).all()
    assert set(np.unique(runs.labels[:, 1:])) == set(np.unique(runs.events[:, :, 1:])) == {0, 1}
    assert (runs.events.max(axis=1) <= runs.labels)[:, 1:].all(), "no spectrum without its run"
    assert np.isfinite(runs.features).all()


def weights_of(
    cache: Cache | None = None, families: tuple[str, ...] = KNOWN, **changes: Any
) -> dict[str, Weights]:
    asked: dict[str, Any] = {"seed": 3, "recipe": stack_recipe(), "spec": SPEC}
    asked |= {"device": "cpu", "cache": cache, **changes}
    recipe, spec = asked.pop("recipe"), asked.pop("spec")
    return pretrain(recipe, spec, families, **with_work(**asked)).weights


def assert_same(left: dict[str, Weights], right: dict[str, Weights]) -> None:
    assert left.keys() == right.keys()
    for part, weights in left.items():
        assert weights.keys() == right[part].keys()
        for name, value in weights.items():
            np.testing.assert_array_equal(value, right[part][name], err_msg=f"{part} {name}")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cache, dict[str, Weights]]:
    """A cache, and what was put into it."""
    cache = Cache(tmp_path_factory.mktemp("pretraining"))
    return cache, weights_of(cache)


@pytest.mark.parametrize("at", [0, 1])
def test_weights_go_into_the_networks_of_their_part(
    kept: tuple[Cache, dict[str, Weights]], at: int
) -> None:
    part = stack_recipe().parts[at]
    weights = kept[1][part.name]
    columns = columns_of(part, SPEC)
    n_seen = columns.stop - columns.start
    scale = scale_of(part, SPEC, np.ones((3, n_seen), dtype=np.float32))
    generators = [torch.Generator().manual_seed(seed) for seed in (5, 6)]
    network = build_network(part, SPEC, generators, priors=[torch.zeros(9)] * 2, scales=[scale] * 2)
    for member in range(2):
        set_weights(network, member, weights)
        assert_same({"": get_weights(network, member)}, {"": weights})
    first, second = network.eval()(torch.ones(2, 4, n_seen))
    assert torch.equal(first, second)


def assert_noted(progress: Recorder, families: str, more: int = 0) -> None:
    """The first note is of families that are not pre-trained."""
    assert len(progress.notes) == 1 + more
    assert "pre-train" in progress.notes[0]
    assert progress.notes[0].endswith(f": {families}")


def no_simulation(*_: object, **__: object) -> Iterator[Any]:
    raise RuntimeError("simulates")


def test_nothing_is_simulated_twice(
    kept: tuple[Cache, dict[str, Weights]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, weights = kept
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    assert_same(weights_of(cache), weights)
    # how labelled runs are fitted, and how they are divided, is of no account
    fitting = stack_recipe(count="5").to_dict()
    fitting["parts"][0]["fitting"]["epochs"] = 99
    fitting["parts"][1]["soup"]["size"] = 7
    assert_same(weights_of(cache, recipe=gale.Recipe.model_validate(fitting)), weights)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"spec": EventSpec(SPEC.profile, events=7)},
        {"families": KNOWN[::-1]},
        {"recipe": stack_recipe(ions="2001")},
        {"recipe": stack_recipe(augment="{ abundance = 0.4 }")},
        {"recipe": stack_recipe(network='{ kind = "elution", hidden = [9] }')},
        {"recipe": stack_recipe(pretrain="{ epochs = 4 }")},
    ],
    ids=["seed", "spec", "families", "simulation", "augmentation", "network", "fitting"],
)
def test_another_pre_training_is_not_taken_for_it(
    kept: tuple[Cache, dict[str, Weights]], change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    with pytest.raises(RuntimeError, match="simulates"):
        weights_of(kept[0], **change)


def write_library(folder: Path, height: int = 999) -> tuple[Path, Path]:
    """An MSP file of alcohols and alkylbenzenes, and a table of these two families."""
    library, families = folder / "mine.msp", folder / "families.toml"
    kinds = (("alcohol", "O", 31), ("benzene", "c1ccccc1", 91))
    records = [
        f"Name: {kind} {n}\nSMILES: {'C' * n}{group}\nRetention_index: {600 + 90 * n}\n"
        f"Num Peaks: 2\n{mz} {height}\n{mz + 14 * n} 300\n"
        for kind, group, mz in kinds
        for n in range(2, 9)
    ]
    library.write_text("\n".join(records))
    families.write_text("[alcohol]\nany = ['[CX4][OX2H]']\n[benzene]\nany = ['c1ccccc1']\n")
    return library, families


@pytest.mark.slow
def test_parts_with_event_features_of_their_own(kept: tuple[Cache, dict[str, Weights]]) -> None:
    other = EventSpec(ProfileSpec(ElutionSpec(24, 26, 60), losses=5), events=3)
    choices = stack_recipe().to_dict()
    own = choices["features"] | {"mz_last": 60, "losses": 5, "events": 3}
    choices["parts"][1]["features"] = own
    recipe, spec = gale.Recipe.model_validate(choices), JoinedSpec((SPEC, other))
    weights = weights_of(recipe=recipe, spec=spec)
    assert_same({"elution": weights["elution"]}, {"elution": kept[1]["elution"]})
    alone = choices | {"features": own, "parts": [choices["parts"][1]]}
    expected = weights_of(recipe=gale.Recipe.model_validate(alone), spec=other)
    assert_same({"profile": weights["profile"]}, expected)


@pytest.mark.slow
def test_own_libraries_and_families(
    tmp_path: Path, kept: tuple[Cache, dict[str, Weights]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, (library, families) = kept[0], write_library(tmp_path)

    def recipe(*libraries: str) -> gale.Recipe:
        choices = stack_recipe().to_dict()
        choices["pretraining"] |= {"libraries": libraries, "families": str(families)}
        return gale.Recipe.model_validate(choices)

    own = recipe(str(library))
    substances, table = read_substances(own.pretraining)
    assert substances is not None
    assert table is not None
    assert ([each.name[0] for each in substances], list(table)) == (
        ["alcohol 2"], ["alcohol", "benzene"]
    )  # fmt: skip
    both, _ = read_substances(recipe("gale", str(library)).pretraining)
    assert both is not None
    assert [len(each) for each in both] == [*map(len, default_libraries()), 14]

    progress = Recorder()
    asked: dict[str, Any] = {"recipe": own, "families": ("benzene", "wax"), "cache": cache}
    weights = weights_of(**asked, progress=progress)
    assert_noted(progress, "wax")
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    library.rename(tmp_path / "renamed.msp")
    moved = {**asked, "progress": Recorder(), "recipe": recipe(str(tmp_path / "renamed.msp"))}
    assert_same(weights_of(**moved), weights)
    write_library(tmp_path, height=998)
    with pytest.raises(RuntimeError, match="simulates"):
        weights_of(**asked, progress=progress)
    library.unlink()
    with pytest.raises(ReadError, match=r"mine\.msp"):
        weights_of(**asked, progress=progress)


def test_it_says_what_it_learned_from(
    kept: tuple[Cache, dict[str, Weights]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = with_work(seed=3, device="cpu", cache=kept[0])
    source = pretrain(stack_recipe(), SPEC, KNOWN, **asked).source
    assert source["runs"] == stack_recipe().pretraining.runs
    assert source["spectra"] == [each.facts for each in default_libraries()]
    assert source["libraries"] == [each.source for each in default_libraries()]
    # an added library makes other runs, so that cached weights are not taken for theirs
    with pytest.warns(gale.GaleWarning, match="different"):
        gale.add_library("mine", write_library(tmp_path)[0])
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    with pytest.raises(RuntimeError, match="simulates"):
        pretrain(stack_recipe(), SPEC, KNOWN, **asked)


@pytest.mark.slow
def test_weights_do_not_depend_on_workers_or_the_cache(
    kept: tuple[Cache, dict[str, Weights]],
) -> None:
    assert_same(weights_of(workers=2), kept[1])


@pytest.mark.slow
def test_progress_and_families_that_cannot_be_simulated() -> None:
    progress = Recorder()
    weights = weights_of(families=("ester", "alcohol", "wax"), progress=progress)
    assert_noted(progress, "ester, wax")
    assert progress.steps == progress.totals == {"simulating runs": 8, "pre-training": 2}
    for of_part in weights.values():
        unknown = [key for key, value in of_part.items() if not np.isfinite(value).all()]
        assert len(unknown) == 1
        assert np.isfinite(of_part[unknown[0]]).sum() == 1  # alcohol


def test_families_of_which_none_can_be_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    progress = Recorder()
    assert weights_of(families=("wax", "ester"), progress=progress) == {}
    *_, advice = progress.notes
    assert_noted(progress, "ester, wax", more=1)
    assert "fitting.epochs" in advice
    assert "quick" in advice


def test_what_cannot_be_simulated_is_a_warning_by_default() -> None:
    with pytest.warns(gale.GaleWarning) as warned:
        assert weights_of(families=("wax",)) == {}
    first, advice = (str(each.message) for each in warned)
    assert first.endswith(": wax")
    assert "fitting.epochs" in advice


def test_a_recipe_without_pre_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "simulate_examples", no_simulation)
    recipe = stack_recipe().to_dict()
    for part in recipe["parts"]:
        del part["pretrain"]
    progress = Recorder()
    found = weights_of(
        recipe=gale.Recipe.model_validate(recipe), families=("wax",), progress=progress
    )
    assert found == {}
    assert progress.notes == []


def test_arrays_in_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    arrays: dict[str, np.ndarray] = {
        "0.weight": np.eye(3, dtype=np.float32),
        "b": np.array([], dtype=np.int64),
    }
    assert cache.get("abc") is None
    assert cache.put("abc", arrays)
    found = cache.get("abc")
    assert found is not None
    assert list(found) == list(arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
    (path,) = (path for path in Path(cache.folder).rglob("*") if path.is_file())
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.get("abc") is None
    (tmp_path / "file").touch()
    assert not Cache(tmp_path / "file").put("abc", arrays)


@pytest.mark.slow
def test_it_needs_no_rdkit() -> None:
    """Which the extra for training does not bring along."""
    code = (
        "import sys; sys.modules['rdkit'] = None\n"
        "from gale.training.pretraining import pretrain\n"
        "from gale.features.events import EventSpec\n"
        "from gale.plumbing.work import Work\n"
        "from gale.training.settings import PretrainSettings\n"
        "from gale.training.pretraining import simulate_runs\n"
        "few = PretrainSettings(runs=2, ions=2000)\n"
        "known = ('aromatic',)\n"
        "runs = simulate_runs(few, EventSpec(events=4), known, known, 0, Work())\n"
        "print(runs.labels.shape)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "(2, 1)\n"
