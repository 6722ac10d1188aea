"""Features as a dataset: a training from it is the training from the runs, and opens none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import GaleError, OutputError, TableError, TrainingError
from gale.features import compute_features
from gale.features.dataset import COLUMNS, FeatureDataset, _digest_of_runs
from gale.plumbing.work import Work
from gale.training.runs import read_runs
from helpers.errors import refused
from helpers.shared import made_once
from helpers.training import Exported, Recorder, tiny_recipe

LEARNED = {"mz": "learned", "mz_min": 18, "mz_max": 120}


@pytest.fixture
def own(campaign_folder: Path, tmp_path: Path) -> gale.Campaign:
    """A copy of a campaign, with times of its files as they were."""
    folder = shutil.copytree(campaign_folder, tmp_path / "campaign")
    return gale.Campaign.open(folder)


@pytest.fixture
def stored(
    campaign: gale.Campaign, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Features of the campaign that `own` is a copy of."""

    def make(folder: Path) -> None:
        work = Work(cache=gale.Cache.default())
        assert gale.write_features(campaign, folder / "features", tiny_recipe(), work=work) == {}

    made = made_once(tmp_path_factory, "stored-features", make) / "features"
    return shutil.copytree(made, tmp_path / "features")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run can be opened any more."""

    opened = os.open

    def checked(path: str | os.PathLike[str], *arguments: int) -> int:
        assert "_features" not in os.fspath(path), f"{path} was opened"
        return opened(path, *arguments)

    monkeypatch.setattr(os, "open", checked)


def trained(campaign: gale.Campaign, stored: Path | None, **choices: object) -> dict[str, object]:
    facts = gale.train(campaign, tiny_recipe(**choices), features=stored).facts
    return {key: value for key, value in facts.items() if key != "created"}


@pytest.mark.slow
@pytest.mark.parametrize("choices", [{}, {"kind": "logistic"}], ids=["network", "logistic"])
def test_a_training_from_stored_features_is_the_training_from_the_runs(
    own: gale.Campaign, stored: Path, exported: Exported, request: pytest.FixtureRequest,
    choices: dict[str, object],
) -> None:  # fmt: skip
    expected = trained(own, None, **choices)
    request.getfixturevalue("closed")
    with pytest.raises(AssertionError, match="was opened"):
        trained(own, None, **choices)
    assert trained(own, stored, **choices) == expected


def test_a_dataset_is_one_table_of_all_runs(
    own: gale.Campaign, stored: Path, cache: gale.Cache
) -> None:
    table = pl.read_parquet(stored)
    assert table["run"].to_list() == list(own.runs)
    spec = FeatureDataset.open(stored).facts.spec
    direct = compute_features(own.paths, spec, Work(cache=cache))
    np.testing.assert_array_equal(table["features"].to_numpy(), direct.values)
    assert tuple(table["sha256"]) == direct.checksums
    assert len(list(stored.iterdir())) > 20


@pytest.mark.slow
def test_parts_of_an_executor_are_those_of_this_process(
    own: gale.Campaign, stored: Path, tmp_path: Path, cache: gale.Cache
) -> None:
    progress = Recorder()
    with ThreadPoolExecutor(2) as executor:
        work = Work(executor=executor, cache=cache, progress=progress)
        gale.write_features(own, tmp_path / "other", tiny_recipe(), work=work)
    assert pl.read_parquet(tmp_path / "other").equals(pl.read_parquet(stored))
    assert [path.name for path in sorted((tmp_path / "other").iterdir())] == [
        path.name for path in sorted(stored.iterdir())
    ]


def test_rows_come_in_the_order_that_is_asked_for(own: gale.Campaign, stored: Path) -> None:
    chosen = own.of_split("train", "val").select(range(70, 3, -5))
    dataset = FeatureDataset.open(stored)
    runs = read_runs(chosen, dataset.facts.spec, Work(), dataset)
    table = pl.read_parquet(stored)
    assert runs.campaign.runs == chosen.runs
    for run, features in zip(chosen.runs, runs.features, strict=True):
        assert (
            table.row(by_predicate=pl.col("run") == run, named=True)["features"]
            == features.tolist()
        )


def test_how_runs_were_acquired_is_in_the_dataset(
    own: gale.Campaign, stored: Path, cache: gale.Cache
) -> None:
    chosen, dataset = own.select([9, 2, 5]), FeatureDataset.open(stored)
    spec = dataset.facts.spec
    expected, found = (
        read_runs(chosen, spec, Work(cache=cache), each, acquired=True) for each in (None, dataset)
    )
    assert found.acquisition is not None
    assert expected.acquisition is not None
    np.testing.assert_array_equal(found.acquisition, expected.acquisition)
    np.testing.assert_array_equal(found.features, expected.features)


@pytest.mark.slow
def test_learned_masses_are_taken_from_the_dataset(
    own: gale.Campaign, tmp_path: Path, exported: Exported, request: pytest.FixtureRequest
) -> None:
    gale.write_features(own, tmp_path / "learned", tiny_recipe(features=LEARNED))
    expected = trained(own, None, features=LEARNED)
    request.getfixturevalue("closed")
    assert trained(own, tmp_path / "learned", features=LEARNED) == expected
    fewer = replace(own, labels=np.where(np.arange(len(own))[:, None] == 3, np.nan, own.labels))
    with refused(TableError, tmp_path / "learned", found="other runs"):
        gale.train(
            fewer,
            tiny_recipe(features=LEARNED),
            features=tmp_path / "learned",
            work=Work(progress=Recorder()),
        )
    with refused(TableError, tmp_path / "learned", found="other settings"):
        gale.train(
            own, tiny_recipe(features={**LEARNED, "dropped": 3}), features=tmp_path / "learned"
        )


def test_features_of_another_recipe_are_refused(own: gale.Campaign, stored: Path) -> None:
    with refused(TableError, stored, found="features of kind", expected="as the recipe says"):
        gale.train(own, tiny_recipe(features={"mz": [18, 28]}), features=stored)
    with refused(TableError, stored, found="not learned"):
        gale.train(own, tiny_recipe(features=LEARNED), features=stored)
    with refused(TableError, stored, found="columns", expected="RT"):
        gale.train(replace(own, columns={"time_min": "RT"}), tiny_recipe(), features=stored)


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"9,400,1\n")


def test_a_run_that_has_changed_is_refused_and_a_copied_one_is_not(
    own: gale.Campaign, stored: Path, exported: Exported
) -> None:
    path = own.paths[5]
    touched(path)
    gale.train(own, tiny_recipe(), features=stored)
    changed(path)
    with refused(TableError, stored, found=[own.runs[5], "changed"]):
        gale.train(own, tiny_recipe(), features=stored)


@pytest.mark.slow
def test_a_run_that_is_not_in_the_dataset(own: gale.Campaign, stored: Path, tmp_path: Path) -> None:
    fewer = own.select(range(10, len(own)))
    gale.write_features(fewer, tmp_path / "fewer", tiny_recipe())
    with refused(TableError, tmp_path / "fewer", found=["10 runs", own.runs[0]]):
        gale.train(own, tiny_recipe(), features=tmp_path / "fewer")


@pytest.mark.slow
def test_runs_that_cannot_be_read_are_in_the_dataset_and_left_out(
    own: gale.Campaign, tmp_path: Path, exported: Exported
) -> None:
    own.paths[4].write_text("nothing")
    failed = gale.write_features(own, tmp_path / "f", tiny_recipe())
    assert list(failed) == [own.runs[4]]
    row = pl.read_parquet(tmp_path / "f").row(4, named=True)
    assert (row["features"], row["message"]) == (None, failed[own.runs[4]])
    progress = Recorder()
    model = gale.train(own, tiny_recipe(), features=tmp_path / "f", work=Work(progress=progress))
    assert model.facts["training"]["unreadable"] == [own.runs[4]]
    assert f"run {own.runs[4]} is left out: {row['message']}" in progress.notes
    with refused(TrainingError, own.root, found=["1 of", own.runs[4]]):
        gale.write_features(own, tmp_path / "g", tiny_recipe(), work=Work(strict=True))
    assert not (tmp_path / "g").exists()


@pytest.mark.slow
def test_a_test_run_with_the_content_of_a_training_run_is_found_in_the_dataset(
    own: gale.Campaign, tmp_path: Path
) -> None:
    test = own.of_split("test").paths[0]
    shutil.copy(own.paths[0], test)
    gale.write_features(own, tmp_path / "f", tiny_recipe())
    with refused(GaleError, own.root, found=["same content", own.runs[0]]):
        gale.train(own, tiny_recipe(), features=tmp_path / "f")


def parts(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def cut(folder: Path) -> None:
    parts(folder)[3].write_bytes(parts(folder)[3].read_bytes()[:-20])


def foreign(folder: Path) -> None:
    pl.DataFrame({"run": ["a"]}).write_parquet(parts(folder)[0])


def too_few(folder: Path) -> None:
    parts(folder)[-1].unlink()


def rewrite(
    part: Path,
    change: Callable[[pl.DataFrame], pl.DataFrame] = lambda table: table,
    facts: Callable[[dict[str, Any]], object] = lambda stated: stated,
) -> None:
    """Write a part again, with other rows or with what `facts` makes of its metadata."""
    table, stated = pl.read_parquet(part), json.loads(pl.read_parquet_metadata(part)["gale"])
    changed = json.dumps(facts(stated))
    change(table).write_parquet(part, metadata={"gale": changed})


def with_values(table: pl.DataFrame, value: float) -> pl.DataFrame:
    values = table["features"].to_numpy().copy()
    values[0, 0] += value
    return table.with_columns(pl.Series("features", values, dtype=table.schema["features"]))


def all_are(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda table: table.with_columns(pl.lit(value).alias(column))


def without(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda table: table.drop(column)


CHANGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "infinite": lambda table: with_values(table, np.inf),
    "another value": lambda table: with_values(table, 1e-3),
    "rows of others": lambda table: table.with_columns(pl.col("features").reverse()),
    "rows twice": lambda table: pl.concat([table, table]),
    "names of others": lambda table: table.with_columns(pl.col("run").reverse()),
    **{
        f"{column} as {name}": all_are(column, value)
        for column in COLUMNS
        for name, value in {"nothing": None, "a number": 7, "a text": "x"}.items()
        if (column, name) not in (("message", "nothing"), ("content_bytes", "nothing"))
    },
    **{f"without {column}": without(column) for column in ("run", "features")},
}
"""What somebody, or a disk, may do to a part."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_part_is_refused_in_one_line(
    own: gale.Campaign, stored: Path, change: str
) -> None:
    rewrite(parts(stored)[0], CHANGES[change])
    with refused(TableError, remedy="gale.write_features"):
        gale.train(own, tiny_recipe(), features=stored)


@pytest.mark.parametrize("value", [None, "text", -1, 10**18, [], {}, True, 0.5])
def test_metadata_that_were_changed_are_refused_in_one_line(
    own: gale.Campaign, stored: Path, value: object
) -> None:
    part = parts(stored)[0]
    stated = json.loads(pl.read_parquet_metadata(part)["gale"])
    for name in stated:
        if value == stated[name]:
            continue
        rewrite(part, facts=instead({**stated, name: value}))
        with refused(TableError, remedy="gale.write_features"):
            FeatureDataset.open(stored)
    rewrite(part, facts=instead(value))
    with refused(TableError, remedy="gale.write_features"):
        FeatureDataset.open(stored)
    rewrite(part, facts=instead(stated))
    assert FeatureDataset.open(stored).runs.height == len(own)


def instead(stated: object) -> Callable[[object], object]:
    return lambda _: stated


def older(folder: Path) -> None:
    for part in parts(folder):
        table, stated = pl.read_parquet(part), json.loads(pl.read_parquet_metadata(part)["gale"])
        digests, others = stated.pop("digests"), stated | {"readers": 9}
        digests["runs"] = _digest_of_runs(table, others)
        rewrite(part, facts=instead({**others, "digests": digests}))


@pytest.mark.parametrize("damage", [cut, foreign, too_few, older, shutil.rmtree])
def test_a_damaged_dataset_is_refused_in_one_line(
    own: gale.Campaign, stored: Path, damage: Callable[[Path], object]
) -> None:
    damage(stored)
    with refused(TableError, remedy="" if damage is shutil.rmtree else "gale.write_features"):
        gale.train(own, tiny_recipe(), features=stored)


@pytest.mark.slow
def test_parts_of_two_datasets_are_not_one(
    own: gale.Campaign, stored: Path, tmp_path: Path
) -> None:
    gale.write_features(own, tmp_path / "other", tiny_recipe())
    shutil.copy(parts(tmp_path / "other")[2], parts(stored)[2])
    with refused(TableError, stored, found="another dataset"):
        FeatureDataset.open(stored)


def test_only_a_dataset_is_replaced(own: gale.Campaign, stored: Path, tmp_path: Path) -> None:
    with refused(OutputError, stored, found="exists"):
        gale.write_features(own, stored, tiny_recipe())
    gale.write_features(own.select(range(3)), stored, tiny_recipe(), force=True)
    assert pl.read_parquet(stored).height == 3
    (stored / "notes.txt").touch()
    with refused(OutputError, stored, found="notes.txt"):
        gale.write_features(own, stored, tiny_recipe(), force=True)
    with refused(OutputError, own.root):
        gale.write_features(own, own.root, tiny_recipe(), force=True)
