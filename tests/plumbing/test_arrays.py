"""Arrays of files, read in several threads."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gale.plumbing.arrays import load_arrays

Array = NDArray[Any]


def test_files_are_parsed_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, one=np.arange(3), other=np.arange(2))
    load, at_work, most = np.load, [0], [0]

    @contextmanager
    def slowly(*given: Any, **more: Any) -> Iterator[Any]:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.002)  # lets other threads begin
        with load(*given, **more) as arrays:
            yield arrays
        at_work[0] -= 1

    monkeypatch.setattr(np, "load", slowly)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(load_arrays, [buffer.getvalue()] * 8))
    assert most == [1]
    for arrays in found:
        assert arrays is not None
        assert {name: len(array) for name, array in arrays.items()} == {"one": 3, "other": 2}
