"""Checksums of files: whether they are the published ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from gale.plumbing.reading import open_file

BLOCK = 1 << 20
"""Bytes read at a time."""


def find_mismatches(expected: Mapping[Path, str], executor: Executor | None) -> dict[Path, str]:
    """Compare the MD5 of files with the expected ones, in lower-case hexadecimal digits.

    Parameters
    ----------
    expected : mapping of Path to str
        The MD5 of each file.
    executor : concurrent.futures.Executor, optional
        Computes the checksums; by default threads, one per core, since neither reading nor hashing
        holds Python's lock.

    Returns
    -------
    dict of Path to str
        For each file that differs or cannot be read, what was found instead.
    """
    with nullcontext(executor) if executor else ThreadPoolExecutor(os.cpu_count()) as workers:
        mismatches = workers.map(_mismatch, expected.keys(), expected.values(), chunksize=16)
        return {path: found for path, found in zip(expected, mismatches, strict=True) if found}


def _mismatch(path: Path, expected: str) -> str | None:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open_file(path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    found = digest.hexdigest()
    return None if found == expected else f"found MD5 {found}"
