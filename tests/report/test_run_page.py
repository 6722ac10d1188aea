"""The page of a run: its words, tables and spectra are what the model gives."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gale
from gale.errors import ModelError
from gale.evidence import find_attributions, find_windows
from gale.matching import Matcher
from gale.peaks.largest import LABELS
from gale.plumbing.text import in_words, probability
from gale.report import run_report
from gale.report.run_page import FamilyRow
from helpers.errors import refused
from helpers.html_pages import parsed, text
from helpers.small_libraries import library
from helpers.training import Trained

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning"),
]


@pytest.fixture(scope="module")
def run(campaign: gale.Campaign) -> gale.Run:
    return gale.read_run(campaign.of_split("test").paths[0])


@pytest.fixture(scope="module")
def page(stack: gale.Model, run: gale.Run) -> Any:
    return parsed(run_report(stack, run, provenance={"file SHA-256": "0123"}))


def test_every_family_with_its_numbers(page: Any, stack: gale.Model, run: gale.Run) -> None:
    row = stack.predict(run).row(0, named=True)
    families = sorted(stack.families, key=lambda name: -row[name])
    shown = [
        [text(cell) for cell in line.xpath("./th|./td")][:4] for line in page.xpath("//table[1]")[0]
        .xpath("./tbody/tr")
    ]  # fmt: skip
    assert shown == [
        [
            in_words(name), probability(row[name]), f"{row[name + '_spread']:.2f}",
            probability(stack.prevalence[name]),
        ]
        for name in families
    ]  # fmt: skip
    bars = page.xpath("//*[@class='bar']/rect[@class='value']/@width")
    np.testing.assert_allclose(
        [float(width) for width in bars], [218 * row[name] for name in families], atol=0.06
    )


def test_words_begin_with_what_is_probable(page: Any, stack: gale.Model, run: gale.Run) -> None:
    row = stack.predict(run).row(0, named=True)
    said = " ".join(text(each) for each in page.xpath("//h1/following-sibling::p")[:2])
    for name in stack.families:
        shown = f"{in_words(name)} ({probability(row[name])})"
        assert (shown in said) == (row[name] >= min(stack.prevalence[name], 0.5))


def test_evidence_is_that_of_the_windows(page: Any, stack: gale.Model, run: gale.Run) -> None:
    windows = find_windows(stack, run, matcher=Matcher.default())
    assert windows, "the run has families that are more probable than usual"
    times = [float(each) for each in page.xpath("//section//button/@data-time")]
    assert sorted(times) == pytest.approx(sorted(window.apex_min for window in windows))
    shown = {tuple(map(int, filter(None, each.split(",")))) for each in page.xpath("//@data-mz")}
    assert {window.ions for window in windows} <= shown
    keys = {match.inchikey for window in windows for match in window.matches}
    assert keys - {""} <= {text(each) for each in page.xpath("//code")}
    spectra = json.loads(page.get_element_by_id("spectra").text)
    assert len(spectra) == len(windows)
    for each in spectra:
        assert page.get_element_by_id(each["holder"]) is not None
        assert max(height for _, height in each["ions"]) == 1.0
        assert each["low"] < each["ions"][0][0] < each["ions"][-1][0] < each["high"]
    lanes = "".join(page.xpath("//*[@id='picture']//*[name()='text']/text()"))
    for window in windows:
        assert in_words(window.family) in lanes


def test_the_largest_peaks_are_named(page: Any, run: gale.Run) -> None:
    peaks = gale.find_peaks(run)
    largest = sorted(peaks, key=lambda peak: -peak.area)[:LABELS]
    rows = page.xpath("//table[@aria-label='peaks']/tbody/tr")
    assert len(rows) == len(largest) > 0
    for row, peak in zip(rows, sorted(largest, key=lambda peak: peak.apex_min), strict=True):
        time, _, purity, base_mz, compound, key, match, *_ = (
            text(cell) for cell in row.xpath("./th|./td")
        )
        assert time == f"{peak.apex_min:.3f}"
        assert (purity, base_mz) == (f"{peak.purity:.2f}", str(peak.base_mz))
        if not peak.matches:
            assert (compound, match) == (peak.verdict, "–")
            continue
        best = peak.matches[0]
        assert (compound, key, match) == (best.compound, best.inchikey or "–", str(best.match))


def test_spectra_beside_that_of_the_best_match(stack: gale.Model, run: gale.Run) -> None:
    window = find_windows(stack, run, least=0.0)[0]
    ions = {
        int(mz): float(height)
        for mz, height in zip(stack.event_spec.mz, window.spectrum, strict=True)
        if height > 0
    }
    matcher = Matcher(library(ions, {60: 1.0}))
    given = {**stack.predict(run).row(0, named=True), window.family: 0.99}
    page = parsed(run_report(stack, run, matcher=matcher, prediction=given))
    spectra = json.loads(page.get_element_by_id("spectra").text)
    there = [each for each in spectra if each["title"].startswith(f"{window.apex_min:.3f} min")]
    if not there:
        assert window.probability < stack.prevalence[window.family]
        return
    found = next(each for each in there if each["other"] == each["ions"])
    assert "compound 0, cosine 1.00 (down)" in found["title"]


def test_without_an_elution_network_it_is_attribution(trained: Trained, run: gale.Run) -> None:
    page = parsed(run_report(trained.model, run))
    assert "attribution to features" in text(page)
    assert text(page.xpath("//thead//th")[1]) == "score", "not a probability"
    assert re.findall(r"\S*probab\S*", text(page.xpath("//main")[0])) == ["probabilities"]
    assert "trained as probabilities but not calibrated" in text(page)
    attributions = find_attributions(trained.model, run)
    assert attributions
    for each in attributions:
        for mz, fall in zip(each.ions, each.falls, strict=True):
            assert f"{mz} ({fall:.2f})" in text(page)
    assert not page.xpath("//*[@id='spectra']")
    with refused(ModelError, trained.model.source):
        run_report(trained.model, run, matcher=Matcher.default())


def test_what_is_odd_is_said(stack: gale.Model, run: gale.Run) -> None:
    given = {**stack.predict(run).row(0, named=True), "unlike": 7.25}
    noted = replace(run, notes=("the times are <odd>",))
    page = parsed(run_report(stack, noted, prediction=given))
    warnings = [text(each) for each in page.xpath("//*[@class='warnings']/li")]
    assert "the times are <odd>" in warnings
    assert any("7.2" in each for each in warnings)


@pytest.mark.parametrize("status", ["ok", "doubtful"])
def test_a_doubtful_run_says_so_first(stack: gale.Model, run: gale.Run, status: str) -> None:
    row = {**stack.predict(run).row(0, named=True), "status": status, "unlike": 2.5}
    page = parsed(run_report(stack, run, prediction=row))
    first = text(page.xpath("//h1/following-sibling::p")[0])
    assert first.startswith("Doubtful") == (status == "doubtful")
    numbers = [text(cell) for cell in page.xpath("//table[@aria-label='families']/tbody//td[1]")]
    assert {number.endswith("?") for number in numbers} == {status == "doubtful"}
    why = [text(each) for each in page.xpath("//p[@class='doubt']")]
    assert ["far from the training runs (distance 2.5" in each for each in why] == [True] * (
        status == "doubtful"
    )


def test_where_it_is_from(page: Any, stack: gale.Model, run: gale.Run) -> None:
    facts = {text(name): text(name.getnext()) for name in page.xpath("//dl/dt")}
    assert facts["file"] == run.source
    assert facts["file SHA-256"] == "0123"
    assert facts["training fingerprint"] == stack.facts["training"]["fingerprint"]


def test_a_large_run_has_a_bounded_page(stack: gale.Model, run: gale.Run) -> None:
    times = 300_000 // run.n_ions + 1
    mz = np.repeat(run.mz, times)
    random = np.random.default_rng(0)
    mz = mz + random.uniform(-0.3, 0.3, len(mz))
    intensity = np.repeat(run.intensity, times) * random.uniform(0.5, 2, len(mz))
    large = gale.Run.from_scans(run.time_min, run.ions_per_scan * times, mz, intensity)
    page = run_report(stack, large)
    assert len(page) < 2_000_000
    (kept,) = re.findall(rf"([\d,]+) highest of the run's {large.n_ions:,}", text(parsed(page)))
    assert 100_000 < int(kept.replace(",", "")) < large.n_ions


def test_nothing_is_loaded(stack: gale.Model, run: gale.Run) -> None:
    page = run_report(stack, run)
    assert not re.search(r'\b(?:src|href)="(?!#|data:)', page)
    assert not re.search(r"@import|url\((?!#)", page)


@pytest.mark.parametrize(
    ("spread", "expected"), [(0.2, (0.7, 1.0)), (0.05, (0.85, 0.95)), (math.nan, (0.9, 0.9))]
)
def test_the_spread_stays_between_0_and_1(spread: float, expected: tuple[float, float]) -> None:
    assert FamilyRow(3, "a_b", 0.9, 0.1, spread, ()).from_to == pytest.approx(expected)
    assert FamilyRow(3, "a_b", 0.9, 0.1, spread, ()).anchor == "family-3"


def test_a_run_in_which_nothing_stands_out(stack: gale.Model) -> None:
    n_scans = 50
    mz = np.tile([44.0, 57.0, 60.0], n_scans)
    flat = gale.Run.from_scans(
        np.linspace(0, 5, n_scans), np.full(n_scans, 3), mz, np.full(len(mz), 7.0)
    )
    with pytest.warns(gale.GaleWarning):  # it is far from the training runs
        given = {**stack.predict(flat).row(0, named=True), "alcohol": 0.99}
    page = parsed(run_report(stack, flat, prediction=given))
    spectra = json.loads(page.get_element_by_id("spectra").text)
    assert all(each["low"] < each["high"] for each in spectra)


def test_families_of_any_name(stack: gale.Model, stack_file: Path, run: gale.Run) -> None:
    odd = {"alcohol": "spectra", "mineral": "<b>&amp; two words", "aromatic": "a$x$"}

    class Renamed(gale.Model):
        @property
        def families(self) -> tuple[str, ...]:
            return tuple(odd.get(name, name) for name in stack.families)

        @property
        def prevalence(self) -> dict[str, float]:
            return dict.fromkeys(self.families, 0.0)

    table = stack.predict(run)
    given = {
        odd.get(name.removesuffix("_spread"), name.removesuffix("_spread"))
        + name[len(name.removesuffix("_spread")) :]: value
        for name, value in table.row(0, named=True).items()
    }
    page = parsed(run_report(Renamed(stack_file.read_bytes()), run, prediction=given))
    names = [text(each) for each in page.xpath("//section/h3")]
    assert any(name.startswith("<b>&amp; two words: ") for name in names)
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = page.xpath("//tbody//a/@href")
    assert {link.removeprefix("#") for link in links} <= set(ids)
