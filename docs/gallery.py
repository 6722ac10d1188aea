"""Make the pictures of docs/gallery.md, with the commands that the page shows.

    python docs/gallery.py [--work gallery]

Takes some 15 minutes, most of them for training the recipe default. What is in the work folder is
used again. Pages are photographed in Chromium, which has to be installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

DOCS = Path(__file__).parent
GALE = Path(sys.executable).with_name("gale")
WIDE, NARROW = (1200, 860), (420, 860)
RUNS = 40


def main() -> None:
    """Run the commands, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("gallery"))
    work = parser.parse_args().work
    pictures = DOCS / "gallery"
    pictures.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    make(work)
    for name in ("table", "curves"):
        shutil.copy(work / "ablation" / f"{name}.png", pictures / f"ablation-{name}.png")
    shutil.copy(work / "run.png", pictures / "plot.png")
    with sync_playwright() as started:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser, work, pictures)
        browser.close()


def make(work: Path) -> None:
    """Run the commands whose results are not there yet."""
    campaign, model = work / "campaign", work / "model.onnx"
    if not campaign.exists():
        gale("simulate", "-o", campaign, "--runs", "300,100,200", "--ions", "20000", "--seed", "0")
    if not model.exists():
        gale("train", campaign, "-o", model)
    runs = sorted((campaign / "test_features").iterdir())[:RUNS]
    gale("report", "run", *runs, "--model", model, "-o", work / "pages", "--force")
    gale("plot", runs[0], "-o", work / "run.png", "--mz", "57", "--mz", "73", "--force")
    if not (work / "ablation").exists():
        gale("ablate", campaign, "-o", work / "ablation", "--recipe", "quick", "--trainings", "5")


def gale(*words: object) -> None:
    """Run a command as a user would."""
    subprocess.run([str(GALE), *map(str, words)], check=True)


def photograph(browser: Browser, work: Path, pictures: Path) -> None:
    """Take pictures of pages, at two widths, light and dark."""
    run = most_evident(work / "pages")
    with_page(browser, run, WIDE, "light").screenshot(path=pictures / "run.png")
    page = with_page(browser, run, WIDE, "light")
    shot(page.locator("section:has(.window)").first, pictures / "evidence.png")
    shot(page.locator("#picture"), pictures / "picture.png")
    with_page(browser, run, NARROW, "dark").screenshot(path=pictures / "run-narrow.png")
    index = with_page(browser, work / "pages/index.html", WIDE, "light")
    index.screenshot(path=pictures / "index.png")
    page = with_page(browser, work / "model.report.html", WIDE, "light")
    page.screenshot(path=pictures / "training.png")
    for name in ("reliability diagrams", "label correlations", "families found by abundance"):
        chart = page.locator(f"svg[aria-label='{name}']")
        shot(chart, pictures / f"{name.replace(' ', '-')}.png")
    doubts = page.locator("#doubts ~ div table").first
    shot(doubts, pictures / "doubts.png")
    page = with_page(browser, work / "model.report.html", NARROW, "dark")
    page.screenshot(path=pictures / "training-narrow.png")


def most_evident(pages: Path) -> Path:
    """The run with evidence for most families; of several, the first."""
    return max(
        (file for file in sorted(pages.glob("*.csv.html"))),
        key=lambda file: file.read_text("utf-8").count("<section aria-labelledby"),
    )


def with_page(browser: Browser, file: Path, size: tuple[int, int], scheme: str) -> Page:
    """Open a page."""
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(file.absolute().as_uri())
    page.wait_for_load_state("networkidle")
    return page


def shot(part: Locator, file: Path) -> None:
    """Photograph a part of a page."""
    part.screenshot(path=file)


if __name__ == "__main__":
    main()
