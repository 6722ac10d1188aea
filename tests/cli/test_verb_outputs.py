"""What verbs write: never over what they read, never twice, never where another process writes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gale.errors import OutputError
from gale.plumbing.locks import claimed
from helpers.commands import error_of, invoke
from helpers.errors import check_error
from helpers.training import Trained

Verb = Callable[[str], list[object]]

RUN, TABLE = "campaign/train_features/S0000.csv", "campaign/train_labels.csv"

INPUTS: list[tuple[str, str]] = [
    ("predict {run} --model model.onnx -o", RUN),
    ("predict {run} --model model.onnx -o", "model.onnx"),
    ("predict {run} --model model.onnx -o p.csv --evidence", RUN),
    ("predict {run} --model model.onnx -o p.csv --evidence", "p.json"),
    ("predict {run} --model model.onnx -o p.csv --evidence", "p.csv"),
    ("predict campaign --model model.onnx -o", TABLE),
    ("predict {run} --model model.onnx --evidence e.csv --library own.msp -o", "own.msp"),
    ("evaluate p.csv --labels campaign/train_labels.csv --json", TABLE),
    ("evaluate p.csv --labels campaign/train_labels.csv --json", "p.csv"),
    ("evaluate p.csv --labels campaign/train_labels.csv --json", "p.json"),
    ("train campaign --recipe tiny.toml -o", TABLE),
    ("train campaign --recipe tiny.toml -o", RUN),
    ("train campaign --recipe tiny.toml -o", "tiny.toml"),
    ("train campaign --recipe tiny.toml --labels campaign/train_labels.csv -o", TABLE),
    ("report training campaign --model model.onnx -o", "model.onnx"),
    ("report training campaign --model model.onnx -o", TABLE),
    ("convert {run} --to csv -o", RUN),
    ("convert {run} --to csv -o", "campaign/train_features"),
]
"""A command up to the name of its output, and an output that it must not write."""

OUTPUTS = [
    ("predict {run} --model model.onnx -o", "new.csv"),
    ("predict {run} --model model.onnx -o p2.csv --evidence", "new.csv"),
    ("evaluate p.csv --labels campaign/train_labels.csv --json", "new.json"),
    ("train campaign --recipe tiny.toml -o", "new.onnx"),
    ("report training campaign --model model.onnx -o", "new.html"),
    ("report run {run} --model model.onnx -o", "new"),
    ("convert {run} -o", "new.csv"),
    ("plot {run} -o", "new.png"),
    ("simulate --runs 3 --ions 300 -o", "new"),
    ("ablate campaign --recipe tiny.toml -o", "new"),
]
"""A command up to the name of its output, and an output that it may write."""


@pytest.fixture(autouse=True)
def folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    campaign_folder: Path,
    recipe_file: Path,
    trained: Trained,
) -> Path:
    """A folder with copies of everything that verbs read."""
    shutil.copytree(campaign_folder, tmp_path / "campaign")
    shutil.copy(recipe_file, tmp_path / "tiny.toml")
    for file in trained.path.parent.glob("*"):
        if file.is_file():
            shutil.copy(file, tmp_path / file.name.replace(trained.path.stem, "model", 1))
    (tmp_path / "p.csv").write_text("run,status,message,unlike\n", "utf-8")
    (tmp_path / "p.json").write_text("{}", "utf-8")
    (tmp_path / "own.msp").write_text("Name: the one\nNum Peaks: 2\n31 100\n45 50\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def words(command: str, output: str) -> list[str]:
    return [*command.format(run=RUN).split(), output]


@pytest.mark.parametrize(("command", "output"), INPUTS)
def test_nothing_that_is_read_is_overwritten(command: str, output: str, folder: Path) -> None:
    before = contents(folder)
    check_error(error_of(*words(command, output), "--force"), kind=OutputError)
    assert contents(folder) == before


@contextmanager
def claimed_by_another(path: Path) -> Iterator[None]:
    """Another thread writes a path meanwhile; to gale it is as another process."""
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with claimed(path):
            begun.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(("command", "output"), OUTPUTS)
def test_what_another_process_writes_is_refused(command: str, output: str, folder: Path) -> None:
    before = contents(folder)
    with claimed_by_another(folder / output):
        error = error_of(*words(command, output))
    check_error(error, found="is being written", kind=OutputError)
    assert contents(folder) == before


@pytest.mark.parametrize(("command", "output"), OUTPUTS[1:])  # all but a table of predictions
def test_results_do_not_go_to_standard_output(command: str, output: str, folder: Path) -> None:
    before = contents(folder)
    result = invoke(*words(command, output)[:-1], "-")
    assert result.exit_code == 2
    assert "standard output" in result.stderr
    assert contents(folder) == before
