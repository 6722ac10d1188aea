"""What reading a file takes, measured in a process of its own."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from time import process_time
from typing import NamedTuple

from gale.readers import parse_run
from helpers.hostile import Sample, check, samples

_BEFORE_MB = 0.0


class Reading(NamedTuple):
    """What a file gave, and took: memory beyond what the process had before, and processor time.

    Neither depends on what else the machine does.
    """

    outcome: str
    grown_mb: float
    seconds: float


def begin() -> None:
    """Read a small file of each format, so that what this loads once is not counted later."""
    global _BEFORE_MB
    warnings.simplefilter("error")
    for each in samples().values():
        check(each, each.data)
    _BEFORE_MB = _peak_mb()


def read(path: Path) -> Reading:
    """Read a file; what the one before left in memory counts as well."""
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    began = process_time()
    outcome = check(Sample(data, partial(parse_run, source="a name")), data)
    return Reading(outcome, _peak_mb() - _BEFORE_MB, process_time() - began)


def _peak_mb() -> float:
    """Of this process alone; that of getrusage includes its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
