"""Charts of the page of a training: they show the numbers that they are given."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from gale.evaluation.metrics import score
from gale.plotting.themes import THEMES
from gale.report import charts
from gale.report.pages import themed_svg
from gale.report.scored import MODEL, PRIOR
from gale.report.shares import reliability_bands

FAMILIES = ("carboxylic_acid", "alcohol")
RNG = np.random.default_rng(0)
PROBABILITY = np.round(RNG.random((200, 2)), 2)  # with ties
LABELS = (RNG.random((200, 2)) < PROBABILITY).astype(float)


def lines(figure: Figure) -> list[tuple[Any, Any]]:
    return [line.get_data() for axes in figure.axes for line in axes.lines]


def test_detection_rates_are_those_of_scikit_learn() -> None:
    rate, recall, precision = charts.detection_rates(LABELS[:, 0], PROBABILITY[:, 0])
    expected = roc_curve(LABELS[:, 0], PROBABILITY[:, 0], drop_intermediate=False)
    np.testing.assert_allclose(rate, expected[0])
    np.testing.assert_allclose(recall, expected[1])
    area = roc_auc_score(LABELS[:, 0], PROBABILITY[:, 0])
    assert np.trapezoid(recall, rate) == pytest.approx(area)
    theirs, found, _ = precision_recall_curve(LABELS[:, 0], PROBABILITY[:, 0])
    np.testing.assert_allclose(precision[1:], theirs[-2::-1])
    np.testing.assert_allclose(recall[1:], found[-2::-1])


def test_detection_curves_of_the_model_and_the_baseline() -> None:
    figure = charts.detection_curves(
        FAMILIES, LABELS, {"this model": PROBABILITY, "logistic regression": 1 - PROBABILITY}
    )
    rate, recall, _ = charts.detection_rates(LABELS[:, 1], PROBABILITY[:, 1])
    assert any(np.array_equal(x, rate) and np.array_equal(y, recall) for x, y in lines(figure))
    assert f"alcohol ({int(LABELS[:, 1].sum())})" in themed_svg(figure, "curves")


@pytest.mark.slow
def test_grids_have_their_numbers() -> None:
    grid = np.array([[1.0, -0.04], [-0.3, np.nan]])
    svg = themed_svg(charts.correlation_grids({"train": grid}, FAMILIES), "grids")
    shown = re.findall(r">(−?\d\.\d)<", svg)
    assert shown[:3] == ["1.0", "0.0", "−0.3"]
    assert "carboxylic acid" in svg


@pytest.mark.parametrize("n_fits", [2, charts.MOST_LINES + 1])
def test_learning_curves_of_each_part(n_fits: int) -> None:
    history = pl.DataFrame(
        {
            "part": ["one"] * 2 * n_fits + ["two"] * 2,
            "fold": [0] * (2 * n_fits + 2),
            "stage": ["member"] * 2 * n_fits + ["soup"] * 2,
            "member": [*np.repeat(range(n_fits), 2), 0, 0],
            "epoch": [1, 2] * (n_fits + 1),
            "train_loss": [0.5] * (2 * n_fits + 2),
            "validation_log_loss": [0.3, 0.2] * (n_fits + 1),
        }
    )
    (one, two) = charts.learning_data(history)
    assert (one["title"], two["title"]) == ("one", "two from a soup")
    assert len(one["fits"]) == n_fits
    assert two["fits"] == [
        {"name": "fold 0, member 0", "train": [0.5, 0.5], "validation": [0.3, 0.2]}
    ]
    figure = charts.learning_curves(history)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"one: {n_fits} fits", "two: 1 fit from a soup"]
    assert len(lines(figure)) == 3 * (n_fits + 1), "both losses, and a dot"
    without = charts.learning_curves(history.drop("train_loss"))
    assert len(lines(without)) == 2 * (n_fits + 1)
    assert len(themed_svg(figure, "curves")) < 200_000


def test_a_page_has_no_more_epochs_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    history = pl.DataFrame({"part": ["", ""], "epoch": [1, 2]})
    monkeypatch.setattr(charts, "MOST_EPOCHS", 1)
    assert charts.learning_data(history) == []


def test_family_scores_with_and_without_a_baseline() -> None:
    scores = {
        name: score(LABELS, probability, FAMILIES, resamples=50)
        for name, probability in (
            (MODEL, PROBABILITY),
            (PRIOR, np.full((200, 2), 0.5)),
        )
    }
    metrics = {"log_loss": "log loss", "roc_auc": "ROC AUC"}
    figure = charts.family_scores(scores, metrics)
    shown = {tuple(np.round(x, 6)) for x, _ in lines(figure)}
    for each in scores.values():
        for metric in metrics:
            assert tuple(np.round(each.per_family[metric].value, 6)) in shown


def test_every_chart_has_the_colours_of_the_page() -> None:
    bands = reliability_bands(FAMILIES, LABELS, PROBABILITY)
    svg = themed_svg(charts.reliability(bands), "reliability")
    for colour in THEMES["light"].names.values():
        assert colour not in svg
    assert "var(--base)" in svg
    assert 'aria-label="reliability"' in svg


def test_score_by_abundance() -> None:
    band = reliability_bands(("a",), LABELS[:, :1], PROBABILITY[:, :1])["a"]
    names = [f"range {at}" for at in range(len(band.x))]
    figure = charts.score_by_abundance(band, band.x / 2, names)
    assert any(np.array_equal(y, band.share) for _, y in lines(figure))
    assert any(np.array_equal(y, band.x / 2) for _, y in lines(figure))
    assert f"range 0\n({band.number[0]})" in [
        text.get_text() for text in figure.axes[0].get_xticklabels()
    ]


def test_a_family_of_which_nothing_is_known() -> None:
    labels = LABELS.copy()
    labels[:, 1] = np.nan
    figure = charts.detection_curves(FAMILIES, labels, {"this model": PROBABILITY})
    assert "alcohol (0)" in themed_svg(figure, "curves")
    labels[:, 1] = 1.0
    figure = charts.detection_curves(FAMILIES, labels, {"this model": PROBABILITY})
    assert "alcohol (200)" in themed_svg(figure, "curves")


def test_names_of_families_are_no_mathematics() -> None:
    names = (r"a$\frac$ c", "b$x$")
    bands = reliability_bands(names, LABELS, PROBABILITY)
    scores = {"this model": score(LABELS, PROBABILITY, names, resamples=10)}
    for figure in (
        charts.correlation_grids({"train": np.eye(2)}, names),
        charts.family_scores(scores, {"log_loss": "log loss"}),
        charts.reliability(bands),
        charts.detection_curves(names, LABELS, {"this model": PROBABILITY}),
    ):
        assert r"a$\frac$ c" in themed_svg(figure, "names")


def test_numbers_of_grids_are_read_on_any_paper() -> None:
    svg = themed_svg(charts.correlation_grids({"train": np.eye(2)}, FAMILIES), "grids")
    assert charts.LIGHT in svg
    assert charts.DARK in svg
