"""What a notebook shows: the facts, the problems, and no HTML but gale's own."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import gale
from gale.evaluation import Evaluation
from gale.notebook.run import HEIGHT, WIDTH, chromatogram
from gale.plotting import ShownFigure
from gale.run import Run
from helpers.model_files import restated
from helpers.run_files import small_run
from helpers.training import Trained

BAD = "<img src=x onerror=alert(1)>"
"""A name that would be a picture."""


def text_of(html: str) -> str:
    """The words that a reader sees; fails if the HTML is not well formed."""
    return " ".join(ElementTree.fromstring(html).itertext())


def evaluation(**changes: str) -> Evaluation:
    names = {"run": "S", "family": "alcohol", **changes}
    runs = [f"{names['run']}{number}" for number in range(4)]
    predictions = pl.DataFrame({"run": runs, names["family"]: [0.9, 0.2, 0.6, 0.1]})
    labels = pl.DataFrame({"run": [*runs[:3], "other"], names["family"]: [1, 0, 1, 0]})
    with pytest.warns(gale.GaleWarning):
        return gale.evaluate(predictions, labels, resamples=20)


def test_a_run_with_its_chromatogram_facts_and_oddities() -> None:
    run = replace(small_run(), facts={"instrument": "QP2010"}).with_notes("a scan was left out")
    html = run._repr_html_()
    words = text_of(html)
    for fact in ("memory", "40 scans", "2.50 to 5.42 min", "QP2010", "a scan was left out"):
        assert fact in words
    assert "<svg" in html
    assert len(html) < 10_000


def test_the_line_keeps_the_highest_peak_and_the_size_whatever_the_number_of_scans() -> None:
    time_min = np.linspace(0, 30, 50_000)
    current = np.ones(50_000)
    current[31_234] = 1000.0
    svg = ElementTree.fromstring(str(chromatogram(time_min, current)))
    line = next(each for each in svg if each.tag == "polyline")
    points = np.array([list(map(float, pair.split(","))) for pair in line.attrib["points"].split()])
    assert len(points) == 2 * WIDTH
    top = points[points[:, 1].argmin()]
    assert top[0] == int(31_234 / 49_999 * WIDTH)
    assert 0 <= top[1] < 10
    assert points[:, 1].max() <= HEIGHT
    ticks = [float(each.text or "") for each in svg if each.get("text-anchor") == "middle"]
    assert ticks == [0, 5, 10, 15, 20, 25]


@pytest.mark.parametrize("times", [[1.0, 1.0], [0.0, 1e-9], [0.0, 1e6]])
def test_runs_of_any_length(times: list[float]) -> None:
    text_of(Run.from_scans(times, [1, 1], [43, 57], [0, 0])._repr_html_())


def test_a_campaign_with_its_families_and_problems(tmp_path: Path) -> None:
    runs = [Run.from_rows([1, 2], [43, 57], [9, 4], source=name) for name in ("a", "b", "c")]
    labels = pl.DataFrame({"run": ["a", "b", "c"], "acid": [1, 0, None], "rare": [0, 0, 0]})
    campaign = gale.Campaign.from_runs([*runs[:2], tmp_path / "c.csv"], labels, groups=[1, 1, 2])
    words = text_of(campaign._repr_html_())
    for fact in ("3 runs", "2 groups", "1 of 2", "0.50", "column rare", "c.csv", "1 file"):
        assert fact in words
    text_of(gale.Campaign.from_runs(runs)._repr_html_())


def test_a_model_as_a_card(trained: Trained) -> None:
    words = text_of(trained.model._repr_html_())
    loss = trained.model.facts["scores"]["log_loss"]
    for fact in ("Model tiny", "summary features", f"log loss {loss:.3f}", *trained.model.families):
        assert fact in words
    assert "not calibrated" in words
    assert "simulated runs alone" in text_of(gale.bundled_model()._repr_html_())


def test_an_evaluation_beside_its_baseline() -> None:
    found = evaluation()
    words = text_of(found._repr_html_())
    mean = found.scores.mean["log_loss"].value
    for fact in (f"{mean:.3f}", "3 runs", "mean over families", "other", "flatters it"):
        assert fact in words
    assert len(repr(found)) < 120


def test_names_from_files_are_no_html(trained: Trained) -> None:
    facts = {
        **trained.model.facts,
        "training": {**trained.model.facts["training"], "campaign": BAD},
    }
    run = replace(small_run(), source=BAD, facts={BAD: BAD}).with_notes(BAD)
    things = [
        run,
        gale.Campaign.from_runs([run], [[1, 0]], families=[BAD, "b"], groups=[BAD]),
        gale.Model(restated(trained.path.read_bytes(), facts)),
        evaluation(run=BAD, family=BAD),
    ]
    for thing in things:
        html = thing._repr_html_()
        assert "<img" not in html
        assert BAD in text_of(html)
        assert not re.search(r"<script|onerror=(?!alert\(1\)&gt;)", html)


def test_figures_show_themselves() -> None:
    figure = gale.plot_run(small_run())
    assert isinstance(figure, ShownFigure)
    data, size = figure._repr_png_()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == pytest.approx((2 * size["width"], 2 * size["height"]), abs=2)


def test_a_run_knows_nothing_of_pages() -> None:
    code = "import gale.run, sys; print(sorted(set(sys.modules) & {'gale.notebook', 'markupsafe'}))"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "[]"
