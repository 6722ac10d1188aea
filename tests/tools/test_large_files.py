"""Large files are found in the tree, in the index and in the history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.large_files import ROOT, large_files, main

NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")


def git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *NOBODY, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path, name: str, size: int) -> str:
    (root / name).write_bytes(bytes(size))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", name)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_tree_the_index_and_the_history(repository: Path) -> None:
    since = commit(repository, "old weights.bin", 5_001)
    git(repository, "rm", "-q", "old weights.bin")
    commit(repository, "just.bin", 1_000)
    assert list(large_files(repository, since, 1_000)) == []
    commit(repository, "deleted later.bin", 1_001)
    git(repository, "rm", "-q", "deleted later.bin")
    commit(repository, "small.bin", 10)
    assert list(large_files(repository, since, 1_000)) == [("deleted later.bin", 1_001)]
    (repository / "staged.bin").write_bytes(bytes(2_000))
    git(repository, "add", "-A")
    found = dict(large_files(repository, since, 1_000))
    assert found == {"deleted later.bin": 1_001, "staged.bin": 2_000}


def test_a_commit_that_a_shallow_clone_lacks(repository: Path) -> None:
    commit(repository, "large.bin", 1_001)
    assert list(large_files(repository, "0" * 40, 1_000)) == [("large.bin", 1_001)]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git repository")
def test_this_tree() -> None:
    assert main() == 0
