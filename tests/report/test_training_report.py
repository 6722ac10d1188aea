"""The report of a training: it needs the files beside the model, and the labels of the training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import GaleWarning, ModelError, TableError
from gale.plumbing.work import Work
from gale.report import TrainingFiles
from gale.report.training import baseline_recipe, training_report
from gale.report.training_files import read_predicted, read_truth
from helpers.errors import refused
from helpers.html_pages import parsed
from helpers.model_files import facts_of, restated
from helpers.training import Recorder, tiny_recipe

pytestmark = pytest.mark.slow


@pytest.fixture
def files(stack_file: Path, tmp_path: Path) -> TrainingFiles:
    """The files of a training that may be changed."""
    for file in stack_file.parent.iterdir():
        shutil.copy(file, tmp_path)
    return TrainingFiles.of(tmp_path / "stack.onnx")


@pytest.fixture
def copied(campaign_folder: Path, tmp_path: Path) -> Path:
    """A campaign that may be changed."""
    return Path(shutil.copytree(campaign_folder, tmp_path / "campaign"))


def test_files_are_named_after_the_model() -> None:
    files = TrainingFiles.of("a/b.onnx")
    assert (files.model, files.report) == (Path("a/b.onnx"), Path("a/b.report.html"))
    assert TrainingFiles.of("a/b.model").history == Path("a/b.model.history.csv")


@pytest.mark.usefixtures("few_listed")
def test_what_it_compares(stack_file: Path, campaign: gale.Campaign) -> None:
    recorder = Recorder()
    page = parsed(training_report(campaign, stack_file, work=Work(progress=recorder)))
    on_test, on_known = page.xpath("//h3/text()")[:2]
    assert "24 test runs" in on_test
    assert "84 runs, each by members that did not train on it" in on_known
    assert "logistic regression" in page.text_content()
    assert len(recorder.notes) == 1
    assert recorder.steps["making the report"] == 1


@pytest.mark.parametrize("name", ["default", "quick", "published", "logistic"])
def test_the_baseline_has_the_folds_of_every_recipe(name: str) -> None:
    folds = gale.Recipe.load(name).to_dict()["folds"]
    made = baseline_recipe(folds, name).to_dict()
    assert made["kind"] == "logistic"
    own = {key: value for key, value in made["folds"].items() if key != "elsewhere"}
    assert own == {key: value for key, value in folds.items() if key != "elsewhere"}


def test_a_training_of_few_runs(runs: list[Path], tmp_path: Path) -> None:
    """Without splits: the baseline is trained in the two folds of the recipe."""
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(4):
        rows = runs[number % 3].read_text("utf-8").splitlines(keepends=True)
        (folder / f"{number}.csv").write_text("".join(rows[: len(rows) - number]), "utf-8")
    labels = "run,alcohol\n0.csv,0\n1.csv,1\n2.csv,0\n3.csv,1\n"
    (folder / "labels.csv").write_text(labels, "utf-8")
    campaign, files = gale.Campaign.open(folder), TrainingFiles.of(tmp_path / "m.onnx")
    with pytest.warns(GaleWarning, match="only 4 labelled runs"):
        model = gale.train(
            campaign, tiny_recipe(), history=files.history, out_of_fold=files.out_of_fold
        )
    model.save(files.model)
    with pytest.warns(GaleWarning) as told:
        page = parsed(training_report(campaign, files))
    said = [str(each.message) for each in told]
    assert any("logistic regression" in each for each in said)
    assert any("only 4 labelled runs" in each for each in said), "the baseline learns from these"
    assert page.xpath("//h3/text()")[0].startswith("On 4 runs, each by members")
    assert "logistic regression" in page.text_content()
    charts = page.xpath("//*[name()='svg']/@aria-label")
    assert charts[-2:] == ["label correlations", "learning curves"]


def test_the_labels_are_those_of_the_training(files: TrainingFiles, copied: Path) -> None:
    campaign = gale.Campaign.open(copied, labels=copied / "train_labels.csv")
    with refused(TableError, copied, found=("84 runs", str(files.model)), remedy="labels=..."):
        training_report(campaign, files)


def test_labels_that_were_given_to_other_runs_are_refused(
    files: TrainingFiles, campaign: gale.Campaign
) -> None:
    """As many runs of each family: permuted among the runs of a split, only names tell them."""
    labels, rows = campaign.labels.copy(), np.flatnonzero(np.array(campaign.split) == "train")
    labels[rows] = labels[np.roll(rows, 1)]
    with refused(TableError, campaign.root, found="84 runs", remedy="labels=..."):
        training_report(replace(campaign, labels=labels), files)


def test_labels_in_another_order_are_the_same(campaign: gale.Campaign) -> None:
    reversed_ = campaign.select(range(len(campaign))[::-1])
    others = replace(reversed_, families=campaign.families[::-1], labels=reversed_.labels[:, ::-1])
    assert others.labels_fingerprint() == campaign.labels_fingerprint()
    flipped = campaign.labels.copy()
    flipped[0, 0] = np.nan
    assert replace(campaign, labels=flipped).labels_fingerprint() != campaign.labels_fingerprint()


@pytest.mark.parametrize("which", ["history", "out_of_fold"])
def test_files_of_another_training_are_refused(
    files: TrainingFiles, campaign: gale.Campaign, which: str
) -> None:
    file: Path = getattr(files, which)
    text = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([text[0], *text[2:], text[1], ""]), "utf-8")
    with refused(TableError, file, found=str(files.model), remedy=["put it back", "train"]):
        training_report(campaign, files)


@pytest.fixture
def older(files: TrainingFiles) -> TrainingFiles:
    """The files of a training by a version of gale whose models name neither files nor labels."""
    data = files.model.read_bytes()
    facts = facts_of(data)
    del facts["files"], facts["training"]["labels"]
    files.model.write_bytes(restated(data, facts))
    return files


def test_predictions_that_are_missing_or_others(
    older: TrainingFiles, campaign: gale.Campaign
) -> None:
    files, recorder = older, Recorder()
    table = files.out_of_fold.read_text("utf-8")
    files.out_of_fold.write_text(table.replace(",alcohol", ",beer"), "utf-8")
    for found, expected in (("beer", "alcohol"), ("not exist", "held-out")):
        with refused(TableError, files.out_of_fold, found=found, expected=expected):
            training_report(campaign, files, work=Work(progress=recorder))
        files.out_of_fold.unlink(missing_ok=True)
    assert all("older gale" in note for note in recorder.notes)
    assert len(recorder.notes) == 2


DAMAGED = {
    "half": lambda data: data[: len(data) // 2] + b'"',
    "bytes": lambda data: data[:200] + b"\xff\xfe" + data[200:],
    "nothing": lambda _: b"",
    "binary": lambda _: bytes(range(256)),
    "words": lambda data: data.replace(b"0.", b"a."),
    "too large": lambda data: data.replace(b"0.", b"7."),
    "below 0": lambda data: data.replace(b",0.", b",-0."),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_damaged_predictions(older: TrainingFiles, damage: Callable[[bytes], bytes]) -> None:
    file, model = older.out_of_fold, gale.Model.load(older.model)
    assert older.read_out_of_fold(model).height
    file.write_bytes(damage(file.read_bytes()))
    with refused(TableError, file, remedy="train"):
        older.read_out_of_fold(model)


@pytest.mark.parametrize("damage", [*DAMAGED.values()][:5], ids=[*DAMAGED][:5])
def test_a_damaged_history_is_noted(older: TrainingFiles, damage: Callable[[bytes], bytes]) -> None:
    file, model, recorder = older.history, gale.Model.load(older.model), Recorder()
    assert older.read_history(model, recorder) is not None
    file.write_bytes(damage(file.read_bytes()))
    assert older.read_history(model, recorder) is None
    assert len(recorder.notes) == 1


def test_a_regression_has_no_epochs(older: TrainingFiles) -> None:
    model, recorder = gale.Model.load(older.model), Recorder()
    older.history.write_bytes(older.history.read_bytes().split(b"\n")[0] + b"\n")
    assert older.read_history(model, recorder) is None
    assert not recorder.notes


def test_truth_of_other_types_is_noted(tmp_path: Path) -> None:
    recorder = Recorder()
    for column in ("run", "families", "role", "abundance"):
        table = pl.DataFrame({"run": ["a"], "families": [["b"]], "role": ["c"], "abundance": [1.0]})
        table.write_parquet(tmp_path / "truth.parquet")
        assert read_truth(tmp_path, recorder) is not None
        table.with_columns(pl.Series(column, [1])).write_parquet(tmp_path / "truth.parquet")
        assert read_truth(tmp_path, recorder) is None
    assert len(recorder.notes) == 4


def test_names_of_families_with_quotes(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"run": ["a", "b"], "status": ["ok"] * 2, "message": [None, "x"], 'al"co,hol': [0.5, 1.0]},
    )
    table.write_csv(tmp_path / "a.csv")
    assert read_predicted(tmp_path / "a.csv").equals(table)


def test_a_file_that_is_no_model(files: TrainingFiles, campaign: gale.Campaign) -> None:
    with refused(ModelError, files.history):
        training_report(campaign, replace(files, model=files.history))


@pytest.mark.usefixtures("few_listed")
def test_other_files_of_these_names_are_noted(older: TrainingFiles, copied: Path) -> None:
    files = older
    (copied / "truth.parquet").write_text("mine", "utf-8")
    files.history.write_text("a,b\n1,2\n", "utf-8")
    labels = (copied / "test_labels.csv").read_text("utf-8").splitlines()
    blank = [labels[0], *(row.split(",")[0] + "," * 9 for row in labels[1:])]
    (copied / "test_labels.csv").write_text("\n".join(blank), "utf-8")
    recorder = Recorder()
    campaign = gale.Campaign.open(copied)
    page = parsed(training_report(campaign, files, work=Work(progress=recorder)))
    for file in (copied / "truth.parquet", files.history):
        assert any(note.startswith(f"{file}: ") for note in recorder.notes)
    assert page.xpath("//h3/text()")[0].startswith("On 84 runs"), "no test run has a label"
