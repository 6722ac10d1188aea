"""Bad tables, models, disks, and odd tables that are legitimate, through the commands."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import CampaignError, ModelError, OutputError, TableError, TrainingError
from helpers.commands import error_of, invoke, succeed
from helpers.model_files import facts_of, restated
from helpers.training import Exported, Trained

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@pytest.fixture
def good(campaign_folder: Path) -> list[Path]:
    return sorted((campaign_folder / "test_features").iterdir())[:3]


@pytest.fixture
def labels(campaign_folder: Path, tmp_path: Path) -> Path:
    """The labels of train and val as one table."""
    tables = [pl.read_csv(campaign_folder / f"{split}_labels.csv") for split in ("train", "val")]
    pl.concat(tables).write_csv(tmp_path / "labels.csv")
    return tmp_path / "labels.csv"


def train_arguments(campaign_folder: Path, recipe_file: Path, labels: Path) -> list[object]:
    output = labels.with_name("model.onnx")
    words = ["train", campaign_folder, "-o", output, "--recipe", recipe_file, "--labels", labels]
    return [*words, "--no-report"]


def as_spreadsheet(source: Path, target: Path, form: str) -> None:
    text = source.read_text("utf-8")
    changed = BOM + text if form == "byte order mark" else text.replace("\n", "\r\n")
    target.write_bytes(changed.encode())


@pytest.mark.slow
@pytest.mark.parametrize("form", ["byte order mark", "Windows line ends"])
def test_label_tables_as_spreadsheets_write_them(
    form: str, labels: Path, campaign_folder: Path, recipe_file: Path, exported: Exported,
    good: list[Path], trained: Trained,
) -> None:  # fmt: skip
    as_spreadsheet(labels, labels, form)
    succeed(*train_arguments(campaign_folder, recipe_file, labels))
    model = gale.Model.load(labels.with_name("model.onnx"))
    assert model.facts["training"]["positive"] == trained.model.facts["training"]["positive"]
    assert model.families == trained.model.families

    scored = labels.with_name("p.csv")
    succeed("predict", campaign_folder, "--split", "val", "--model", trained.path, "-o", scored)
    same, odd = labels.with_name("same.csv"), labels.with_name("val.csv")
    shutil.copy(campaign_folder / "val_labels.csv", same)
    as_spreadsheet(same, odd, form)
    plain, output = (succeed("evaluate", scored, "--labels", each).output for each in (same, odd))
    assert output == plain.replace(str(same), str(odd))


@pytest.mark.parametrize("value", [0, 1])
def test_a_family_of_one_kind_only(
    value: int, labels: Path, campaign_folder: Path, recipe_file: Path
) -> None:
    table = pl.read_csv(labels).with_columns(alcohol=pl.lit(value))
    table.write_csv(labels)
    error = error_of(*train_arguments(campaign_folder, recipe_file, labels))
    assert isinstance(error, CampaignError)
    positive, negative = (84, 0) if value else (0, 84)
    assert str(error).startswith(f"{campaign_folder}: column alcohol: ")
    assert f" {positive} positive, {negative} negative" in str(error)
    assert not labels.with_name("model.onnx").exists()


def test_a_label_that_is_no_label(labels: Path, campaign_folder: Path, recipe_file: Path) -> None:
    labels.write_text(labels.read_text("utf-8").replace(",1", ",yes", 1), "utf-8")
    error = error_of(*train_arguments(campaign_folder, recipe_file, labels))
    assert isinstance(error, CampaignError)
    assert re.match(rf"{re.escape(str(labels))}: row \d+, column \w+: ", str(error))
    assert "'yes'" in str(error)
    assert "0, 1 or blank" in str(error)
    predicted = labels.with_name("p.csv")
    predicted.write_text("sample_id,alcohol\nS0000,0.5\n", "utf-8")
    assert isinstance(error_of("evaluate", predicted, "--labels", labels), TableError)


def test_fewer_runs_than_folds(
    labels: Path, campaign_folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many.toml"
    many.write_text(recipe_file.read_text("utf-8").replace("count = 2", "count = 85"), "utf-8")
    error = error_of(*train_arguments(campaign_folder, many, labels))
    assert isinstance(error, TrainingError)
    assert str(error).startswith("folds.count: is 85")
    assert " 84 labelled runs" in str(error)


@pytest.mark.parametrize(
    ("spoil", "facts"),
    [
        (
            lambda data: restated(data, {**facts_of(data), "format": 2}),
            ("format 2", "format 1", "install"),
        ),
        (lambda data: restated(data, None), ("is an ONNX file", "gale")),
        (lambda data: data[: len(data) // 2], ("ONNX", "damaged")),
        (lambda _: b"", ("ONNX", "0 bytes")),
        (lambda _: b"a,b\n1,2\n", ("ONNX", "8 bytes")),
    ],
)
def test_a_file_that_is_not_a_model(
    spoil: Callable[[bytes], bytes], facts: tuple[str, ...], trained: Trained, good: list[Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    path = tmp_path / "other.onnx"
    path.write_bytes(spoil(trained.path.read_bytes()))
    for arguments in (
        ("inspect", path),
        ("predict", good[0], "--model", path, "-o", tmp_path / "p.csv"),
    ):
        error = error_of(*arguments)
        assert isinstance(error, ModelError)
        assert str(error).startswith(f"{path}: ")
        assert all(fact in str(error) for fact in facts)
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_given_as_a_run_and_a_run_as_a_model(
    trained: Trained, good: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "p.csv"
    result = invoke("predict", trained.path, "--model", trained.path, "-o", output)
    assert result.exit_code == 1
    message = pl.read_csv(output)["message"][0]
    assert message.startswith(f"{trained.path}: ")
    assert "ONNX" in message
    assert "CSV" in message
    error = error_of("predict", good[0], "--model", good[1], "-o", tmp_path / "q.csv")
    assert isinstance(error, ModelError)


@pytest.fixture
def writers(
    labels: Path, campaign_folder: Path, recipe_file: Path, trained: Trained, good: list[Path]
) -> dict[str, list[object]]:
    """Commands that write, by the first file that they write into the folder of `labels`."""
    folder, run = labels.parent, good[0]
    submission, val = campaign_folder / "submission_format.csv", campaign_folder / "val_labels.csv"
    return {
        "model.history.csv": train_arguments(campaign_folder, recipe_file, labels),
        "p.csv": ["predict", run, "--no-cache", "--model", trained.path, "-o", folder / "p.csv"],
        "s.json": ["evaluate", submission, "--labels", val, "--json", folder / "s.json"],
    }


WRITTEN = ["model.history.csv", "p.csv", "s.json"]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_full_disk_leaves_nothing_half_written(
    name: str, writers: dict[str, list[object]], labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    def without_links(path: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(Path, "hardlink_to", without_links)
    output = labels.with_name(name)
    error = error_of(*writers[name])
    assert isinstance(error, OutputError)
    assert str(error).startswith(f"{output}: ")
    assert "No space left on device" in str(error)
    left = {path.name for path in labels.parent.iterdir()}
    finished = {"model.onnx", "model.out_of_fold.csv"} if name == "model.history.csv" else set()
    kept = {"model.onnx.partial", "p.csv.partial"}  # what --resume goes on with
    assert left - kept == {"labels.csv"} | finished  # the model is never lost


@pytest.mark.parametrize("name", WRITTEN)
def test_an_output_that_exists(name: str, writers: dict[str, list[object]], labels: Path) -> None:
    output = labels.with_name(name)
    output.write_text("precious", "utf-8")
    error = error_of(*writers[name])
    assert isinstance(error, OutputError)
    assert str(error).startswith(f"{output}: ")
    assert "exists" in str(error)
    assert "force" in str(error)
    assert output.read_text("utf-8") == "precious"
    assert {path.name for path in labels.parent.iterdir()} == {"labels.csv", name}
