"""The page of a run: whole without a network, with the ions in it, and drawn by its script."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gale.plotting import Span
from gale.plotting.measures import base_peak
from gale.plotting.themes import THEMES
from gale.report.picture import Picture
from gale.report.picture import plot_page as run_page
from gale.run import Run
from helpers.html_pages import parsed
from helpers.scanned_runs import background, run_of, with_peaks

pytestmark = pytest.mark.slow

RUN = run_of(with_peaks(background()))
CHROMIUM = shutil.which("chromium")


def part(page: str, name: str) -> str:
    return str(parsed(page).get_element_by_id(name).text)


def settings(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(part(page, "settings"))
    return found


def test_nothing_is_loaded() -> None:
    page = run_page(RUN, mz=[44])
    outside = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert {address.split("/")[2] for address in outside} <= {"www.w3.org", "purl.org",
        "creativecommons.org", "matplotlib.org", "github.com"}  # fmt: skip
    assert not re.search(r'\b(?:src|href)="(?!#|data:)', page)
    assert "@" not in re.sub(r"@media", "", page.replace(part(page, "scans"), ""))
    assert "Permission is hereby granted" in page, "the licence of what draws the charts"
    assert len(page) < 600_000


def test_the_ions_are_in_it() -> None:
    page = run_page(RUN)
    found = settings(page)
    data = gzip.decompress(base64.b64decode(part(page, "scans")))
    scans, ions = found["scans"], found["ions"]
    assert (scans, ions) == (RUN.n_scans, RUN.n_ions)
    assert len(data) == 4 * (scans + scans + 1 + ions + ions)
    np.testing.assert_array_equal(np.frombuffer(data, "<u4", scans + 1, 4 * scans), RUN.scan_start)
    np.testing.assert_allclose(
        np.frombuffer(data, "<f4", offset=4 * (2 * scans + 1 + ions)), RUN.intensity, rtol=2e-5
    )
    assert found["scan"] == RUN.total_ion_current.argmax()
    assert found["first_scan"] == 1


def test_a_range_and_a_time() -> None:
    found = settings(run_page(RUN, time_range=(1.0, 2.0), mz_range=(50.0, 90.0), at_min=1.5))
    assert (found["scans"], found["first_scan"], found["scan"]) == (121, 121, 60)
    assert found["mz"] == [50.0, 90.0]


def test_what_the_charts_are_told() -> None:
    spans = {"carboxylic_acid": [Span(1.0, 1.25, 0.5)]}
    picture = Picture.of(RUN, mz=[44, 57], lanes=spans, log=True, labels=[(2.5, "</script> acid")])
    found = json.loads(picture.settings)
    assert (found["extracted"], found["log"], found["totals"]) == ([44, 57], True, False)
    assert found["lanes"] == [["carboxylic acid", [[1.0, 1.25, 0.5]]]]
    assert found["peaks"] == [[2.5, "</script> acid"]]
    assert "</script>" not in picture.settings
    assert (found["shades"][0], found["shades"][-1]) == ("#440154", "#fde725")


def test_totals_are_of_all_ions_even_if_some_are_left_out() -> None:
    picture = Picture.of(RUN, most_bytes=30_000)
    found = json.loads(picture.settings)
    assert found["totals"]
    assert 0 < found["ions"] < RUN.n_ions
    data = gzip.decompress(base64.b64decode(picture.scans))
    scans, ions = found["scans"], found["ions"]
    totals = np.frombuffer(data, "<f4", offset=4 * (2 * scans + 1 + 2 * ions)).reshape(2, scans)
    np.testing.assert_allclose(totals[0], RUN.total_ion_current, rtol=2e-5)
    np.testing.assert_allclose(totals[1], base_peak(RUN), rtol=2e-5)
    assert f"only the {ions:,} highest" in picture.left_out


def test_its_colours_are_variables_of_both_themes() -> None:
    page = run_page(RUN)
    picture = page[page.index("<svg") : page.index("</svg>")]
    for name, colour in THEMES["light"].names.items():
        assert colour not in picture
        assert f"--{name}: {colour};" in page
        assert f"--{name}: {THEMES['dark'].names[name]};" in page
    assert "var(--total)" in picture


def test_names_of_files_are_text() -> None:
    run = Run.from_scans(
        RUN.time_min, RUN.ions_per_scan, RUN.mz, RUN.intensity, source="x/<script>@SVG@.csv"
    )
    page = run_page(run)
    assert parsed(page).findtext(".//title") == "<script>@SVG@.csv"
    assert "<script>@SVG@" not in page


def test_the_same_run_gives_the_same_page() -> None:
    assert run_page(RUN) == run_page(RUN)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_script_draws_the_spectrum(tmp_path: Path) -> None:
    page = run_page(RUN, at_min=2.5)
    press = 'picture.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}))'
    page = page.replace("</body>", f"<script>setTimeout(() => {press}, 800)</script></body>")
    (tmp_path / "run.html").write_text(page, "utf-8")
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--virtual-time-budget=3000", f"file://{tmp_path / 'run.html'}"],
        capture_output=True, text=True, check=True, timeout=240,
    )  # fmt: skip
    shown = parsed(done.stdout)
    assert str(shown.get_element_by_id("readout").text).startswith("2.508 min, scan 302: total ")
    (plot,) = shown.xpath('//*[@id="spectrum"]/svg')
    assert plot.get("aria-label") == "spectrum at 2.508 min"
    (sticks,) = plot.xpath("./path")
    assert sticks.get("d").count("M") == RUN.ions_per_scan[301]


def test_a_run_of_very_many_scans_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gale.report.picture.MOST_SCANS", 20)
    n_scans = 101
    intensity = np.ones(2 * n_scans)
    intensity[140] = 900.0  # in scan 70, from 0
    run = Run.from_scans(
        np.linspace(1, 2, n_scans), np.full(n_scans, 2), np.tile([57.0, 91.0], n_scans), intensity
    )
    picture = Picture.of(run, most_bytes=10_000)
    found = json.loads(picture.settings)
    assert found["scans"] == len(found["numbers"]) <= 20
    assert found["numbers"][found["scan"]] == 71, "the highest scan keeps its number"
    assert f"only {found['scans']} of the run's 101 scans" in picture.left_out
    whole = Picture.of(run)
    assert (json.loads(whole.settings)["numbers"], whole.left_out) == (None, "")


def test_times_alone_may_be_more_than_a_page_holds() -> None:
    """Packing ends, however many scans there are; no ions may be left."""
    run = Run.from_scans(
        np.random.default_rng(0).uniform(0, 1, 3000).cumsum(), np.full(3000, 1),
        np.full(3000, 57.0), np.ones(3000),
    )  # fmt: skip
    picture = Picture.of(run, most_bytes=2_000)
    assert json.loads(picture.settings)["ions"] == 0
