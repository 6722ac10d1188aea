"""Cut-offs: how they are chosen, and what they reach on runs that did not choose."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from gale.errors import TableError
from gale.evaluation.cutoffs import (
    AIMS,
    LEAST_CALLS,
    LEAST_RUNS,
    MOST_STEPS,
    Aim,
    Curve,
    fit_cutoffs,
    share,
    threshold_of,
    why_none,
)
from gale.model.facts import CUTOFFS
from gale.plumbing.schema import misfits

PRECISION, RECALL, F1 = AIMS


def drawn(n_runs: int, seed: int, rate: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Labels (R,) and calibrated probabilities (R,) with ties."""
    random = np.random.default_rng(seed)
    probability = np.round(random.beta(0.5, 0.5 * (1 - rate) / rate, n_runs), 2)
    return (random.random(n_runs) < probability).astype(float), probability


def reached(labels: np.ndarray, probability: np.ndarray, threshold: float) -> dict[str, float]:
    """What a threshold calls, counted anew."""
    called = probability >= threshold
    found = (labels[called] == 1).sum()
    precision, recall = found / max(called.sum(), 1), found / labels.sum()
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"called": called.sum(), "precision": precision, "recall": recall, "f1": f1}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("aim", [*AIMS, Aim("precision", 0.6), Aim("recall", 1.0)], ids=str)
def test_the_best_of_all_thresholds_is_chosen(aim: Aim, seed: int) -> None:
    labels, probability = drawn(90, seed)
    chosen = Curve.of(probability, labels).choose(aim)
    tried = {t: reached(labels, probability, t) for t in np.unique(probability)}
    tried = {t: each for t, each in tried.items() if each["called"] >= LEAST_CALLS}
    if aim.measure == "f1":
        best = max(each["f1"] for each in tried.values())
        fitting = [t for t, each in tried.items() if each["f1"] > best - 1e-12]
        expected = max(fitting)
    else:
        fitting = [t for t, each in tried.items() if each[aim.measure] >= (aim.value or 0)]
        if not fitting:
            assert chosen is None
            return
        most = max(tried[t]["recall"] for t in fitting)
        if aim.measure == "precision":
            fitting = [t for t in fitting if tried[t]["recall"] == most]
        expected = max(fitting)
    assert chosen is not None
    # another threshold, which lies between two probabilities, but the same calls
    found, wanted = (reached(labels, probability, t) for t in (chosen, expected))
    assert found == wanted
    assert chosen not in probability or chosen == 0


def test_precision_that_falls_and_rises_again() -> None:
    labels = np.array([1.0] * 6 + [0] * 3 + [1] * 24 + [0] * 20)
    probability = np.linspace(0.9, 0.1, len(labels))
    threshold = Curve.of(probability, labels).choose(PRECISION)
    assert threshold is not None
    assert reached(labels, probability, threshold)["called"] == 33  # and not the first six
    assert reached(labels, probability, threshold)["precision"] > 0.9


def test_runs_of_one_probability_are_called_alike() -> None:
    labels = np.array([1.0] * 8 + [0.0] * 12)
    curve = Curve.of(np.full(20, 0.3), labels)
    assert (curve.called.tolist(), curve.found.tolist()) == ([20], [8])
    assert curve.choose(PRECISION) is None
    assert curve.choose(RECALL) == curve.choose(F1) == 0.15


def test_few_calls_reach_nothing() -> None:
    labels = np.array([1.0] * (LEAST_CALLS - 1) + [0.0] * 10 + [1.0] * 10)
    probability = np.linspace(0.9, 0.1, len(labels))
    assert Curve.of(probability, labels).choose(PRECISION) is None


def test_long_curves_are_thinned() -> None:
    random = np.random.default_rng(0)
    probability = random.random(3000)
    labels = (random.random(3000) < probability).astype(float)
    curve = Curve.of(probability, labels)
    assert len(curve.threshold) == MOST_STEPS
    assert (np.diff(curve.threshold) < 0).all()
    assert curve.found[-1] == labels.sum()
    for aim in (PRECISION, RECALL):
        threshold = curve.choose(aim)
        assert threshold is not None
        value = reached(labels, probability, threshold)[aim.measure]
        assert aim.value is not None
        assert aim.value <= value < aim.value + 0.012


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        ("precision=0.9", PRECISION),
        (" recall = .90 ", RECALL),
        ("f1", F1),
        ("precision=1", Aim("precision", 1.0)),
        ("precision=0", None),
        ("precision=1.01", None),
        ("recall=nan", None),
        ("f1=0.5", None),
        ("accuracy=0.9", None),
        ("0.9", None),
        ("", None),
    ],
)
def test_aims_as_texts(text: str, aim: Aim | None) -> None:
    assert Aim.parse(text) == aim
    if aim is not None:
        assert Aim.parse(str(aim)) == aim


@pytest.mark.parametrize(("part", "whole"), [(0, 5), (9, 10), (63, 70), (1, 1), (500, 1000)])
def test_intervals_are_those_of_scipy(part: int, whole: int) -> None:
    value, low, high = share(part, whole) or []
    oracle = binomtest(part, whole).proportion_ci(method="wilson")
    assert (value, low, high) == pytest.approx((part / whole, oracle.low, oracle.high), abs=6e-5)
    assert share(0, 0) is None


def parts_of(n_runs: int, count: int = 5) -> list[np.ndarray]:
    return np.array_split(np.random.default_rng(1).permutation(n_runs), count)


def fitted(labels: np.ndarray, probability: np.ndarray, count: int = 5) -> dict[str, Any]:
    (found,) = fit_cutoffs(labels[:, None], probability[:, None], parts_of(len(labels), count))
    assert list(misfits(found, CUTOFFS)) == []
    return dict(json.loads(json.dumps(found)))


def test_a_model_has_what_any_aim_needs() -> None:
    labels, probability = drawn(300, 1)
    found = fitted(labels, probability)
    assert (found["positive"], found["negative"]) == (labels.sum(), 300 - labels.sum())
    assert [each["at"] for each in found["measured"]] == list(map(str, AIMS))
    curve = Curve.of(probability, labels)
    for each in found["measured"]:
        assert each["threshold"] == threshold_of(found, Aim.parse(each["at"]) or F1)
    for aim in (Aim("precision", 0.75), Aim("recall", 0.5)):
        assert threshold_of(found, aim) == curve.choose(aim)
    assert why_none(found) == why_none(found, PRECISION) == ""


def test_what_is_measured_is_of_runs_that_did_not_choose() -> None:
    labels, probability = drawn(200, 2)
    found = fitted(labels, probability)
    counts = np.zeros(3)
    for rows in parts_of(200):
        others = np.setdiff1d(np.arange(200), rows)
        threshold = Curve.of(probability[others], labels[others]).choose(PRECISION)
        assert threshold is not None
        called = probability[rows] >= threshold
        counts += called.sum(), labels[rows][called].sum(), labels[rows].sum()
    assert found["measured"][0]["precision"] == share(int(counts[1]), int(counts[0]))
    assert found["measured"][0]["recall"] == share(int(counts[1]), int(counts[2]))


def test_the_measured_precision_does_not_flatter() -> None:
    """Probabilities that say nothing: thresholds seem to reach more than they do."""
    random = np.random.default_rng(0)
    claimed, measured, true = [], [], 0.8
    for _ in range(60):
        labels = (random.random(80) < true).astype(float)
        probability = random.random(80)
        for each in fitted(labels, probability)["measured"]:
            if each["at"] == str(PRECISION) and each["precision"] is not None:
                claimed.append(reached(labels, probability, each["threshold"])["precision"])
                measured.append(each["precision"][0])
    assert len(claimed) > 20
    assert np.mean(claimed) > 0.9
    assert abs(np.mean(measured) - true) < 0.04


@pytest.mark.parametrize(
    ("n_positive", "n_negative", "why"),
    [
        (8, 300, "no threshold: 8 positive runs"),
        (1, 300, "no threshold: 1 positive run"),
        (300, 0, "no threshold: 0 negative runs"),
        (LEAST_RUNS, LEAST_RUNS, ""),
    ],
)
def test_families_of_few_runs(n_positive: int, n_negative: int, why: str) -> None:
    labels = np.array([1.0] * n_positive + [0.0] * n_negative)
    found = fitted(labels, np.linspace(0.9, 0.1, len(labels)))
    assert why_none(found) == why
    assert bool(found["measured"]) == ("curve" in found) == (not why)
    if why:
        assert why_none(found, F1) == why
        assert threshold_of(found, F1) is None


def test_a_precision_that_nothing_reaches() -> None:
    labels = np.array([0.0, 1.0] * 30)
    found = fitted(labels, np.linspace(0.9, 0.1, 60))
    assert why_none(found, PRECISION) == "no threshold: precision 0.9 is not reached"
    assert [each["at"] for each in found["measured"]] == ["recall=0.9", "f1"]


def test_unknown_labels_and_runs_that_are_not_held_out_do_not_count() -> None:
    labels, probability = drawn(120, 3)
    expected = fitted(labels, probability)
    more_labels = np.concatenate([labels, [np.nan, 1, 1]])[:, None]
    more = np.concatenate([probability, [0.99, np.nan, 0.99]])[:, None]
    (found,) = fit_cutoffs(more_labels, more, [*parts_of(120), np.array([120, 121])])
    assert found == expected


def test_a_single_part_is_divided() -> None:
    labels, probability = drawn(150, 4)
    first, second = (fitted(labels, probability, count=1) for _ in range(2))
    assert first == second
    assert all(each["precision"] is not None for each in first["measured"])


def test_shapes_that_differ() -> None:
    with pytest.raises(TableError, match="have shape"):
        fit_cutoffs(np.zeros((3, 2)), np.zeros((3, 1)), [np.arange(3)])
