"""Labels that are ranked for a second look."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from gale.errors import TableError
from gale.evaluation.second_look import disagreement, second_look
from helpers.errors import refused

FAMILIES = ("a", "b")


def test_odds_that_a_label_is_wrong() -> None:
    """Against the posterior of a model of mistakes: a small share of labels moved at random."""
    share, moved = 0.2, 1e-6
    true = np.array([0.001, 0.1, 0.6, 0.99])
    added = moved * share / (1 - share)
    present = true * (1 - moved) + (1 - true) * added  # probability of being labelled present
    wrong_if_present = (1 - true) * added / present
    wrong_if_absent = true * moved / (1 - present)
    for label, wrong in ((1.0, wrong_if_present), (0.0, wrong_if_absent)):
        found = disagreement(np.full((4, 1), label), present[:, None], np.array([share]))[:, 0]
        np.testing.assert_allclose(found, logit(wrong) - np.log(moved), atol=1e-2)


def test_the_largest_disagreement_first_and_unknown_labels_never() -> None:
    labels = np.array([[1, 0], [0, np.nan], [1, 1]])
    probability = np.array([[0.01, 0.2], [0.9, 1.0], [0.75, 0.2]])
    table = second_look(("x", "y", "z"), FAMILIES, labels, probability, np.array([0.5, 0.1]))
    assert table.columns == ["run", "family", "label", "probability", "prevalence", "disagreement"]
    assert table.select("run", "family").rows() == [
        ("x", "a"), ("y", "a"), ("z", "b"), ("z", "a"), ("x", "b")
    ]  # fmt: skip
    assert table["label"].to_list() == [1, 0, 1, 1, 0]
    assert table["prevalence"].to_list() == [0.5, 0.5, 0.1, 0.5, 0.1]
    np.testing.assert_allclose(
        table["disagreement"], [-logit(0.01), logit(0.9), logit(0.1) - logit(0.2), -logit(0.75),
                                logit(0.2)],
    )  # fmt: skip
    few = second_look(("x", "y", "z"), FAMILIES, labels, probability, np.array([0.5, 0.1]), most=2)
    assert few.equals(table[:2])


def test_mistakes_come_before_what_is_right() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((400, 3)) < (0.3, 0.1, 0.05)
    labels = true.copy()
    moved = rng.choice(1200, 30, replace=False)
    labels.ravel()[moved] ^= True
    probability = expit(np.where(true, 3.0, -4.0) + rng.normal(0, 1.0, true.shape))
    table = second_look(
        [str(run) for run in range(400)], ("a", "b", "c"), labels.astype(float), probability,
        labels.mean(axis=0), most=30,
    )  # fmt: skip
    places = {(int(run), "abc".index(family)) for run, family in table[["run", "family"]].rows()}
    found = sum(divmod(int(at), 3) in places for at in moved)
    assert found >= 27


def test_shapes_have_to_fit() -> None:
    with refused(TableError, "labels", found=["(1, 1)", "(1, 2)"], expected="2 families"):
        second_look(("x",), FAMILIES, [[1.0]], [[0.5, 0.5]], [0.5, 0.5])


def test_certainty_has_an_end() -> None:
    found = disagreement([[1.0, 0.0]], [[0.0, 1.0]], [0.5, 0.5])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, -logit(1e-4))
