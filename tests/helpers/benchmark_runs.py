"""Benchmarks, and the tables that they print."""

from __future__ import annotations

import re
from collections.abc import Callable

Run = Callable[..., str]
"""Runs a benchmark's ``main`` with words, and gives what it prints."""


def rows_of(printed: str) -> dict[str, list[str]]:
    """The cells of each row by its first one."""
    lines = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) > 1}
