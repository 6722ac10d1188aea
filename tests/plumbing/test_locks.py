"""One process at a time makes an output, and what a dead one left is removed by the next."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gale.errors import OutputError
from gale.plumbing import locks
from gale.plumbing.files import writing, writing_folder
from gale.plumbing.locks import claimed
from helpers.errors import refused

MAKES = """
import sys, time
from pathlib import Path
from gale.plumbing.files import writing, writing_folder

path, kind = Path(sys.argv[1]), sys.argv[2]
with (writing if kind == "file" else writing_folder)(path) as temporary:
    (temporary if kind == "file" else temporary / "inside").write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""
"""Another process that makes an output, and is never ready."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["file", "folder"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def start_making(path: Path, kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES, str(path), kind], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_a_living_process_keeps_others_out_and_a_dead_one_does_not(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "output"
    make = writing if kind == "file" else writing_folder
    with start_making(path, kind) as other:
        with refused(OutputError, path, found=f"process {other.pid} on "), make(path):
            raise AssertionError("nothing must be written")
        assert ".output.gale-tmp" in names(tmp_path), "what the other makes stays"
        other.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    assert not path.exists()
    assert ".output.gale-tmp" in names(tmp_path), "left by the dead process"
    with make(path) as temporary:
        assert not temporary.is_file()
        (temporary if kind == "file" else temporary / "inside").write_text("whole")
    assert (path if kind == "file" else path / "inside").read_text() == "whole"
    assert names(tmp_path) == ["output"]


def test_a_folder_that_was_moved_away_comes_back(tmp_path: Path) -> None:
    path, away = tmp_path / "pages", tmp_path / ".pages.gale-old"
    away.mkdir()
    (away / "page").write_text("old")
    with refused(OutputError, path, found="exists"), writing_folder(path):
        raise AssertionError("nothing must be written")
    assert ((path / "page").read_text(), names(tmp_path)) == ("old", ["pages"])


def test_a_folder_that_was_replaced_is_deleted(tmp_path: Path) -> None:
    path, away = tmp_path / "pages", tmp_path / ".pages.gale-old"
    for folder in (path, away):
        folder.mkdir()
    with claimed(path):
        pass
    assert names(tmp_path) == ["pages"]


def test_a_thread_may_claim_again_and_another_may_not(tmp_path: Path) -> None:
    path = tmp_path / "output"
    found: list[str] = []

    def claim() -> None:
        try:
            with claimed(path):
                found.append("claimed")
        except OutputError as error:
            found.append(error.found)

    with claimed(path) as outer, claimed(path) as inner:
        assert outer is inner
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join()
    assert found == ["is being written by another thread of this process"]
    claim()
    assert found[1:] == ["claimed"]
    assert names(tmp_path) == []


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_lock", refuse)
    (tmp_path / ".output.gale-tmp").touch()
    with writing(tmp_path / "output") as temporary:
        assert temporary.name != ".output.gale-tmp", "another process may be writing it"
        temporary.touch()
    assert names(tmp_path) == [".output.gale-tmp", "output"]


def test_a_lock_that_is_deleted_before_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, file, tries = locks._lock, tmp_path / ".output.gale-lock", []

    def too_late(descriptor: int) -> None:
        take(descriptor)
        tries.append(descriptor)
        if len(tries) == 1:
            file.unlink()

    monkeypatch.setattr(locks, "_lock", too_late)
    with claimed(tmp_path / "output"):
        assert (len(tries), file.exists()) == (2, True)
    assert names(tmp_path) == []
