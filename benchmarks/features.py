"""Parsing and the published features: gale beside bare polars and beside a plain pandas version.

    python benchmarks/features.py [FILE.csv …] [--runs 20] [--ions 80000] [--repeats 5]

All ways work on the same files in one process, in turn; the table has medians over the repeats, and
ratios of those. Without files, runs are made by examples/make_campaign.py.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from gale.features.summary import SummarySpec
from gale.readers import read_run

SPEC = SummarySpec()


def parse_polars(path: Path) -> object:
    """Parse with polars alone."""
    return pl.read_csv(path)


def parse_gale(path: Path) -> object:
    """Read and check with gale."""
    return read_run(path)


def featurise_gale(path: Path) -> np.ndarray:
    """Read, check and featurise with gale."""
    return SPEC.summarise(read_run(path))


def featurise_pandas(path: Path) -> np.ndarray:
    """Compute the same features as one would write them with pandas."""
    df = pd.read_csv(path)
    df["m"] = df["mass"].round().astype(int)
    falls = df["m"].diff().shift(-1) < 0
    df["scan"] = falls.cumsum()
    last_scan = max(df["scan"].iloc[-1], 1)
    top = df.loc[df.groupby("m")["intensity"].idxmax()].set_index("m")
    df = df[df["m"] != 4].copy()
    df["d1"] = df["intensity"].diff(1).fillna(0) / 1000
    df["d2"] = df["intensity"].diff(2).fillna(0) / 1000
    df["dd"] = df["intensity"].diff(1).diff(1).fillna(0) / 10
    means = df.groupby("m")[["intensity", "d1", "d2", "dd"]].mean()
    largest = df.groupby("m")["intensity"].max()
    blocks: dict[str, list[float]] = {
        name: [] for name in ("mean", "d1", "t", "h", "d2", "r", "dd")
    }
    for mz in SPEC.mz:
        if mz in top.index:
            blocks["t"].append(top.loc[mz, "scan"] / last_scan)
            blocks["h"].append(math.log1p(top.loc[mz, "intensity"]) / 10)
        else:
            blocks["t"].append(-1)
            blocks["h"].append(-1)
        if mz + 1 in means.index:
            row = means.loc[mz + 1]
            blocks["mean"].append(math.log1p(row["intensity"]))
            for name in ("d1", "d2", "dd"):
                blocks[name].append(math.copysign(math.log1p(abs(row[name])), row[name]))
            blocks["r"].append(largest[mz + 1])
        else:
            for name in ("mean", "d1", "d2", "dd", "r"):
                blocks[name].append(0)
    relative = np.array(blocks["r"]) / max(blocks["r"])
    blocks["r"] = list(relative)
    return np.concatenate([np.array(block) for block in blocks.values()]).astype(np.float32)


def timed(work: Callable[[Path], object], files: list[Path]) -> float:
    """Milliseconds a run."""
    start = time.perf_counter()
    for file in files:
        work(file)
    return (time.perf_counter() - start) / len(files) * 1000


def make_files(folder: Path, runs: int, ions: int) -> list[Path]:
    """Write made-up runs."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from make_campaign import draw_families, make_run

    files = [folder / f"{number}.csv" for number in range(runs)]
    for number, file in enumerate(files):
        make_run(draw_families(np.random.default_rng(number)), ions=ions, seed=number).write_csv(
            file
        )
    return files


def main() -> None:
    """Check that the ways agree, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--ions", type=int, default=80_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        files = options.files or make_files(Path(folder), options.runs, options.ions)
        worst = max(
            float(np.abs(featurise_gale(file) - featurise_pandas(file)).max()) for file in files[:3]
        )
        ways = {
            "parse with polars alone": parse_polars,
            "read with gale (parse and check)": parse_gale,
            "read and featurise with gale": featurise_gale,
            "read and featurise with pandas": featurise_pandas,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.repeats):
            for name, work in ways.items():
                times[name].append(timed(work, files))
        ions = sum(read_run(file).n_ions for file in files) / len(files)

    median = {name: statistics.median(values) for name, values in times.items()}
    bare, _, gale, pandas = median.values()
    print(f"{len(files)} runs of {ions:,.0f} ions on average, {options.repeats} repeats")
    print(f"largest difference between gale and pandas: {worst:.1e}\n")
    print(f"{'':<36}{'ms a run':>10}{'to polars':>11}{'min':>8}{'max':>8}")
    for name, values in times.items():
        print(
            f"{name:<36}{median[name]:>10.1f}{median[name] / bare:>11.2f}"
            f"{min(values):>8.1f}{max(values):>8.1f}"
        )
    print(f"\nparse + featurise / parse alone: {gale / bare:.2f} (at most 2 wanted)")
    print(f"pandas / gale: {pandas / gale:.1f} (at least 10 wanted)")


if __name__ == "__main__":
    main()
