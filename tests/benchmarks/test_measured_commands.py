"""benchmarks.commands measures the command, and not the process that starts it."""

from __future__ import annotations

import sys

import pytest

from benchmarks.commands import gale, measured


def test_memory_is_that_of_the_command_and_not_of_this_process() -> None:
    _, small, printed = measured(sys.executable, "-S", "-c", "print('here')")
    assert printed == "here\n"
    assert small < 40  # this process has loaded numpy and more
    _, large, _ = measured(sys.executable, "-S", "-c", "bytearray(200_000_000)")
    assert large - small == pytest.approx(200e6 / 2**20, rel=0.1)


def test_a_command_that_fails_stops_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="exit status 3"):
        measured(sys.executable, "-S", "-c", "raise SystemExit(3)")


def test_gale_is_the_one_that_benchmarks_import() -> None:
    assert "simulate" in gale("--help").printed
