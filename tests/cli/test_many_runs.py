"""`gale predict` of many runs: lists, shards, interruptions, none of which changes the result."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from polars.testing import assert_frame_equal

import gale
from gale.cli import predictions
from gale.errors import OutputError, ReadError
from gale.plumbing.progress import Progress
from helpers.commands import error_of, invoke, printed_failures, succeed
from helpers.errors import check_error
from helpers.shared import made_once
from helpers.training import Trained

Arguments = Callable[..., list[object]]

PARTIAL = Path("p.csv.partial")


def sixty(campaign: gale.Campaign) -> list[str]:
    """Make sixty runs in this folder, two of which cannot be read."""
    runs = campaign.of_split("test").paths[:3]
    names = [f"run{number:02}.csv" for number in range(60)]
    for number, name in enumerate(names):
        shutil.copy(runs[number % 3], name)
    Path("run07.csv").write_text("")
    Path("run41.csv").unlink()
    return names


@pytest.fixture
def many(predict: Arguments, campaign: gale.Campaign) -> list[str]:
    """Names of sixty runs in this folder."""
    return sixty(campaign)


@pytest.fixture(scope="module")
def predicted(
    campaign: gale.Campaign, trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the table of all of them, made without an interruption."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            words = ("predict", "--model", trained.path, "-o", "whole.csv", "-q")
            assert invoke(*words, *sixty(campaign)).exit_code == 1

    return made_once(tmp_path_factory, "sixty", make)


@pytest.fixture
def whole(many: list[str], predicted: Path) -> bytes:
    """The table of all runs of this folder, which is here as well."""
    for file in predicted.glob("whole.*"):
        shutil.copy(file, file.name)
    return Path("whole.csv").read_bytes()


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Press Ctrl-C at a step of progress."""

    class Pressed(Progress):
        def __init__(self, *, quiet: bool = False) -> None:
            self.done = 0

        def step(self, text: str = "") -> None:
            self.done += 1
            if self.done == step:
                raise KeyboardInterrupt

    monkeypatch.setattr("gale.cli.progress.ConsoleProgress", Pressed)


def sidecar_of(path: str) -> dict[str, object]:
    facts: dict[str, object] = json.loads(Path(path).read_text("utf-8"))
    del facts["created"], facts["table_sha256"]
    return facts


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 30, 60])
def test_ctrl_c_and_resume(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, step)
        result = invoke(*predict(*many, "--no-cache"))
    assert result.exit_code == 130
    assert "interrupted; " in result.stderr
    assert not Path("p.csv").exists()
    assert PARTIAL.exists() == ("--resume" in result.stderr) == (step > 1)
    if step > 1:
        error = error_of(*predict(*many))
        check_error(error, PARTIAL, found="interrupted prediction", remedy="resume=True")
    resumed = invoke(*predict(*many, "--resume"))
    assert resumed.exit_code == 1
    assert list(printed_failures(resumed.stderr)) == ["run07.csv", "run41.csv"]
    assert Path("p.csv").read_bytes() == whole
    assert sidecar_of("p.json") == sidecar_of("whole.json")
    assert not PARTIAL.exists()


@pytest.mark.slow
@pytest.mark.parametrize("at", ["write_tables", "write_sidecar"])
def test_ctrl_c_between_two_outputs(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    words = predict(*many, "--evidence", "why.csv")
    with monkeypatch.context() as patch:
        patch.setattr(predictions, at, Mock(side_effect=KeyboardInterrupt))
        assert invoke(*words).exit_code == 130
    assert Path("why.csv").exists()
    assert Path("p.csv").exists() == (at == "write_sidecar")
    Path("mine.csv").write_text("of somebody else")
    error = error_of(*predict(*many, "--evidence", "mine.csv", "--resume"))
    check_error(error, found="exists already", kind=OutputError)
    assert Path("mine.csv").read_text() == "of somebody else"
    assert invoke(*words, "--resume").exit_code == 1
    assert Path("p.csv").read_bytes() == whole
    assert not PARTIAL.exists()
    check_error(error_of(*words, "--resume"), "p.csv", found="exists already", kind=OutputError)


@pytest.mark.slow
def test_a_disk_that_fills_in_the_middle(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Path.write_bytes, []

    def fill(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill)
        error = error_of(*predict(*many, "--no-cache"))
    check_error(error, "p.csv", found="No space left", remedy="--resume", kind=OutputError)
    assert not Path("p.csv").exists()
    assert invoke(*predict(*many, "--resume")).exit_code == 1
    assert Path("p.csv").read_bytes() == whole


def test_what_is_kept_in_the_folder_of_runs_is_no_run(
    predict: Arguments, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder").mkdir()
    for number in range(40):
        shutil.copy(runs[number % 3], f"folder/run{number:02}.csv")
    Path("folder/other.partial").mkdir()
    shutil.copy(runs[0], "folder/other.partial/run.csv")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 39)
        assert invoke(*predict("folder", "-o", "folder/p.csv")).exit_code == 130
    assert list(Path("folder/p.csv.partial").glob("*.part"))
    succeed(*predict("folder", "-o", "folder/p.csv", "--resume"))
    found = pl.read_csv("folder/p.csv")["run"].to_list()
    assert found == ["other.partial/run.csv", *(f"run{number:02}.csv" for number in range(40))]


@pytest.mark.slow
def test_what_is_interrupted_is_discarded_with_force(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 30)
        assert invoke(*predict(*many)).exit_code == 130
    assert invoke(*predict(*many, "--force")).exit_code == 1
    assert Path("p.csv").read_bytes() == whole
    assert not PARTIAL.exists()


def test_resumed_with_something_else(
    predict: Arguments, many: list[str], trained: Trained, stack_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        interrupt_at(patch, 30)
        assert invoke(*predict(*many)).exit_code == 130
    for more, found in (
        (["--model", stack_file], "model ("),
        (["--column", "time_min=RT"], "column ("),
        (["--evidence", "e.csv"], "evidence ('no', not 'yes')"),
    ):
        error = error_of(*predict(*many, "--resume", *more))
        check_error(error, PARTIAL, found=found, remedy="restart=True", kind=OutputError)
    # what only the end depends on may be another one
    assert invoke(*predict(*many, "--resume", "--at", "f1")).exit_code == 1
    assert "alcohol_call" in pl.read_csv("p.csv").columns


@pytest.mark.slow
def test_a_run_that_changed_meanwhile_is_predicted_again(
    predict: Arguments, many: list[str], runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 50)
        assert invoke(*predict(*many)).exit_code == 130
    shutil.copy(runs[0], "run07.csv")
    shutil.copy(runs[2], "run03.csv")
    shutil.copy(runs[1], "run41.csv")
    succeed(*predict(*many, "--resume"))
    succeed(*predict(*many, "-o", "fresh.csv"))
    assert Path("p.csv").read_bytes() == Path("fresh.csv").read_bytes()


def test_a_list_of_files(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("list.txt").write_bytes("\r\n".join(many[3:]).encode() + b"\n\n")
    assert invoke(*predict(*many[:3], "--files-from", "list.txt")).exit_code == 1
    assert Path("p.csv").read_bytes() == whole
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(many).encode())))
    from gale.cli.listing import STANDARD_INPUT, listed_paths

    assert list(listed_paths((), STANDARD_INPUT)) == many


@pytest.mark.parametrize(
    ("text", "source", "found"),
    [
        ("a.csv\nb.csv\n./a.csv\n", "list.txt: line 3", "line 1"),
        ("x.csv\nrun00.csv\n", "list.txt: line 2", "arguments"),
        ("", "list.txt", "no file"),
        ("a.csv\nb\0.csv\n", "list.txt", "line 2"),
        (None, "list.txt", "No such file"),
    ],
)
def test_lists_that_are_refused(
    predict: Arguments, text: str | None, source: str, found: str
) -> None:
    if text is not None:
        Path("list.txt").write_text(text)
    arguments = ["run00.csv"] if found == "arguments" else []
    error = error_of(*predict(*arguments, "--files-from", "list.txt"))
    check_error(error, source, found=found, kind=ReadError)
    assert {path.name for path in Path().iterdir()} <= {"list.txt"}


def test_patterns_that_the_shell_left(predict: Arguments, many: list[str], whole: bytes) -> None:
    many.remove("run41.csv")
    shutil.copy("run00.csv", "a[1].csv")
    assert invoke(*predict("run*.csv", "a[1].csv")).exit_code == 1
    assert pl.read_csv("p.csv")["run"].to_list() == [*many, "a[1].csv"]
    error = error_of(*predict("x*.csv", "--force"))
    check_error(error, "x*.csv", found="no file", kind=ReadError)


@pytest.mark.slow
def test_shards(predict: Arguments, many: list[str], whole: bytes, campaign_folder: Path) -> None:
    parts = []
    for number in range(1, 6):
        arguments = reversed(many) if number % 2 else many
        shard = predict(*arguments, "--shard", f"{number}/5", "-o", f"{number}.csv")
        assert invoke(*shard, "--allow-failed").exit_code == 0
        parts.append(pl.read_csv(f"{number}.csv"))
    rows = pl.concat(parts).sort("run")
    assert_frame_equal(rows, pl.read_csv("whole.csv"), check_exact=True)
    assert all(0 < len(part) < 30 for part in parts)
    for number in (1, 2):
        succeed(*predict(campaign_folder, "--shard", f"{number}/2", "-o", f"half{number}.csv"))
    halves = [pl.read_csv(f"half{number}.csv")["run"].to_list() for number in (1, 2)]
    assert sorted(halves[0] + halves[1]) == [f"S{number:04}" for number in range(108)]


def test_a_shard_without_runs_has_an_empty_table(predict: Arguments, runs: list[Path]) -> None:
    shutil.copy(runs[0], "run.csv")
    sizes = []
    for number in (1, 2, 3):
        succeed(*predict("run.csv", "--shard", f"{number}/3", "--force"))
        table = pl.read_csv("p.csv")
        assert "alcohol_spread" in table.columns
        sizes.append(len(table))
    assert sorted(sizes) == [0, 0, 1]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "-1/3", "1/3/5"])
def test_shards_out_of_range(predict: Arguments, shard: str) -> None:
    result = invoke(*predict("run.csv", "--shard", shard))
    assert result.exit_code == 2
    assert "K from 1 to N" in " ".join(result.stderr.split())


def test_contradicting_sources(predict: Arguments, campaign_folder: Path) -> None:
    Path("list.txt").write_text("run.csv\n")
    for arguments in (
        [campaign_folder, "--files-from", "list.txt"],
        [campaign_folder, "--submission", "--shard", "1/2"],
        ["--split", "test", "--files-from", "list.txt"],
    ):
        assert invoke(*predict(*arguments)).exit_code == 2


def test_failed_runs_that_are_allowed(predict: Arguments, many: list[str], whole: bytes) -> None:
    result = succeed(*predict(*many, "--allow-failed"))
    assert "2 of 60 runs failed, which is allowed" in result.stderr
    assert len(printed_failures(result.stderr)) == 2
    assert Path("p.csv").read_bytes() == whole


def test_a_run_that_is_written_meanwhile_fails(
    predict: Arguments, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(runs[0], "growing.csv")
    status, calls = os.fstat, []

    def grow(descriptor: int) -> os.stat_result:
        calls.append(descriptor)
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "growing.csv" and len(calls) > 1:
            with Path("growing.csv").open("a") as file:
                file.write("9,9,9\n")
        return status(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs the names of open files")
    monkeypatch.setattr(os, "fstat", grow)
    result = invoke(*predict("growing.csv", runs[1], "--no-cache"))
    assert result.exit_code == 1
    assert "changed while it was read" in printed_failures(result.stderr)["growing.csv"]
    assert pl.read_csv("p.csv")["status"].to_list()[0] == "failed"


@pytest.mark.slow
def test_a_dataset(
    predict: Arguments, many: list[str], whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gale.plumbing.frames.ROWS", 25)
    monkeypatch.setattr("gale.plumbing.frames.pieces_of.__defaults__", (25,))
    arguments = predict(*many, "-o", "out/", "--evidence", "evidence/", "-q")
    assert invoke(*arguments).exit_code == 1
    assert sorted(path.name for path in Path("out").iterdir()) == [
        f"part-0000{number}.parquet" for number in range(3)
    ]
    table = pl.read_parquet("out/*.parquet")
    expected = pl.read_csv("whole.csv", schema_overrides=table.schema)
    assert_frame_equal(table.drop("message"), expected.drop("message"), check_exact=True)
    assert set(pl.read_parquet("evidence/*.parquet")["run"]) <= set(table["run"])
    assert json.loads(Path("out.json").read_text())["runs"] == 60
    check_error(error_of(*arguments), "out", found="exists", kind=OutputError)
    assert invoke(*arguments, "--force").exit_code == 1
    Path("out/precious").touch()
    check_error(error_of(*arguments, "--force"), "out", found="precious", kind=OutputError)
    for name in ("out.csv/", "./"):
        assert isinstance(invoke(*predict(*many, "-o", name)).exception, OutputError | SystemExit)


@pytest.mark.slow
def test_kill_and_resume(predict: Arguments, many: list[str]) -> None:
    """As a user sees it: SIGKILL to the process, with workers, then the same command again."""
    if sys.platform == "win32":
        pytest.skip("no SIGKILL")
    Path("many").mkdir()
    for number in range(150):
        Path("many", f"{number}.csv").symlink_to(Path(many[number % 5]).resolve())
    words = [str(each) for each in predict("many/*.csv", "--no-cache", "--workers", "2")]
    process = subprocess.Popen(
        [sys.executable, "-m", "gale", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 240
    while process.poll() is None and not list(PARTIAL.glob("*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not Path("p.csv").exists()
    kept = {file.name: file.stat().st_mtime_ns for file in PARTIAL.glob("*.part")}
    assert kept
    succeed(*words, "--resume")
    succeed(*words, "-o", "whole.csv")
    assert Path("p.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith(("p.", "."))) == [
        "p.csv", "p.json",
    ]  # fmt: skip


def test_runs_at_addresses_are_predicted_as_those_on_this_machine(
    predict: Arguments, runs: list[Path]
) -> None:
    system = MemoryFileSystem()
    for run in runs:
        system.pipe_file(f"/archive/{run.name}", run.read_bytes())
    addresses = [f"memory://archive/{run.name}" for run in runs]
    succeed(*predict(*runs, "-o", "here.csv", "-q"))
    succeed(*predict("memory://archive/*.csv", "-o", "there.csv", "-q"))
    Path("list.txt").write_text("".join(f"{each}\n" for each in addresses))
    succeed(*predict("--files-from", "list.txt", "-o", "listed.csv", "-q"))
    here, there, listed = map(pl.read_csv, ("here.csv", "there.csv", "listed.csv"))
    assert listed["run"].to_list() == addresses
    assert there["run"].to_list() == sorted(addresses)
    assert_frame_equal(listed.drop("run"), here.drop("run"))
    assert_frame_equal(there.drop("run"), here.drop("run"), check_row_order=False)
    result = invoke(*predict("memory://archive/none.csv", addresses[0], "-o", "some.csv", "-q"))
    assert result.exit_code == 1
    assert list(printed_failures(result.stderr)) == ["memory://archive/none.csv"]
