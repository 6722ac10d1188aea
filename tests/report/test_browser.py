"""Pages in a real browser: they load nothing, complain of nothing, and do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import gale
from gale.report import plot_page
from helpers.browsers import CHROMIUM, Watched, chromium
from helpers.commands import succeed
from helpers.shared import made_once

if TYPE_CHECKING:
    from playwright import sync_api
else:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

N_RUNS = 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


class Opened(Watched):
    """A page of a report."""

    def open(self, file: Path) -> sync_api.Page:
        self.page.goto(file.as_uri())
        return self.page

    def check(self, *files: Path) -> None:
        assert self.complaints == []
        assert self.requests == [file.as_uri() for file in files]
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=[(1200, "light"), (400, "dark")], ids=["wide and light", "narrow and dark"])
def opened(browser: sync_api.Browser, request: pytest.FixtureRequest) -> Iterator[Opened]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    yield Opened(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def pages(
    stack_file: Path, campaign_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The pages of some test runs, and that of the training."""

    def make(folder: Path) -> None:
        model = ("--model", stack_file, "-q")
        runs = sorted((campaign_folder / "test_features").iterdir())[:N_RUNS]
        succeed("report", "run", *runs, "-o", folder / "runs", *model)
        page = folder / "training.html"
        with pytest.MonkeyPatch.context() as patch:
            for most in ("MOST_RUNS", "MOST_LABELS"):  # each listed run has a page
                patch.setattr(f"gale.report.training_page.{most}", 2)
            succeed("report", "training", campaign_folder, "-o", page, "--pages", *model)

    return made_once(tmp_path_factory, "pages", make)


def a_run(pages: Path) -> Path:
    """A run that has evidence."""
    return next(
        file for file in sorted((pages / "runs").glob("S*.html"))
        if "data-time" in file.read_text("utf-8")
    )  # fmt: skip


def test_the_page_of_a_run(opened: Opened, pages: Path) -> None:
    file = a_run(pages)
    page = opened.open(file)
    readout, spectrum = page.locator("#readout"), page.locator("#spectrum svg")
    sync_api.expect(readout).to_contain_text("min, scan")
    before = readout.inner_text()
    page.locator("#picture").focus()
    page.keyboard.press("ArrowRight")
    sync_api.expect(readout).not_to_have_text(before)
    sync_api.expect(spectrum).to_have_attribute(
        "aria-label", f"spectrum at {readout.inner_text().split()[0]} min"
    )
    button = page.locator("button[data-time]").first
    wanted = float(button.get_attribute("data-time") or "nan")
    button.click()
    mz = (button.get_attribute("data-mz") or "").split(",")
    drawn = page.locator("#extracted")
    assert f"m/z {', '.join(mz)}" == drawn.get_attribute("aria-label")
    assert drawn.locator(".u-legend .u-series:visible").count() == len(mz) > 0
    assert colours(drawn.locator("canvas")) > 2, "its lines are drawn"
    found = float(readout.inner_text().split()[0])
    assert abs(found - wanted) < 0.1
    assert page.evaluate("document.activeElement.id") == "picture"
    first, last = view(page)
    assert first <= wanted <= last
    page.locator("#drop").click()
    sync_api.expect(drawn).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "picture", "not lost with the button"
    for holder in page.locator(".window .spectrum").all():
        sync_api.expect(holder.locator("svg path").first).to_be_attached()
    opened.check(file)


def view(page: sync_api.Page) -> tuple[float, float]:
    """The times that the charts show."""
    words = page.locator("#view").inner_text().split()
    return float(words[0]), float(words[2])


def colours(canvas: sync_api.Locator) -> int:
    """How many colours of strong lines a chart has, without shades of grey."""
    return int(
        canvas.evaluate("""canvas => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const found = new Set();
          for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue, opacity] = data.slice(at, at + 4);
            if (opacity > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60)
              found.add([red, green, blue].map((each) => each >> 5).join());
          }
          return found.size;
        }""")
    )


def test_the_chromatogram_is_zoomed(opened: Opened, pages: Path) -> None:
    page = opened.open(a_run(pages))
    assert not page.locator("#picture .still").is_visible(), "the charts take the drawing's place"
    shown = page.locator("#view")
    sync_api.expect(shown).to_have_text("whole run")
    assert colours(page.locator("#map canvas")) > 2
    page.locator("#controls").scroll_into_view_if_needed()
    page.locator("#current .u-over").hover()
    over = page.locator("#current .u-over").bounding_box()
    assert over is not None
    x, y = over["x"] + over["width"] / 2, over["y"] + over["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + over["width"] / 4, y, steps=3)
    page.mouse.up()
    sync_api.expect(shown).to_contain_text("min")
    first, last = view(page)
    page.locator("#picture").focus()
    page.keyboard.press("+")
    nearer = view(page)
    assert nearer[1] - nearer[0] == pytest.approx((last - first) / 2, abs=0.02)
    page.keyboard.press("PageDown")
    assert view(page)[0] == pytest.approx(nearer[0] + (nearer[1] - nearer[0]) / 2, abs=0.02)
    for _ in range(30):
        page.keyboard.press("ArrowRight")  # the chosen scan is in view
    chosen = float(page.locator("#readout").inner_text().split()[0])
    assert view(page)[0] <= chosen <= view(page)[1]
    page.keyboard.press("0")
    sync_api.expect(shown).to_have_text("whole run")
    logarithmic = page.locator("#log").is_checked()
    page.keyboard.press("l")
    assert page.locator("#log").is_checked() is not logarithmic
    assert opened.complaints == []


def test_without_scripts_there_is_a_drawing(browser: sync_api.Browser, pages: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(a_run(pages).as_uri())
    assert page.locator("#picture .still svg").is_visible()
    assert not page.locator("#controls").is_visible()
    context.close()


def test_the_pointer_reads_times(opened: Opened, pages: Path) -> None:
    page = opened.open(a_run(pages))
    readout = page.locator("#readout")
    sync_api.expect(readout).to_contain_text("min, scan")
    times = []
    for x in (150, 210):
        page.locator("#current .u-over").hover(position={"x": x, "y": 60})
        times.append(float(readout.inner_text().split()[0]))
    assert times[0] < times[1]
    assert opened.complaints == []


def test_intensities_are_whole(browser: sync_api.Browser, tmp_path: Path) -> None:
    """Of 1200 the zeros count."""
    run = gale.Run.from_scans(
        np.linspace(0, 5, 4), np.ones(4, dtype=int), np.full(4, 44.0),
        np.array([1200.0, 5000.0, 12.5, 3.0e6]),
    )  # fmt: skip
    file = tmp_path / "run.html"
    file.write_text(plot_page(run, at_min=0.0), "utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    readout = page.locator("#readout")
    for shown in ("1200", "5000", "12.5", "3e6"):
        sync_api.expect(readout).to_contain_text(f"total {shown}, base peak m/z 44.0 with {shown}")
        page.locator("#picture").press("ArrowRight")
    page.close()


def test_the_index(opened: Opened, pages: Path) -> None:
    file = pages / "runs/index.html"
    page = opened.open(file)
    rows = page.locator("#runs tbody tr")
    assert rows.count() == N_RUNS
    heading = page.locator("#runs thead th").nth(1)
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    values = "rows => rows.map(row => Number(row.cells[1].dataset.value))"
    found = rows.evaluate_all(values)
    assert found == sorted(found, reverse=True)
    page.keyboard.press("Enter")
    assert rows.evaluate_all(values) == sorted(found)
    first = page.locator("#runs tbody tr").first.locator("a").inner_text()
    page.locator("#filter").fill(first)
    assert page.locator("#runs tbody tr:visible").count() == 1
    assert page.locator("#count").inner_text() == f"1 of {N_RUNS} runs"
    opened.check(file)
    page.locator("#runs tbody tr:visible a").click()
    page.wait_for_url("**/runs/S*.html")
    assert page.locator("h1").inner_text() == Path(first).name


def test_the_training(opened: Opened, pages: Path) -> None:
    file = pages / "training.html"
    page = opened.open(file)
    assert page.locator("svg[role=img]").count() == 6
    assert not page.locator("#course-charts .still").is_visible(), "charts take its place"
    drawn = page.locator("#curves .uplot")
    sync_api.expect(drawn).to_have_count(2)  # one for each part of the stack
    assert colours(drawn.locator("canvas").first) > 1
    page.locator("#log").check()
    page.locator("#curves .u-over").first.hover()
    sync_api.expect(page.locator("#told")).to_contain_text("epoch")
    page.locator("nav a", has_text="Labels worth a second look").click()
    sync_api.expect(page.locator("#second-look")).to_be_in_viewport()
    opened.check(file)
    facts = page.locator("dl.facts").inner_text()
    assert "gale report training" in facts
    assert "--pages" in facts
    link = page.locator("#wrong ~ div th a").first
    name = link.inner_text()
    link.click()
    page.wait_for_url("**/training.runs/*.html")
    assert name in page.locator("h1").inner_text()


@pytest.mark.parametrize("name", ["runs/index.html", "training.html", "run"])
def test_what_a_screen_reader_finds(browser: sync_api.Browser, pages: Path, name: str) -> None:
    page = browser.new_page()
    page.goto((a_run(pages) if name == "run" else pages / name).as_uri())
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title()
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(each => +each.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = """all => all.filter(each => !(each.textContent.trim() || each.ariaLabel
        || each.labels?.length)).length"""
    assert page.locator("a, button, input").evaluate_all(unnamed) == 0
    silent = "all => all.filter(each => !each.ariaLabel && each.ariaHidden !== 'true').length"
    assert page.locator("main > svg, div > svg, td > svg").evaluate_all(silent) == 0
    assert page.locator("th:not([scope]):not(.u-legend th)").count() == 0  # in a role=img
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))
    page.close()


def test_paper(browser: sync_api.Browser, pages: Path) -> None:
    """On paper pages are light, and without what can be pressed."""
    context = browser.new_context(color_scheme="dark", viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.goto(a_run(pages).as_uri())
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    assert page.locator("button:not(th button):visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.pdf().startswith(b"%PDF")
    context.close()
