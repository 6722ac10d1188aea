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

from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parent
GALE = Path(sys.executable).with_name("gale").absolute()
WIDE, TALL, NARROW = (1200, 860), (1200, 1180), (420, 860)
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

    def gale(*words: str) -> None:
        """Run a command as a user would who is in the work folder."""
        subprocess.run([str(GALE), *words], cwd=work, check=True)

    if not (work / "campaign").exists():
        size = ("--runs", "300,100,200", "--ions", "20000", "--instruments", "3")
        gale("simulate", "-o", "campaign", "--design", "different", *size)
    if not (work / "model.onnx").exists():
        gale("train", "campaign", "-o", "model.onnx")
    files = sorted((work / "campaign/test_features").iterdir())[:RUNS]
    runs = [str(file.relative_to(work)) for file in files]
    gale("report", "run", *runs, "-o", "pages", "--force")
    gale("plot", runs[0], "-o", "run.png", "--mz", "57", "--mz", "73", "--force")
    if not (work / "ablation").exists():
        gale("ablate", "campaign", "-o", "ablation", "--recipe", "quick", "--trainings", "5")


def photograph(browser: Browser, work: Path, pictures: Path) -> None:
    """Take pictures of pages, at two widths, light and dark."""
    run = most_evident(work / "pages")
    with_page(browser, run, TALL, "light").screenshot(path=pictures / "run.png")
    page = with_page(browser, run, WIDE, "light")
    page.locator("section:has(.window)").first.screenshot(path=pictures / "evidence.png")
    page.locator("#picture").screenshot(path=pictures / "picture.png")
    page.locator("section button[data-time]").first.click()
    page.locator("#picture").screenshot(path=pictures / "extracted.png")
    with_page(browser, run, NARROW, "dark").screenshot(path=pictures / "run-narrow.png")
    index = with_page(browser, work / "pages/index.html", WIDE, "light")
    index.screenshot(path=pictures / "index.png")
    page = with_page(browser, work / "model.report.html", WIDE, "light")
    page.screenshot(path=pictures / "training.png")
    for name in ("reliability diagrams", "label correlations", "families found by abundance"):
        chart = page.locator(f"svg[aria-label='{name}']")
        chart.screenshot(path=pictures / f"{name.replace(' ', '-')}.png")
    labels = page.locator("#second-look ~ div table").first
    labels.screenshot(path=pictures / "second-look.png")
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


if __name__ == "__main__":
    main()
