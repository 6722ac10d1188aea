"""`gale report`: pages of runs, and of a training."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from commands import error_of, invoke, succeed
from gale.errors import CampaignError, ModelError, OutputError, ReadError
from html_pages import parsed
from training import Trained


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
    Path("pages/old.html").touch()
    succeed(*words, "--force")
    assert names("pages") == {"index.html", f"{runs[0].name}.html"}
    Path("pages/mine.txt").touch()
    assert "mine.txt" in str(error_of(*words, "--force"))
    assert names("pages") == {"index.html", f"{runs[0].name}.html", "mine.txt"}
    assert names(".") == {"pages"}


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


def test_a_training_of_few_runs_has_no_baseline(runs: list[Path], recipe_file: Path) -> None:
    """Enough for the two folds of the recipe, and not for the five of the logistic regression."""
    Path("few").mkdir()
    for number in range(4):
        Path("few", f"{number}.csv").write_bytes(runs[number % 3].read_bytes())
    Path("few/labels.csv").write_text("run,alcohol\n0.csv,0\n1.csv,1\n2.csv,0\n3.csv,1\n", "utf-8")
    result = succeed("train", "few", "-o", "m.onnx", "--recipe", recipe_file)
    assert "note: the report has no logistic regression beside it: few: " in result.stderr
    page = parsed(Path("m.report.html").read_text("utf-8"))
    assert "logistic regression" not in page.text_content()
    assert page.xpath("//*[name()='svg']/@aria-label")[-2:] == [
        "label correlations", "learning curves"
    ]  # fmt: skip


def test_another_campaign(stack_file: Path, tmp_path: Path) -> None:
    Path("empty").mkdir()
    words = ("report", "training", "empty", "--model", stack_file, "-o", "r.html")
    assert isinstance(error_of(*words), CampaignError)
