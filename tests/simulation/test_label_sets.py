"""Sets of families: which can be made up, and how often each is drawn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import SimulationError
from gale.library import default_libraries
from gale.simulation.compounds import Booleans, join, read_compounds
from gale.simulation.label_sets import (
    COUNT_SHARES,
    MAX_FAMILIES,
    OTHER_PREVALENCE,
    LabelSets,
    all_sets,
    fit_label_sets,
    prevalence_of,
)
from gale.simulation.published import PREVALENCE
from helpers.errors import refused

PUBLISHED = np.array(list(PREVALENCE.values()))


@pytest.fixture(scope="module")
def default_sets() -> LabelSets:
    """Sets of the compounds that come with gale."""
    compounds = join([read_compounds(each) for each in default_libraries()])
    assert compounds.family_names == tuple(PREVALENCE)
    return fit_label_sets(compounds.families, PUBLISHED)


def held(found: LabelSets) -> np.ndarray:
    """Share of the runs that hold each family, (K,)."""
    return np.asarray(found.probability @ found.sets)


def unions(patterns: Booleans) -> set[tuple[bool, ...]]:
    """All that can be made up, by trying."""
    rows = {tuple(row) for row in patterns.tolist()}
    made = {(False,) * patterns.shape[1]}
    for number in range(1, len(rows) + 1):
        made |= {tuple(np.any(some, axis=0).tolist()) for some in combinations(rows, number)}
    return made


def test_published_prevalences_are_reached(default_sets: LabelSets) -> None:
    np.testing.assert_allclose(held(default_sets), PUBLISHED, atol=0.005)
    assert default_sets.probability.sum() == pytest.approx(1)


def test_published_numbers_of_families(default_sets: LabelSets) -> None:
    size = default_sets.sets.sum(axis=1)
    for count, share in COUNT_SHARES.items():
        assert default_sets.probability[size == count].sum() == pytest.approx(share, abs=0.01)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_only_what_compounds_can_make_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    patterns = rng.random((rng.integers(1, 8), 5)) < 0.35
    found = fit_label_sets(patterns, np.full(5, 0.2))
    assert {tuple(row) for row in found.sets.tolist()} <= unions(patterns)
    assert np.all(found.probability >= 0)
    assert found.probability.sum() == pytest.approx(1)
    assert held(found)[~patterns.any(axis=0)].tolist() == [0] * (~patterns.any(axis=0)).sum()


def test_independent_families_are_as_frequent_as_wanted() -> None:
    wanted = np.array([0.4, 0.1, 0.02])
    np.testing.assert_allclose(held(fit_label_sets(np.eye(3, dtype=bool), wanted)), wanted)


def test_a_family_of_no_prevalence_is_in_no_set() -> None:
    wanted = PUBLISHED.copy()
    wanted[1] = 0
    found = fit_label_sets(np.eye(9, dtype=bool), wanted)
    assert not found.sets[found.probability > 0, 1].any()
    np.testing.assert_allclose(held(found), wanted, atol=0.005)


def test_one_family() -> None:
    found = fit_label_sets(np.array([[True]]), np.array([0.3]))
    np.testing.assert_allclose(held(found), 0.3)


def test_quantiles_are_of_the_cumulative_probability() -> None:
    sets = np.array([[False, False], [True, False], [True, True]])
    found = LabelSets(sets, np.array([0.5, 0.3, 0.2]))
    for quantile, row in ((0.0, 0), (0.49, 0), (0.51, 1), (0.79, 1), (0.81, 2), (1.0, 2)):
        np.testing.assert_array_equal(found.at(quantile), sets[row])


def test_too_many_families() -> None:
    assert len(all_sets(MAX_FAMILIES)) == 2**MAX_FAMILIES
    with refused(SimulationError, "families", found="15", expected="14", remedy="pass families="):
        all_sets(MAX_FAMILIES + 1)


def test_prevalence_of_families() -> None:
    names = ("alcohol", "sugar", "mineral")
    assert prevalence_of(names).tolist() == [0.032, OTHER_PREVALENCE, 0.145]
    assert prevalence_of(names, {"sugar": 0.2, "alcohol": 0}).tolist() == [0, 0.2, 0.145]


def test_prevalence_of_an_unknown_family() -> None:
    with refused(SimulationError, "prevalence: family 'alcool'", remedy="alcohol"):
        prevalence_of(("alcohol", "mineral"), {"alcool": 0.2})
