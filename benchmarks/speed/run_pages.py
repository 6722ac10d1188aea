"""How long the page of a run takes, and how large it is.

    python -m benchmarks.speed.run_pages RUN... --model model.onnx

Runs are read before; a page is made of each, in turn, `--repeats` times after one to warm up. The
time is that of the processor, the least of the repeats, so that other work counts little. Beside
it is what the picture in the page takes, which is drawn for paper and for readers without scripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

import gale
from benchmarks.options import parser
from benchmarks.speed.timing import in_turn, processor_seconds
from benchmarks.tables import show


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser("benchmarks.speed.run_pages", __doc__, repeats=5)
    options.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    options.add_argument("--model", type=Path, help="model file (default: the bundled model)")
    given = options.parse_args(words)
    model = gale.Model.load(given.model) if given.model else gale.bundled_model()
    rows = [["run", "ions", "page, s", "picture, s", "page, kB"]]
    for path in given.runs:
        run = gale.read_run(path)
        page = gale.run_report(model, run)
        ways = {
            "page": partial(processor_seconds, partial(gale.run_report, model, run)),
            "picture": partial(processor_seconds, partial(picture, run)),
        }
        least = {name: min(each) for name, each in in_turn(ways, given.repeats).items()}
        seconds = [f"{each:.2f}" for each in least.values()]
        size = f"{len(page.encode()) / 1000:,.0f}"
        rows.append([path.name, f"{run.n_ions:,}", *seconds, size])
    show("Pages of runs", rows, markdown=given.markdown)


def picture(run: gale.Run) -> None:
    """Draw a run as its page has it, without names and evidence."""
    gale.save_figure(gale.plot_run(run), BytesIO(), "svg")


if __name__ == "__main__":
    main()
