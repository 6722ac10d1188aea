"""Figures of an ablation: what is drawn where."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gale.ablation.figures import plot_curves, plot_steps
from gale.ablation.results import CURVES_SCHEMA, METHODS, TRAININGS_SCHEMA, Ablation
from gale.ablation.steps import ablation_steps
from gale.plotting import save_figure
from helpers.training import tiny_recipe

pytestmark = pytest.mark.slow

STEPS = tuple(ablation_steps(tiny_recipe(), 3))


def made_up(*, trainings: int = 4, test: bool = True) -> Ablation:
    """An ablation whose log losses were drawn, not trained."""
    random = np.random.default_rng(0)

    def draw() -> list[float | None]:
        val, of_test = random.uniform(0.1, 0.3, 2).tolist()
        return [val, of_test if test else None]

    numbers = range(trainings)
    rows = [(step.name, number, *draw(), 9) for step in STEPS for number in numbers]
    curves = [
        (method, iteration, number, *draw())
        for method in METHODS
        for iteration in range(method == "fixed_soup", 4)
        for number in numbers
    ]
    return Ablation(
        STEPS,
        pl.DataFrame(rows, TRAININGS_SCHEMA, orient="row"),
        pl.DataFrame(curves, CURVES_SCHEMA, orient="row"),
        {"val": 0.31, "test": 0.32 if test else None},
        {
            "recipe": {"name": "tiny"},
            "campaign": {"name": "made $up_"},
            "trainings": trainings,
            "iterations": 3,
        },
    )


def saved(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    save_figure(figure, buffer, form)
    return buffer.getvalue()


def steps_axes(ablation: Ablation, theme: str = "light") -> Any:
    (axes,) = plot_steps(ablation, theme=theme).axes
    return axes


def panels(ablation: Ablation, theme: str = "light") -> Any:
    return plot_curves(ablation, theme=theme).axes


def dots(axes: Any) -> dict[str, Any]:
    """Places and means of each series of a figure of steps."""
    return {bars.get_label(): bars.lines[0].get_xydata() for bars in axes.containers}


def test_steps() -> None:
    ablation = made_up()
    axes = steps_axes(ablation)
    table, series = ablation.table(), dots(axes)
    names = ["val, used to stop training", "test, not used for any choice",
             "val, author's data"]  # fmt: skip
    assert list(series) == names
    columns = ("val_log_loss", "test_log_loss", "author_val_log_loss")
    for name, column in zip(names, columns, strict=True):
        np.testing.assert_allclose(series[name][:, 1], table[column])
        np.testing.assert_array_equal(np.rint(series[name][:, 0]), np.arange(len(STEPS)))
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert ticks == ["base", *(f"+ {step.name}" for step in STEPS[1:])]
    heights = [bar[1, 1] - bar[0, 1] for bar in axes.containers[1].lines[2][0].get_segments()]
    np.testing.assert_allclose(heights, 2 * table["test_sd"].to_numpy())


def test_a_dot_for_each_training() -> None:
    ablation = made_up()
    axes = steps_axes(ablation)
    spots = [each.get_offsets() for each in axes.collections if len(each.get_offsets()) > 1]
    found = np.sort(np.concatenate(spots)[:, 1])
    values = ablation.trainings.select("val_log_loss", "test_log_loss").to_numpy().ravel()
    np.testing.assert_allclose(found, np.sort(values))


def test_curves() -> None:
    ablation = made_up()
    drawn = panels(ablation)
    assert [axes.get_title("left") for axes in drawn] == [
        "val, used to stop training", "test, not used for any choice",
    ]  # fmt: skip
    table = ablation.curve_table()
    for axes, split in zip(drawn, ("val", "test"), strict=True):
        lines = {str(line.get_label()): line for line in axes.get_lines()}
        assert list(lines) == [METHODS[name] for name in METHODS if name != "soup_average"]
        for (method, name), band in zip(METHODS.items(), axes.collections, strict=False):
            rows = table.filter(method=method)
            np.testing.assert_array_equal(lines[name].get_xdata(), rows["iteration"])
            mean = rows[f"{split}_log_loss"].to_numpy()
            np.testing.assert_allclose(lines[name].get_ydata(), mean)
            top = band.get_paths()[0].vertices[:, 1].max()
            assert top == pytest.approx((mean + rows[f"{split}_sd"].to_numpy()).max())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_series_differ_in_colour_and_in_mark(theme: str) -> None:
    ablation = made_up()
    lines = panels(ablation, theme)[0].get_lines()
    assert len({to_rgb(line.get_color()) for line in lines}) == 3
    assert len({line.get_marker() for line in lines}) == 3
    means = [bars.lines[0] for bars in steps_axes(ablation, theme).containers]
    assert len({to_rgb(line.get_color()) for line in means}) == 3
    assert len({line.get_marker() for line in means}) == 3


def test_without_labels_of_test_and_with_one_training() -> None:
    ablation = made_up(trainings=1, test=False)
    axes = steps_axes(ablation)
    assert list(dots(axes)) == ["val, used to stop training", "val, author's data"]
    (panel,) = panels(ablation)
    assert panel.get_title("left") == "val, used to stop training"
    assert "test" not in axes.get_title("left")


@pytest.mark.parametrize("form", ["png", "svg"])
@pytest.mark.parametrize("plot", [plot_steps, plot_curves])
def test_the_same_bytes_each_time(plot: Callable[[Ablation], Figure], form: str) -> None:
    assert saved(plot(made_up()), form) == saved(plot(made_up()), form)
