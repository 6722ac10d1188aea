"""Pages: what is put into them is text, numbers are rounded to what they deserve."""

from __future__ import annotations

import json

import pytest
from jinja2 import UndefinedError
from matplotlib.figure import Figure

from gale.plumbing.text import probability
from gale.report.pages import as_json, render, signed, themed_svg


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "<0.01"), (0.0099, "<0.01"), (0.01, "0.01"), (0.456, "0.46"), (0.9912, ">0.99"),
        (1.0, ">0.99"),
    ],
)  # fmt: skip
def test_probabilities(value: float, shown: str) -> None:
    assert probability(value) == shown


def test_differences_have_a_sign() -> None:
    assert (signed(0.0123), signed(-0.0123)) == ("+0.012", "−0.012")


def test_json_cannot_end_its_element() -> None:
    values = {"name": "</script><!--", "numbers": [1, 2.5]}
    text = as_json(values)
    assert "<" not in text
    assert json.loads(text) == values


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("plot.html", title="x")


def test_figures_keep_no_names_that_others_have() -> None:
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0], "o")
    svg = themed_svg(figure, 'a "label" <b>')
    assert 'id="figure_1"' not in svg
    assert 'id="axes_1"' not in svg
    assert "<metadata" not in svg
    assert 'aria-label="a &#34;label&#34; &lt;b&gt;"' in svg
    for reference in ("url(#", 'xlink:href="#'):
        for after in svg.split(reference)[1:]:
            name = after.split(")")[0].split('"')[0]
            assert f'id="{name}"' in svg
