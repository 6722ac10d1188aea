"""What a prediction takes where there is little: file, memory, instructions and time on one core.

Each MODEL becomes a whole graph with weights in 8 bits, which the reader in examples/cpp predicts a
run with: that is what a flight computer would do. Valgrind's callgrind counts the instructions of
x86-64 with AVX2, once; peak memory is that of the reader with its libraries and the text of the
run. The time of the prediction alone is measured in Python in one thread, in turn for all models;
it is CPU time, so that other work beside hardly counts. Needs a C++ compiler, valgrind, and the
headers of ONNX Runtime.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import onnxruntime

import gale
from benchmarks import options, tables
from benchmarks.commands import measured
from benchmarks.speed.serve import make_run
from benchmarks.speed.timing import in_turn
from benchmarks.speed.whole_graph import in_one_graph, session_of, through
from benchmarks.tables import Table
from gale.portable.whole import whole_graph

SOURCE = Path(__file__).parents[2] / "examples" / "cpp" / "predict.cpp"

COMPUTERS = {"RAD750, 200 MHz": 200e6, "one core of PIC64-HPSC, 1 GHz": 1e9}
"""Clocks of flight computers. docs/whole_graphs.md has the sources."""

LANES = 8
"""Numbers of single precision that an instruction of AVX2 computes with."""

APART = ("-fno-inline-functions-called-once", "-fno-partial-inlining")
"""Words for the compiler that keep the functions of the reader apart, so that they can be told."""

WORK = {"read_csv": "reading the CSV", "Whole::Whole": "opening", "Whole::predict": "prediction"}
"""Functions of the reader, and what they do."""


class Taken(NamedTuple):
    """What a model takes for one run.

    Parameters
    ----------
    size_mb, memory_mb, opening_ms : float
    instructions : dict of str to int
        By what they are for, see :data:`WORK`.
    """

    size_mb: float
    memory_mb: float
    opening_ms: float
    instructions: dict[str, int]


def build(folder: Path, headers: Path) -> Path:
    """Compile the reader, with its functions kept apart, beside the library that it needs."""
    compiler, library = shutil.which("c++"), _library()
    if compiler is None or not (headers / "onnxruntime_cxx_api.h").is_file():
        sys.exit("there is no C++ compiler (c++), or --headers has no onnxruntime_cxx_api.h")
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).symlink_to(library)
    reader = folder / "predict"
    subprocess.run(
        [compiler, "-std=c++17", "-O2", *APART, SOURCE, "-o", reader, "-isystem", headers,
         folder / "libonnxruntime.so", f"-Wl,-rpath,{folder}"],
        check=True,
    )  # fmt: skip
    return reader


def _library() -> Path:
    found = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    if not found:
        sys.exit("the package onnxruntime has no shared library here")
    return found[0]


def instructions(reader: Path, graph: Path, run: Path) -> dict[str, int]:
    """Count the instructions of one prediction, by what they are for."""
    counts = reader.with_name("counts")
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}"]
    done = subprocess.run([*tool, reader, graph, run], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"valgrind: {done.stderr}")
    listed = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", counts],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return of_functions(listed.stdout)


def of_functions(listed: str) -> dict[str, int]:
    """Take the counts of the reader's functions out of a list of all functions."""
    found = {}
    for name, what in {**WORK, "PROGRAM TOTALS": "all"}.items():
        line = re.search(rf"^\s*([\d,]+) .*{re.escape(name)}\b", listed, re.MULTILINE)
        if line is None:
            sys.exit(f"valgrind counted no {name}")
        found[what] = int(line[1].replace(",", ""))
    return found


def taken(reader: Path, graph: Path, run: Path) -> Taken:
    """Measure one model from outside."""
    data = graph.read_bytes()
    began = time.process_time()
    session_of(data)
    opening = time.process_time() - began
    peak = measured(reader, graph, run).peak_mb
    return Taken(len(data) / 1e6, peak, 1000 * opening, instructions(reader, graph, run))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print the tables."""
    parser = options.parser("benchmarks.speed.rover", __doc__, repeats=5)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    parser.add_argument("--ions", type=int, default=80_000, help="ions of the run, about")
    parser.add_argument(
        "--headers",
        type=Path,
        default=Path(os.environ.get("ONNXRUNTIME_INCLUDE", "/usr/include/onnxruntime")),
        metavar="FOLDER",
        help="folder with onnxruntime_cxx_api.h (default: $ONNXRUNTIME_INCLUDE)",
    )
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        reader, path = build(folder, asked.headers), make_run(folder, asked.ions)
        run, found, ways = gale.read_run(path), dict[str, Taken](), {}
        for model in asked.models:
            graph = folder / model.name
            graph.write_bytes(whole_graph(gale.Model.load(model), int8=True))
            found[model.stem] = taken(reader, graph, path)
            ways[model.stem] = partial(through, in_one_graph(graph.read_bytes()), [run])
        times = in_turn(ways, asked.repeats)
    usual = {name: 1000 * statistics.median(values) for name, values in times.items()}
    tables.show(f"One run of {run.n_ions:,} ions", costs(found, usual), markdown=asked.markdown)
    tables.show("Seconds of a flight computer for it, at one instruction per cycle",
                seconds(found), markdown=asked.markdown)  # fmt: skip


def costs(found: dict[str, Taken], times_ms: dict[str, float]) -> Table:
    """The table of what each model takes."""
    parts = (*WORK.values(), "all")
    rows: Table = [["", "file (MB)", "peak memory (MB)", "opening (ms)", "prediction (ms)",
                    *(f"10⁶ instructions, {part}" for part in parts)]]  # fmt: skip
    for name, each in found.items():
        counts = [f"{each.instructions[part] / 1e6:,.0f}" for part in parts]
        rows.append([name, f"{each.size_mb:.2f}", f"{each.memory_mb:.0f}",
                     f"{each.opening_ms:.0f}", f"{times_ms[name]:.1f}", *counts])  # fmt: skip
    return rows


def seconds(found: dict[str, Taken]) -> Table:
    """The table of what that is on flight computers."""
    rows: Table = [["", *(f"{computer}, {how}" for computer in COMPUTERS
                          for how in ("as counted", f"at most (x {LANES})"))]]  # fmt: skip
    for name, each in found.items():
        count = each.instructions[WORK["Whole::predict"]]
        rows.append([name, *(f"{count * factor / clock:.2f}" for clock in COMPUTERS.values()
                             for factor in (1, LANES))])  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
