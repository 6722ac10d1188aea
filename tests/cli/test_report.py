"""`gale report`: its options reach the library, and what it prints."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gale.errors import CampaignError, ModelError, OutputError, ReadError, TableError
from gale.plumbing.batches import Partial
from gale.report.folder import PageMaker
from helpers.commands import error_of, invoke, printed_failures, succeed
from helpers.errors import check_error
from helpers.html_pages import parsed
from helpers.training import Trained


@pytest.fixture(autouse=True)
def fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


@pytest.mark.slow
def test_pages_and_an_index(trained: Trained, runs: list[Path]) -> None:
    Path("bad.csv").write_text("time\n1\n", "utf-8")
    result = invoke(
        "report", "run", *runs[:2], "bad.csv", "--model", trained.path, "-o", "pages", "-q"
    )
    assert result.exit_code == 1
    assert result.stdout == "pages/index.html: pages of 2 runs, 1 failed\n"
    assert list(printed_failures(result.stderr)) == ["bad.csv"]
    assert names("pages") == {"index.html", *(f"{run.name}.html" for run in runs[:2])}


@pytest.mark.slow
def test_a_campaign(trained: Trained, runs: list[Path]) -> None:
    """Of which only the runs of one split are asked for."""
    rows = ["sample_id,split,derivatized,features_path,features_md5_hash"]
    for number, run in enumerate(runs):
        split = "train" if number == 0 else "test"
        path = Path("campaign", f"{split}_features", run.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(run, path)
        rows.append(f"{run.stem},{split},,{split}_features/{run.name},")
    Path("campaign/metadata.csv").write_text("\n".join(rows), "utf-8")
    words = ("report", "run", "campaign", "--model", trained.path, "-o", "pages", "-q")
    assert succeed(*words, "--split", "test").stderr == ""
    assert names("pages") == {"index.html", *(f"{run.stem}.html" for run in runs[1:])}


@pytest.mark.slow
def test_the_folder(trained: Trained, runs: list[Path]) -> None:
    words = ("report", "run", runs[0], "--model", trained.path, "-q")
    succeed(*words, "-o", "pages")
    check_error(error_of(*words, "-o", "pages"), "pages", kind=OutputError)
    succeed(*words, "-o", "pages", "--force")
    for name in (".", ".."):
        check_error(error_of(*words, "-o", name, "--force"), kind=OutputError)


@pytest.mark.slow
def test_a_library_and_an_index_table(stack_file: Path, trained: Trained, runs: list[Path]) -> None:
    text = "Name: the one\nNum Peaks: 2\n31 100\n45 50\n"
    Path("one.msp").write_text(text + "Name: other\nNum Peaks: 1\n", "utf-8")
    Path("index.csv").write_text("time_min,index\n0,500\n60,3000\n", "utf-8")
    more = ("--library", "one.msp", "--index-table", "index.csv")
    done = succeed("report", "run", runs[0], "--model", stack_file, "-o", "pages", "-q", *more)
    assert "one.msp: 1 of 2 records is left out: 1 (no peaks)" in done.stderr
    page = Path("pages", f"{runs[0].name}.html").read_text("utf-8")
    assert "the 1 spectrum of one.msp" in page
    assert "retention index" in page
    words = ("report", "run", runs[0], "--model", trained.path, "-o", "others", "-q")
    check_error(error_of(*words, *more), str(trained.path), kind=ModelError)
    assert not Path("others").exists()
    error = error_of("report", "run", runs[0], "--model", stack_file, "-o", "p", "--library", "no")
    check_error(error, "no", kind=ReadError)


@pytest.fixture
def copied(stack_file: Path, campaign_folder: Path) -> Path:
    """A campaign that can be changed, beside the model and its files."""
    for file in stack_file.parent.iterdir():
        shutil.copy(file, file.name)
    shutil.copytree(campaign_folder, "campaign")
    return Path("campaign")


@pytest.mark.slow
@pytest.mark.usefixtures("few_listed")
def test_a_training(copied: Path) -> None:
    words = ("report", "training", copied, "--model", "stack.onnx")
    result = succeed(*words)
    assert result.stdout.startswith("stack.report.html: ")
    assert "note: " in result.stderr
    page = parsed(Path("stack.report.html").read_text("utf-8"))
    assert page.xpath("//h3/text()")[0] == "On 24 test runs"
    check_error(error_of(*words), "stack.report.html", kind=OutputError)
    succeed(*words, "-o", "other.html", "-q")
    other = parsed(Path("other.html").read_text("utf-8"))
    assert other.xpath("//td/text()") == page.xpath("//td/text()")


def test_the_labels_are_those_of_the_training(copied: Path) -> None:
    words = ("report", "training", copied, "--model", "stack.onnx")
    error = error_of(*words, "--labels", copied / "train_labels.csv")
    check_error(error, copied, found=("stack.onnx", "84 runs"), kind=TableError)
    assert not Path("stack.report.html").exists()


def test_an_input_is_never_overwritten(copied: Path) -> None:
    words = ("report", "training", copied, "--model", "stack.onnx", "--force")
    for name in (copied / "metadata.csv", copied / "test_labels.csv", "stack.history.csv"):
        before = Path(name).read_bytes()
        check_error(error_of(*words, "-o", name), name, kind=OutputError)
        assert Path(name).read_bytes() == before


def test_another_campaign(stack_file: Path) -> None:
    Path("empty").mkdir()
    words = ("report", "training", "empty", "--model", stack_file, "-o", "r.html")
    check_error(error_of(*words), "empty", kind=CampaignError)


@pytest.mark.slow
def test_many_interrupted_and_resumed(
    trained: Trained, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gale.cli.report_run.RUNS", 2)
    del runs[2:]
    for folder in ("a", "b"):
        Path(folder).mkdir()
        for run in runs:
            shutil.copy(run, folder)
    listed = [*(f"{folder}/{run.name}" for folder in ("a", "b") for run in runs), "bad.csv"]
    words = ["report", "run", *listed, "--model", trained.path, "-q", "-o"]
    assert invoke(*words, "whole").exit_code == 1
    page, calls = PageMaker.page, []

    def interrupted(self: PageMaker, *given: Any) -> str:
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return page(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(PageMaker, "page", interrupted)
        result = invoke(*words, "pages")
    assert result.exit_code == 130
    assert "kept in pages.partial" in result.stderr
    begun = Partial(Path("pages"), {}, "").begun
    kept = {each.name: each.stat().st_mtime_ns for each in Path("pages.partial/made").iterdir()}
    assert len(kept) == 3
    check_error(error_of(*words, "pages"), "pages.partial", remedy="resume=True")
    result = invoke(*words, "pages", "--resume", "--allow-failed")
    assert result.exit_code == 0
    assert list(printed_failures(result.stderr)) == ["bad.csv"]
    assert names("pages") == names("whole")
    assert {Path(f"{run.name}-2.html").name for run in runs} < names("pages")
    since = [name for name, at in kept.items() if Path("pages", name).stat().st_mtime_ns == at]
    assert since
    for name in names("pages"):
        text = Path("pages", name).read_text("utf-8")
        assert f"on {begun}" in text
        other = Path("whole", name).read_text("utf-8")
        assert re.sub(r"on 20[^<]*", "", text) == re.sub(r"on 20[^<]*", "", other)
    assert not Path("pages.partial").exists()
