"""Whole graphs beside the Python way: how much the numbers differ, what each takes on one core.

The Python way computes the features, then runs the model's graph; reading files is not timed. All
ways work on the same FILEs in one process, in turn. Times are those of the processor, medians over
the repeats.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime

import gale
from benchmarks import options, tables
from benchmarks.speed.timing import in_turn
from benchmarks.tables import Table
from gale.errors import ReadError
from gale.model.file import EVIDENCE, OUTPUTS
from gale.plumbing.tables import UNLIKE
from gale.portable.whole import FEATURES, whole_graph
from gale.run import Floats32, Run

Values = Mapping[str, Floats32]
Way = Callable[[Run], Values]

COMPARED = (FEATURES, OUTPUTS[0], UNLIKE, EVIDENCE)
"""Outputs whose largest difference is shown, where a model has them."""


def session_of(data: bytes) -> onnxruntime.InferenceSession:
    """A graph that runs in one thread."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(data, settings, providers=["CPUExecutionProvider"])


def in_python(model: gale.Model) -> Way:
    """The features in Python, then the graph of the model."""
    session = session_of(model.content)
    names = [output.name for output in session.get_outputs()]

    def compute(run: Run) -> Values:
        features = model.spec.features_of(run)[None]
        found = session.run(names, {"summary": features})
        return {FEATURES: features, **dict(zip(names, found, strict=True))}

    return compute


def in_one_graph(data: bytes) -> Way:
    """The whole graph."""
    session = session_of(data)
    names = [output.name for output in session.get_outputs()]

    def compute(run: Run) -> Values:
        given = {
            name: getattr(run, name) for name in ("time_min", "scan_of_ion", "mz", "intensity")
        }
        return dict(zip(names, session.run(names, given), strict=True))

    return compute


def readable(files: Sequence[Path], model: gale.Model) -> Iterator[Run]:
    """Yield the runs that the model can predict."""
    for file in files:
        try:
            run = gale.read_run(file)
            model.spec.features_of(run)
        except ReadError as error:
            print(f"left out: {error}")
        else:
            yield run


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, then print the table."""
    parser = options.parser("benchmarks.speed.whole_graph", __doc__, repeats=5)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    asked = parser.parse_args(arguments)

    model = gale.Model.load(asked.model)
    runs = list(readable(asked.files, model))
    files = {
        "Python": model.content,
        "whole graph": whole_graph(model),
        "whole graph, 8 bits": whole_graph(model, int8=True),
    }
    ways: dict[str, Way] = {
        name: in_python(model) if name == "Python" else in_one_graph(data)
        for name, data in files.items()
    }
    expected = [ways["Python"](run) for run in runs]
    work = {name: partial(through, way, runs) for name, way in ways.items()}
    times = in_turn(work, asked.repeats)
    rows: Table = [["", "MB", "ms per run", *(f"difference of {name}" for name in COMPARED)]]
    for name, way in ways.items():
        median = statistics.median(times[name]) / len(runs)
        row = [name, f"{len(files[name]) / 1e6:.2f}", f"{1000 * median:.1f}"]
        rows.append([*row, *worst([way(run) for run in runs], expected)])
    ions = sum(run.n_ions for run in runs) / max(len(runs), 1)
    title = f"{len(runs)} runs of {ions:,.0f} ions on average, medians of {asked.repeats}"
    tables.show(title, rows, markdown=asked.markdown)


def through(way: Way, runs: Sequence[Run]) -> float:
    """Work through all runs, and return the seconds of the processor that this takes."""
    start = time.process_time()
    for run in runs:
        way(run)
    return time.process_time() - start


def worst(found: Sequence[Values], expected: Sequence[Values]) -> list[str]:
    """The largest difference of each output over all runs."""
    return [
        f"{max(np.abs(a[name] - b[name]).max() for a, b in zip(found, expected, strict=True)):.1e}"
        if name in expected[0]
        else ""
        for name in COMPARED
    ]


if __name__ == "__main__":
    main()
