"""The page that predicts in a browser: how large it is, and how soon it answers.

Chromium opens the page of a MODEL without a network and is given a RUN at once, as somebody would
drop it: the time is from opening the page to the probabilities on it, with everything that happens
once. Then the same run again, to see what each further run takes. Needs playwright, Chromium, and
onnxruntime-web in the folder --runtime.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import gale
from benchmarks import options, tables
from benchmarks.tables import Table
from gale.portable.page import page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print the table."""
    from playwright.sync_api import sync_playwright

    parser = options.parser("benchmarks.speed.page", __doc__, repeats=7)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--runtime", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--chromium", default="chromium", help="its command (default: %(default)s)")
    asked = parser.parse_args(arguments)
    model = gale.Model.load(asked.model)
    rows: Table = [["weights", "page (MB)", "first answer (s)", "fastest", "a further run (s)"]]
    with sync_playwright() as started, tempfile.TemporaryDirectory() as place:
        path = shutil.which(asked.chromium)
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, int8 in (("as in the model file", False), ("8 bits", True)):
            file = Path(place) / f"{int8}.html"
            file.write_bytes(page(model, asked.runtime, int8=int8))
            times = [answers(browser, file, asked.run) for _ in range(asked.repeats)]
            first, further = ([each[at] for each in times] for at in range(2))
            rows.append(
                [name, f"{file.stat().st_size / 1e6:.2f}", f"{statistics.median(first):.2f}",
                 f"{min(first):.2f}", f"{statistics.median(further):.2f}"]
            )  # fmt: skip
        browser.close()
    size = asked.run.stat().st_size / 2**20
    title = f"One run of {size:.1f} MiB, medians of {asked.repeats}"
    tables.show(title, rows, markdown=asked.markdown)


def answers(browser: Browser, file: Path, run: Path) -> tuple[float, float]:
    """Seconds from opening the page to its first answer, and from there to its second."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    began = time.perf_counter()
    opened.goto(file.as_uri())
    opened.set_input_files("#files", run)
    opened.get_by_text("1 run predicted,").wait_for()
    first = time.perf_counter()
    opened.set_input_files("#files", run)
    opened.get_by_text("2 runs predicted,").wait_for()
    second = time.perf_counter()
    context.close()
    return first - began, second - first


if __name__ == "__main__":
    main()
