"""Arrays of files, read in several threads; quantiles and moving means as others compute them."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from gale.plumbing.arrays import load_arrays, moving_mean, quantile

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


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30_000), st.floats(0, 1), st.integers(1, 10**6), st.integers(0, 99))
def test_a_quantile_is_that_of_numpy(n: int, share: float, distinct: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.asarray(rng.integers(0, distinct, n) * rng.lognormal(0, 3), np.float64)
    assert quantile(values, share) == np.quantile(values, share)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_a_moving_mean_is_that_of_scipy_to_the_last_digit(n: int, kind: type, seed: int) -> None:
    values: Array = np.random.default_rng(seed).lognormal(0, 4, (n, 7)).astype(kind)
    edges = np.repeat(values[:1], 2, axis=0), np.repeat(values[-1:], 2, axis=0)
    nearest = uniform_filter1d(values, 5, axis=0, mode="nearest")
    np.testing.assert_array_equal(moving_mean(values, *edges), nearest, strict=True)
    mirrored = moving_mean(values, values[1::-1], values[:-3:-1])
    np.testing.assert_array_equal(mirrored, uniform_filter1d(values, 5, axis=0), strict=True)
