"""Benchmarks that are run within a test, and the tables that they print."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]
"""Runs a benchmark's ``main`` with words, and gives what it prints."""


def runner(capsys: pytest.CaptureFixture[str], *given: str | Path) -> Run:
    """Run benchmarks with words that are always given, and with more."""

    def run(main: Callable[[list[str]], None], *more: object) -> str:
        main(list(map(str, [*given, *more])))
        return capsys.readouterr().out

    return run


def rows_of(printed: str) -> dict[str, list[str]]:
    """The cells of each row by its first one."""
    lines = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) > 1}
