"""Ways of doing the same, timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
Measured = TypeVar("Measured")


def in_turn(ways: Mapping[K, Callable[[], Measured]], repeats: int) -> dict[K, list[Measured]]:
    """Measure all ways one after the other, again and again, so that all meet the same machine."""
    measured: dict[K, list[Measured]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            measured[name].append(way())
    return measured


def seconds(work: Callable[[], object]) -> float:
    """Time some work."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor_seconds(work: Callable[[], object]) -> float:
    """Time some work by the processor's clock."""
    start = time.process_time()
    work()
    return time.process_time() - start
