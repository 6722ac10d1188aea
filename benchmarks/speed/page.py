"""The page that predicts in a browser: how large it is, and how soon it answers.

Chromium opens the page of a MODEL without a network and is given a RUN at once, as somebody would
drop it: the first answer counts from opening the page to the probabilities on it, with everything
that happens once. Then it is given the same run again. Where other work runs beside, compare the
CPU time, which is that of all processes of the browser: seconds can hardly be more where two cores
are free. Needs playwright, Chromium, and onnxruntime-web in the folder --runtime.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import gale
from benchmarks import options, tables
from benchmarks.tables import Table
from gale.portable.page import page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Answers(NamedTuple):
    """Seconds, and CPU seconds of the browser, until the first answer and from there to the next.

    Parameters
    ----------
    first, first_cpu, further, further_cpu : float
    """

    first: float
    first_cpu: float
    further: float
    further_cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print the table."""
    from playwright.sync_api import sync_playwright

    parser = options.parser("benchmarks.speed.page", __doc__, repeats=5)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--runtime", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--chromium", default="chromium", help="its command (default: %(default)s)")
    asked = parser.parse_args(arguments)
    model = gale.Model.load(asked.model)
    rows: Table = [["weights", "page (MB)", "first answer (s)", "its CPU time (s)", "fastest (s)",
                    "a further run (s)", "its CPU time (s)"]]  # fmt: skip
    with sync_playwright() as started, tempfile.TemporaryDirectory() as place:
        path = shutil.which(asked.chromium)
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, int8 in (("as in the model file", False), ("8 bits", True)):
            file = Path(place) / f"{int8}.html"
            file.write_bytes(page(model, asked.runtime, int8=int8))
            found = [answers(browser, file, asked.run) for _ in range(asked.repeats)]
            usual = Answers(*map(statistics.median, zip(*found, strict=True)))
            values = (usual.first, usual.first_cpu, min(each.first for each in found))
            rows.append(
                [name, f"{file.stat().st_size / 1e6:.2f}",
                 *(f"{value:.2f}" for value in (*values, usual.further, usual.further_cpu))]
            )  # fmt: skip
        browser.close()
    title = f"{asked.run.name}, {asked.run.stat().st_size / 2**20:.1f} MiB; medians"
    tables.show(title, rows, markdown=asked.markdown)


def answers(browser: Browser, file: Path, run: Path) -> Answers:
    """Open a page, and give it the same run twice."""
    context = browser.new_context(offline=True)
    opened = context.new_page()
    times = [(time.perf_counter(), cpu_of(browser))]
    opened.goto(file.as_uri())
    for done in ("1 run predicted,", "2 runs predicted,"):
        opened.set_input_files("#files", run)
        opened.get_by_text(done).wait_for()
        times.append((time.perf_counter(), cpu_of(browser)))
    context.close()
    began, first, second = times
    return Answers(
        first[0] - began[0], first[1] - began[1], second[0] - first[0], second[1] - first[1]
    )


def cpu_of(browser: Browser) -> float:
    """CPU seconds that all processes of a browser have used."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(float(each["cpuTime"]) for each in found)


if __name__ == "__main__":
    main()
