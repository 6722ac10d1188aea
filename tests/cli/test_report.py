"""`gale report`: pages of runs, and of a training."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

import gale.report
from gale.errors import CampaignError, ModelError, OutputError, PlotError, ReadError, TableError
from helpers.commands import error_of, invoke, succeed
from helpers.html_pages import parsed
from helpers.training import Trained


@pytest.fixture(autouse=True)
def fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def test_pages_and_an_index(stack_file: Path, runs: list[Path]) -> None:
    Path("bad.csv").write_text("time\n1\n", "utf-8")
    result = invoke(
        "report", "run", *runs[:2], "bad.csv", "--model", stack_file, "-o", "pages", "-q"
    )
    assert result.exit_code == 1
    assert result.stdout == "pages/index.html: pages of 2 runs; 1 failed\n"
    assert result.stderr.startswith("failed: bad.csv: ")
    assert names("pages") == {"index.html", *(f"{run.name}.html" for run in runs[:2])}
    index = parsed(Path("pages/index.html").read_text("utf-8"))
    links = index.xpath("//tbody//a/@href")
    assert {Path("pages", link).exists() for link in links} == {True}
    page = Path("pages", f"{runs[0].name}.html").read_text("utf-8")
    for file in (runs[0], stack_file):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in page


def test_a_campaign(stack_file: Path, campaign_folder: Path) -> None:
    words = ("report", "run", campaign_folder, "--model", stack_file, "-o", "pages", "-q")
    assert succeed(*words, "--split", "test").stderr == ""
    assert len(names("pages")) == 25


def test_the_folder(stack_file: Path, runs: list[Path]) -> None:
    words = ("report", "run", runs[0], "--model", stack_file, "-o", "pages", "-q")
    succeed(*words)
    error = error_of(*words)
    assert isinstance(error, OutputError)
    assert "pages: exists already" in str(error)
    Path("pages/old.html").write_bytes(Path("pages/index.html").read_bytes())
    succeed(*words, "--force")
    made = {"index.html", f"{runs[0].name}.html"}
    assert names("pages") == made
    for name in ("mine.txt", "notes.html", "sub.html/mine.html"):
        Path("pages", name).parent.mkdir(exist_ok=True)
        Path("pages", name).write_text("<html>mine</html>", "utf-8")
        first = name.split("/")[0]
        assert first in str(error_of(*words, "--force"))
        assert names("pages") == {*made, first}
        (shutil.rmtree if "/" in name else Path.unlink)(Path("pages", first))
    assert names(".") == {"pages"}
    for name in (".", ".."):
        error = error_of("report", "run", runs[0], "--model", stack_file, "-o", name, "--force")
        assert isinstance(error, OutputError)


def test_a_library_and_an_index_table(stack_file: Path, trained: Trained, runs: list[Path]) -> None:
    Path("one.msp").write_text("Name: the one\nNum Peaks: 2\n31 100\n45 50\n", "utf-8")
    Path("index.csv").write_text("time_min,index\n0,500\n60,3000\n", "utf-8")
    more = ("--library", "one.msp", "--index-table", "index.csv")
    succeed("report", "run", runs[0], "--model", stack_file, "-o", "pages", "-q", *more)
    page = Path("pages", f"{runs[0].name}.html").read_text("utf-8")
    assert "the 1 spectra of one.msp" in page
    assert "retention index" in page
    words = ("report", "run", runs[0], "--model", trained.path, "-o", "others", "-q")
    assert isinstance(error_of(*words, *more), ModelError)
    assert not Path("others").exists()
    succeed(*words)
    error = error_of("report", "run", runs[0], "--model", stack_file, "-o", "p", "--library", "no")
    assert isinstance(error, ReadError)


def test_a_training(stack_file: Path, campaign_folder: Path) -> None:
    for file in stack_file.parent.iterdir():
        Path(file.name).write_bytes(file.read_bytes())
    words = ("report", "training", campaign_folder, "--model", "stack.onnx")
    result = succeed(*words)
    assert result.stdout == "stack.report.html: the report of the training\n"
    assert "note: a logistic regression is trained, for the report to compare with" in result.stderr
    page = parsed(Path("stack.report.html").read_text("utf-8"))
    headings = page.xpath("//h3/text()")
    assert headings[0] == "On 24 test runs"
    assert headings[1].startswith("On 84 runs, each by members that did not train on it")
    assert "logistic regression" in page.text_content()
    assert isinstance(error_of(*words), OutputError)
    Path("stack.out_of_fold.csv").unlink()
    error = error_of(*words, "-o", "again.html")
    assert "stack.out_of_fold.csv: is not there; expected what gale train writes" in str(error)


def test_a_training_of_few_runs(runs: list[Path], recipe_file: Path) -> None:
    """Without splits: the baseline is trained in the two folds of the recipe."""
    Path("few").mkdir()
    for number in range(4):
        Path("few", f"{number}.csv").write_bytes(runs[number % 3].read_bytes())
    Path("few/labels.csv").write_text("run,alcohol\n0.csv,0\n1.csv,1\n2.csv,0\n3.csv,1\n", "utf-8")
    succeed("train", "few", "-o", "m.onnx", "--recipe", recipe_file)
    page = parsed(Path("m.report.html").read_text("utf-8"))
    assert page.xpath("//h3/text()")[0].startswith("On 4 runs, each by members")
    assert "logistic regression" in page.text_content()
    assert page.xpath("//*[name()='svg']/@aria-label")[-2:] == [
        "label correlations", "learning curves"
    ]  # fmt: skip


@pytest.fixture
def copied(stack_file: Path, campaign_folder: Path) -> Path:
    """A campaign that can be changed, beside the model and its files."""
    for file in stack_file.parent.iterdir():
        if file.suffix != ".html":
            Path(file.name).write_bytes(file.read_bytes())
    shutil.copytree(campaign_folder, "campaign")
    return Path("campaign")


def test_the_labels_are_those_of_the_training(copied: Path) -> None:
    words = ("report", "training", copied, "--model", "stack.onnx")
    error = error_of(*words, "--labels", copied / "train_labels.csv")
    assert isinstance(error, TableError)
    assert "found other labels than those that stack.onnx was trained with (84 runs" in str(error)
    table = Path("stack.out_of_fold.csv").read_text("utf-8")
    Path("stack.out_of_fold.csv").write_text(table.replace(",alcohol", ",beer"), "utf-8")
    assert "stack.out_of_fold.csv: found the columns run, status" in str(error_of(*words))
    assert not Path("stack.report.html").exists()
    for name in ("metadata.csv", "test_labels.csv"):
        before = (copied / name).read_bytes()
        error = error_of(*words, "-o", copied / name, "--force")
        assert isinstance(error, OutputError)
        assert (copied / name).read_bytes() == before


def test_other_files_of_these_names_are_told(copied: Path) -> None:
    (copied / "truth.parquet").write_text("mine", "utf-8")
    Path("stack.history.csv").write_text("a,b\n1,2\n", "utf-8")
    labels = (copied / "test_labels.csv").read_text("utf-8").splitlines()
    blank = [labels[0], *(row.split(",")[0] + "," * 9 for row in labels[1:])]
    (copied / "test_labels.csv").write_text("\n".join(blank), "utf-8")
    result = succeed("report", "training", copied, "--model", "stack.onnx")
    assert "truth.parquet: is no truth of a simulated campaign" in result.stderr
    assert "stack.history.csv: is no history of a training" in result.stderr
    page = parsed(Path("stack.report.html").read_text("utf-8"))
    assert page.xpath("//h3/text()")[0].startswith("On 84 runs"), "no test run has a label"


def test_a_page_that_cannot_be_made_stops_no_other(
    stack_file: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = gale.report.run_report

    def fail(model: gale.Model, run: gale.Run, **more: Any) -> str:
        if run.source.endswith(runs[0].name):
            raise PlotError(f"{run.source}: cannot be drawn")
        return drawn(model, run, **more)

    monkeypatch.setattr("gale.report.run_report", fail)
    result = invoke("report", "run", *runs[:2], "--model", stack_file, "-o", "pages", "-q")
    assert result.exit_code == 1
    assert "cannot be drawn" in result.stderr
    assert names("pages") == {"index.html", f"{runs[1].name}.html"}
    index = parsed(Path("pages/index.html").read_text("utf-8"))
    assert "cannot be drawn" in index.text_content()


def test_another_campaign(stack_file: Path, tmp_path: Path) -> None:
    Path("empty").mkdir()
    words = ("report", "training", "empty", "--model", stack_file, "-o", "r.html")
    assert isinstance(error_of(*words), CampaignError)
