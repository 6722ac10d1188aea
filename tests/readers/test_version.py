"""The version of the readers, under which features are cached: while it stays, so do the runs."""

from __future__ import annotations

import hashlib

import numpy as np

from gale import readers
from gale.errors import GaleError
from gale.run import Run
from helpers.hostile import samples

READ_AS = {3: "83160856afa02a3e"}
"""For each version, a hash of what it reads from the samples."""


def digest_of(run: Run) -> str:
    """Hash a run to six digits (the last bit of a logarithm may differ) and its number of notes."""
    columns = (run.time_min, run.scan_start, run.mz, run.intensity)
    numbers = "".join(f"{number:.6g}," for column in columns for number in np.asarray(column))
    return hashlib.sha256(repr((numbers, len(run.notes))).encode()).hexdigest()


def test_what_is_read_changes_with_the_version_alone() -> None:
    digest = hashlib.sha256()
    for name, sample in sorted(samples().items()):
        try:
            found = digest_of(sample.read(sample.data))
        except GaleError as error:
            found = type(error).__name__
        digest.update(f"{name} {found}\n".encode())
    assert digest.hexdigest()[:16] == READ_AS.get(readers.VERSION), (
        "the samples are read differently or have changed: in the first case increase "
        "gale.readers.VERSION, and in both put the new hash here"
    )
