"""gale's own commands as a user starts them, measured from outside."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

GALE = (sys.executable, "-m", "gale")
"""The words that start the gale that benchmarks import."""

AROUND = """
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - start
peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file:
    file.write(f"{seconds} {peak_kb}")
sys.exit(status)
"""
"""A small process around a command, since Linux counts the memory of the process that starts
another one as the other's peak, until it becomes the command."""


class Measured(NamedTuple):
    """What a command took, and what it printed.

    Peak memory is that of the largest process among the command and its children.
    """

    seconds: float
    peak_mb: float
    printed: str


def measured(*command: object) -> Measured:
    """Run a command; a command that fails ends the benchmark."""
    words = list(map(str, command))
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        around = [sys.executable, "-S", "-c", AROUND, str(figures)]
        process = subprocess.run(around + words, stdout=subprocess.PIPE, text=True, check=False)
        if process.returncode:
            sys.exit(f"{' '.join(words)}: exit status {process.returncode}")
        seconds, peak_kb = map(float, figures.read_text().split())
    return Measured(seconds, peak_kb / 1024, process.stdout)


def gale(*words: object) -> Measured:
    """Run a command of gale."""
    return measured(*GALE, *words)
