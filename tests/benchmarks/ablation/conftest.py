"""The benchmarks of an ablation, run on the campaign of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.benchmark_runs import Run
from helpers.stacks import STACK


@pytest.fixture
def stack_toml(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STACK, "utf-8")
    return path


@pytest.fixture
def run(
    stack_toml: Path, tmp_path: Path, campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a benchmark on the campaign of the tests, and give what it prints."""

    def words(main: Callable[[list[str]], None], *more: object) -> str:
        given = ("--out", tmp_path, "--campaigns", campaign_folder, "--recipe", stack_toml, *more)
        main(list(map(str, given)))
        return capsys.readouterr().out

    return words
