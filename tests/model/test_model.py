"""Model files: written, read, refused; and prediction with them."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from torch import nn

import gale
from gale.errors import CampaignError, GaleWarning, ModelError, OutputError, TableError
from gale.model import BATCH_VALUES
from gale.model.facts import FORMAT
from gale.model.support import Support
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.export import to_onnx
from helpers.errors import refused
from helpers.held_out import supported
from helpers.model_files import facts_of, restated
from helpers.predictions import probability_of
from helpers.training import Array, Recorder, Trained, tiny_recipe


@pytest.fixture
def model(trained: Trained) -> gale.Model:
    return trained.model


@pytest.fixture
def paths(campaign: gale.Campaign) -> list[Path]:
    return list(campaign.of_split("test").paths[:5])


def probabilities(table: pl.DataFrame, model: gale.Model) -> Array:
    return table.select(model.families).to_numpy()


@pytest.mark.slow
def test_saved_and_loaded(trained: Trained, paths: list[Path], tmp_path: Path) -> None:
    in_memory = gale.Model(trained.path.read_bytes())
    in_memory.save(tmp_path / "copy.onnx")
    loaded = gale.Model.load(tmp_path / "copy.onnx")
    assert (tmp_path / "copy.onnx").read_bytes() == trained.path.read_bytes()
    assert loaded.facts == in_memory.facts
    assert (in_memory.source, loaded.source) == ("memory", str(tmp_path / "copy.onnx"))
    assert_frame_equal(loaded.predict(paths), in_memory.predict(paths))
    assert repr(loaded) == "<Model tiny: 9 families, 4 members, trained on 84 runs>"


def test_models_of_earlier_versions_still_predict() -> None:
    """One of the time before recipes had profile features, with what it predicted then."""
    model = gale.Model.load(Path(__file__).parent / "models" / "format1.onnx")
    times, mz = [1, 1, 2, 2, 3, 3, 4], [18, 57, 18, 91, 18, 57, 91]
    runs = [
        gale.Run.from_rows(times, mz, intensity)
        for intensity in ([5, 7e4, 6, 3, 5, 9e4, 2], [5, 7, 6, 3e4, 5, 9, 2e4])
    ]
    expected = [[0.531446219, 0.43649146], [0.542566478, 0.435375452]]
    with (
        pytest.warns(GaleWarning, match="2 of 2 runs doubtful"),  # they have four scans
        pytest.warns(GaleWarning, match=r"was trained on only \d+ runs, and may know these alone"),
    ):
        table = model.predict(runs)
    np.testing.assert_allclose(probabilities(table, model), expected, atol=1e-5)
    assert table["unlike"].to_list() == [None, None]


def test_a_model_of_today_with_an_elution_network_still_predicts() -> None:
    model = gale.Model.load(Path(__file__).parent / "models" / "elution.onnx")
    mz, time = np.arange(26, 96), np.linspace(0, 10, 61)
    signal = np.ones((len(time), len(mz)))
    signal[29:32, mz == 91] = signal[29:32, mz == 65] = 500.0
    run = gale.Run.from_scans(
        time, np.full(len(time), len(mz)), np.tile(mz, len(time)), signal.ravel()
    )
    with pytest.warns(GaleWarning, match="1 of 1 run "):
        table = model.predict(run)
    expected = [
        0.104146, 0.262363, 0.107390, 0.134715, 0.096489, 0.129650, 0.124773, 0.103014, 0.100266,
    ]  # fmt: skip
    np.testing.assert_allclose(probabilities(table, model)[0], expected, atol=1e-5)
    assert table["unlike"][0] == pytest.approx(2.08862, abs=1e-4)
    evidence = model.evidence(run)
    width = 10 / 24
    np.testing.assert_allclose(
        evidence["time_min"], width * np.array([0.5, 1.5, 2.5, 3.5, 11.5, 12.5])
    )
    np.testing.assert_allclose(evidence["alcohol"], [0.017538] * 4 + [0.029617] * 2, atol=1e-5)


def test_save_overwrites_by_force_only(model: gale.Model, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("old")
    with refused(OutputError, path, remedy="force"):
        model.save(path)
    assert path.read_text() == "old"
    model.save(path, force=True)
    assert gale.Model.load(path).facts == model.facts


def test_a_full_disk_leaves_nothing_behind(
    model: gale.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with refused(OutputError, tmp_path / "model.onnx", found="No space left on device"):
        model.save(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_file_names_no_path_of_this_machine(trained: Trained, campaign_folder: Path) -> None:
    data = trained.path.read_bytes()
    for folder in (campaign_folder.parent, Path(gale.__file__).parent, Path.cwd(), Path.home()):
        assert str(folder).encode() not in data or str(folder) == "/"
    assert b".py" not in data


@pytest.mark.slow
def test_torch_and_onnx_agree_from_file_to_probability(
    campaign: gale.Campaign, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network that does not standardise, where features are as large as they come."""
    kept: list[nn.Module] = []
    export = to_onnx

    def spy(parts: Any, *rest: Any, **more: Any) -> bytes:
        kept.extend(part.network for part in parts)
        data: bytes = export(parts, *rest, **more)
        return data

    monkeypatch.setattr("gale.training.to_onnx", spy)
    recipe = tiny_recipe(network={"standardise": "none"}, soup={"kind": "uniform"})
    model = gale.train(campaign, recipe, work=Work(cache=cache))
    features = np.stack([model.spec.features_of(gale.read_run(path)) for path in campaign.paths])
    each = probability_of(kept[0], features)
    with pytest.warns(GaleWarning, match="runs doubtful"):
        table = model.predict(campaign, work=Work(cache=cache))
    expected = supported(each.mean(0), campaign.of_split("train", "val").labels)
    np.testing.assert_allclose(probabilities(table, model), expected, atol=1e-5)
    spread = table.select(f"{family}_spread" for family in model.families).to_numpy()
    np.testing.assert_allclose(spread, each.std(0), atol=1e-5)


def test_predictions_of_paths_runs_and_a_campaign_agree(
    model: gale.Model, campaign: gale.Campaign, cache: Cache
) -> None:
    chosen = campaign.of_split("test").select(range(5))
    from_campaign = model.predict(chosen, work=Work(cache=cache))
    from_paths = model.predict([str(path) for path in chosen.paths])
    runs = [gale.read_run(path) for path in chosen.paths]
    from_runs = model.predict([runs[0], *chosen.paths[1:3], *runs[3:]])
    assert from_campaign["run"].to_list() == list(chosen.runs)
    assert from_paths["run"].to_list() == [str(path) for path in chosen.paths]
    assert_frame_equal(from_paths, from_runs)
    assert_frame_equal(from_campaign.drop("run"), from_paths.drop("run"))


def test_the_table(model: gale.Model, paths: list[Path]) -> None:
    table = model.predict(paths)
    families = list(model.families)
    spreads = [f"{family}_spread" for family in families]
    assert table.columns == ["run", "status", "message", "unlike", *families, *spreads]
    assert table["status"].to_list() == ["ok"] * 5
    for path, message in zip(paths, table["message"], strict=True):
        odd = [each.text for each in gale.oddities(gale.read_run(path))]
        assert (message or "") == "; ".join(odd)
    found = probabilities(table, model)
    assert 0 < found.min() < found.max() < 1
    assert table.select(spreads).to_numpy().min() > 0


def test_order_is_kept_and_a_run_may_come_twice(model: gale.Model, paths: list[Path]) -> None:
    once = probabilities(model.predict(paths), model)
    order = [3, 0, 3, 4]
    table = model.predict([paths[at] for at in order])
    assert table["run"].to_list() == [str(paths[at]) for at in order]
    np.testing.assert_allclose(probabilities(table, model), once[order], atol=1e-7)


def test_a_bad_run_has_its_row_and_the_others_theirs(
    model: gale.Model, paths: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("time,mass\n1,2\n")
    with pytest.warns(GaleWarning, match="^2 of 4 runs failed.* message$"):
        table = model.predict([paths[0], bad, paths[1], tmp_path / "absent.csv"])
    assert table["status"].to_list() == ["ok", "failed", "ok", "failed"]
    assert table["message"][1].startswith(f"{bad}: ")
    assert "intensity" in table["message"][1]
    assert table["message"][3].startswith(f"{tmp_path / 'absent.csv'}: ")
    numbers = table.drop("run", "status", "message")
    assert numbers.null_count().row(0) == (2,) * 19
    assert set(numbers.row(1)) == {None}
    good = model.predict(paths[:2])
    assert_frame_equal(table.filter(status="ok"), good)


def test_no_run_can_be_read(model: gale.Model, tmp_path: Path) -> None:
    with pytest.warns(GaleWarning, match="2 of 2 runs failed"):
        table = model.predict([tmp_path / "a", tmp_path / "b"])
    assert table["status"].to_list() == ["failed", "failed"]
    assert table.schema == model.predict([]).schema
    assert probabilities(table, model).shape == (2, 9)


def test_no_runs_at_all(model: gale.Model, paths: list[Path]) -> None:
    table = model.predict([])
    assert table.height == 0
    assert table.columns == model.predict(paths).columns
    assert table.schema["aromatic"] == pl.Float64
    assert table.schema["run"] == pl.String


def test_one_member_has_no_spread(
    campaign: gale.Campaign, trained: Trained, paths: list[Path], cache: Cache,
    tmp_path: Path,
) -> None:  # fmt: skip
    recipe = tiny_recipe(soup={"size": 1}, folds={"count": 1})
    table = gale.train(campaign, recipe, work=Work(cache=cache)).predict(paths)
    families = list(trained.model.families)
    assert table.select(f"{family}_spread" for family in families).null_count().row(0) == (5,) * 9
    assert table.select(families).null_count().row(0) == (0,) * 9


@pytest.mark.slow
def test_a_big_batch_is_as_one_by_one(model: gale.Model) -> None:
    rng = np.random.default_rng(0)
    n_features = model.spec.n_features
    at_once = BATCH_VALUES // n_features
    features = rng.normal(0, 3, (2 * at_once + 3, n_features)).astype(np.float32)
    mean, each = model.predict_features(features)
    assert mean.shape == (2 * at_once + 3, 9)
    assert each.shape == (4, 2 * at_once + 3, 9)
    for row in (0, at_once - 1, at_once, 2 * at_once, 2 * at_once + 2):
        alone, alone_each = model.predict_features(features[row : row + 1])
        np.testing.assert_allclose(mean[row], alone[0], atol=1e-6)
        np.testing.assert_allclose(each[:, row], alone_each[:, 0], atol=1e-6)
    support = Support.of_facts(model.facts)
    assert support is not None
    np.testing.assert_allclose(mean, support.apply(each.mean(axis=0)), atol=1e-6)


def test_executor_cache_and_advance(model: gale.Model, paths: list[Path], tmp_path: Path) -> None:
    plain, told, cache = model.predict(paths), Recorder(), Cache(tmp_path / "cache")

    with ThreadPoolExecutor(2) as executor:
        pooled = model.predict(paths, work=Work(executor=executor, cache=cache, progress=told))
    assert told.steps == told.totals == {"predicting": 5}
    assert sum(kept.is_file() for kept in (tmp_path / "cache").rglob("*")) == 5
    assert_frame_equal(plain, pooled)
    assert_frame_equal(plain, model.predict(paths, work=Work(cache=cache)))


def test_names_of_columns_are_remembered_from_training(
    trained: Trained, paths: list[Path], tmp_path: Path
) -> None:
    names = {"time_min": "RT", "mz": "m/z", "intensity": "counts"}
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(paths[0].read_text().replace("time,mass,intensity", "RT,m/z,counts"))
    data = trained.path.read_bytes()
    knowing = gale.Model(restated(data, {**facts_of(data), "columns": names}))
    expected = probabilities(trained.model.predict(paths[:1]), trained.model)
    for table in (
        knowing.predict([renamed]),
        trained.model.predict([renamed], work=Work(columns=names)),
    ):
        np.testing.assert_array_equal(probabilities(table, knowing), expected)
    table = knowing.predict(paths[:1])  # files with the default names are read all the same
    np.testing.assert_array_equal(probabilities(table, knowing), expected)


def test_one_path_is_one_run(model: gale.Model, paths: list[Path]) -> None:
    assert_frame_equal(model.predict(str(paths[0])), model.predict([paths[0]]))
    assert model.predict(gale.read_run(paths[0]))["status"].to_list() == ["ok"]


def test_the_notes_on_a_run_are_in_its_message(
    model: gale.Model, paths: list[Path], tmp_path: Path
) -> None:
    odd = tmp_path / "odd.csv"
    pl.read_csv(paths[0]).reverse().write_csv(odd)
    (note,) = gale.read_run(odd).notes
    others = [each.text for each in gale.oddities(gale.read_run(paths[0]))]
    for _ in range(2):  # the second time from the cache
        with pytest.warns(GaleWarning, match="^1 of 2 runs .* message$"):
            table = model.predict([odd, paths[0]], work=Work(cache=Cache(tmp_path / "cache")))
        assert table["status"].to_list() == ["ok", "ok"]
        assert table["message"].to_list() == ["; ".join([note, *others]), "; ".join(others)]


@pytest.mark.slow
def test_the_submission_has_the_runs_and_families_of_the_format(
    model: gale.Model, campaign: gale.Campaign
) -> None:
    first, second, *_ = campaign.submission or ()
    with pytest.warns(GaleWarning, match="runs doubtful"):
        table = model.predict(campaign)
    is_second = pl.col("run") == second
    failed = table.with_columns(
        pl.when(is_second).then(None).otherwise(pl.col(name)).alias(name) for name in model.families
    )
    with pytest.warns(GaleWarning, match="1 run "):
        form = model.submission(campaign, failed)
    wanted = campaign.submission_families
    assert form.columns == ["sample_id", *wanted]
    assert form["sample_id"].to_list() == list(campaign.submission or ())
    assert form.row(1)[1:] == tuple(model.prevalence[name] for name in wanted)
    assert form.row(0)[1:] == table.filter(run=first).select(wanted).row(0)
    asked = campaign.root / "submission_format.csv"
    with refused(CampaignError, asked, found="tin", expected=["mineral", str(model.source)]):
        model.submission(replace(campaign, submission_families=("mineral", "tin")), table)
    with refused(CampaignError, campaign.root, found="submission_format.csv"):
        model.submission(replace(campaign, submission=None), table)


def test_a_submission_needs_predictions_of_its_runs(
    model: gale.Model, campaign: gale.Campaign
) -> None:
    asked = list(campaign.submission or ())
    families = dict.fromkeys(model.families, 0.5)
    table = pl.DataFrame({"run": asked, **families})
    others = {
        "none": table.with_columns(run=pl.lit("data/") + pl.col("run")),
        "more than one": pl.concat([table, table.head(1)]),
        "alcohol": table.drop("alcohol"),
    }
    for found, other in others.items():
        with refused(TableError, "predictions", found=found, remedy="predict(campaign)"):
            model.submission(campaign, other)
    with pytest.warns(GaleWarning, match=f"stands in for {len(asked) - 2} runs"):
        form = model.submission(campaign, table.head(2))
    assert form["sample_id"].to_list() == asked, "whatever is given, all that is asked for is there"


def test_a_batch_of_other_samples_is_warned_of(model: gale.Model, paths: list[Path]) -> None:
    data = Path(model.source).read_bytes()
    rare = gale.Model(restated(data, {**facts_of(data), "prevalence": [0.9] * 9}))
    with pytest.warns(GaleWarning, match=r"mineral 0\.\d\d \(0\.90\)"):
        rare.predict(paths * 4)


def test_scores_that_are_not_calibrated_are_warned_of(model: gale.Model, paths: list[Path]) -> None:
    with pytest.warns(GaleWarning, match="calibrated"):
        model.predict(paths[0])
    data = Path(model.source).read_bytes()
    calibrated = gale.Model(restated(data, {**facts_of(data), "calibrated": True}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibrated.predict(paths[0])


def test_facts_cannot_be_changed_by_accident(model: gale.Model) -> None:
    with pytest.raises(TypeError):
        model.facts["seed"] = 3  # type: ignore[index]


Spoil = Callable[[bytes], bytes | None]
GALE_FILE = "gale"
SPOILED: dict[str, tuple[Spoil, dict[str, Any]]] = {
    "empty": (lambda _: b"", {"found": ["ONNX", "0 bytes"], "expected": GALE_FILE}),
    "text": (
        lambda _: b"time,mass,intensity\n",
        {"found": ["ONNX", "20 bytes"], "expected": GALE_FILE},
    ),
    "cut": (
        lambda data: data[:5000],
        {"found": ["ONNX", "5,000 bytes"], "expected": GALE_FILE},
    ),
    "stranger": (
        lambda data: restated(data, None),
        {"found": "metadata of gale", "expected": GALE_FILE},
    ),
    "later": (
        lambda data: restated(data, {**facts_of(data), "format": 99, "gale_version": "7.0"}),
        {"found": ["format 99", "gale 7.0"], "expected": f"format {FORMAT}"},
    ),
    "mute": (
        lambda data: restated(data, {}),
        {"found": "format None", "expected": f"format {FORMAT}"},
    ),
    "garbled": (lambda data: restated(data, "{"), {"found": "JSON", "expected": GALE_FILE}),
    "a list": (lambda data: restated(data, "[1]"), {"found": "JSON", "expected": GALE_FILE}),
    "a fact less": (
        lambda data: restated(data, {k: v for k, v in facts_of(data).items() if k != "columns"}),
        {"found": "columns", "expected": "null"},
    ),
    "other families": (
        lambda data: restated(data, {**facts_of(data), "families": ["tin"]}),
        {"found": ["prevalence", "9"], "expected": "list of 1"},
    ),
    "other members": (
        lambda data: restated(data, {**facts_of(data), "members": 3}),
        {"found": ["[126]", "[4, 9]"], "expected": ["126 features", "9 families", "3 members"]},
    ),
    "unknown features": (
        lambda data: restated(data, {**facts_of(data), "features": {"kind": "image"}}),
        {"found": "image", "expected": ["summary", "profile", "events"]},
    ),
    "missing": (lambda _: None, {"found": os.strerror(errno.ENOENT), "expected": ".onnx"}),
}


@pytest.mark.parametrize("what", SPOILED)
def test_not_a_model(trained: Trained, tmp_path: Path, what: str) -> None:
    spoil, facts = SPOILED[what]
    path = tmp_path / "model.onnx"
    if (data := spoil(trained.path.read_bytes())) is not None:
        path.write_bytes(data)
    with refused(ModelError, path, **facts):
        gale.Model.load(path)


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with refused(ModelError, tmp_path, expected=".onnx"):
        gale.Model.load(tmp_path)


def test_a_model_at_an_address(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path.as_uri()
    trained.model.save(f"{folder}/new/model.onnx")
    loaded = gale.Model.load(f"{folder}/new/model.onnx")
    assert (loaded.sha256, loaded.source) == (trained.model.sha256, f"{folder}/new/model.onnx")
    (tmp_path / "no.onnx").write_text("no model")
    for address, found, remedy in (
        (f"{folder}/none.onnx", os.strerror(errno.ENOENT), "check the path"),
        (folder, os.strerror(errno.EISDIR), "check the path"),
        (f"{folder}/no.onnx", "ONNX", ""),
        ("nowhere://m/model.onnx", "nowhere", "check the address"),
    ):
        with refused(ModelError, address, found=found, expected="model file", remedy=remedy):
            gale.Model.load(address)
