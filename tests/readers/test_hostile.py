"""Damaged and malicious files give a run or a GaleError, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.hostile import KINDS, Change, check, damage, samples

pytestmark = pytest.mark.slow

SAMPLES = samples()
NAMES = sorted(SAMPLES)
MAX_CUTS = 400

changes = st.lists(
    st.builds(Change, st.sampled_from(sorted(KINDS)), st.floats(0, 1), st.integers(0, 65_535)),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("name", NAMES)
@given(changes=changes)
@settings(
    max_examples=300,
    derandomize=True,  # tools/fuzz.py tries more
    suppress_health_check=[HealthCheck.too_slow],
)
def test_damaged(name: str, changes: list[Change]) -> None:
    data = SAMPLES[name].data
    for change in changes:
        data = damage(data, change)
    check(SAMPLES[name], data)


@pytest.mark.parametrize("name", NAMES)
def test_cut_short(name: str) -> None:
    data = SAMPLES[name].data
    for end in range(0, len(data), len(data) // MAX_CUTS + 1):
        check(SAMPLES[name], data[:end])


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_themselves(name: str) -> None:
    check(SAMPLES[name], SAMPLES[name].data)
