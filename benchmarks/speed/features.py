"""Parsing and the published features: gale beside bare polars and beside two pandas versions.

All ways work on the same FILEs in one process, in turn; the table has medians over the repeats, and
ratios of those. Without FILEs, runs are simulated.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks import options, tables
from benchmarks.speed.timing import in_turn, seconds
from benchmarks.tables import Table
from gale.features.summary import SummarySpec
from gale.readers import read_run
from gale.simulation import simulate

SPEC = SummarySpec()


def parse_polars(path: Path) -> object:
    """Parse with polars alone."""
    return pl.read_csv(path)


def parse_gale(path: Path) -> object:
    """Read and check with gale."""
    return read_run(path)


def featurise_gale(path: Path) -> np.ndarray:
    """Read, check and featurise with gale."""
    return SPEC.features_of(read_run(path))


def _pandas_rows(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rows with their m/z and scan, and those without helium with their differences."""
    df = pd.read_csv(path)
    df["m"] = df["mass"].round().astype(int)
    df["scan"] = (df["m"].diff().shift(-1) < 0).cumsum()
    df["time"] = df["scan"] / max(df["scan"].iloc[-1], 1)
    without_helium = df[df["m"] != 4].copy()
    intensity = without_helium["intensity"]
    without_helium["d1"] = intensity.diff(1).fillna(0) / 1000
    without_helium["d2"] = intensity.diff(2).fillna(0) / 1000
    without_helium["dd"] = intensity.diff(1).diff(1).fillna(0) / 10
    return df, without_helium


def _vector(peaks: dict[int, tuple[float, float]], bins: dict[int, list[float]]) -> np.ndarray:
    """Put the time and intensity of peaks, and mean, d1, d2, dd and maximum of bins, in order."""
    top = max(bins[mz + 1][4] for mz in SPEC.mz if mz + 1 in bins)
    blocks: list[list[float]] = [[] for _ in range(7)]
    for mz in SPEC.mz:
        time_, height = peaks.get(mz, (-1, None))
        mean, d1, d2, dd, largest = bins.get(mz + 1, [0.0] * 5)
        d1, d2, dd = (math.copysign(math.log1p(abs(d)), d) for d in (d1, d2, dd))
        scaled = -1 if height is None else math.log1p(height) / 10
        values = (math.log1p(mean), d1, time_, scaled, d2, largest / top, dd)
        for block, value in zip(blocks, values, strict=True):
            block.append(value)
    return np.concatenate([np.array(block) for block in blocks]).astype(np.float32)


def featurise_pandas(path: Path) -> np.ndarray:
    """Compute the same with pandas, m/z by m/z, as the specification reads."""
    df, rest = _pandas_rows(path)
    peaks, bins = {}, {}
    for mz in SPEC.mz:
        rows = df[df["m"] == mz]
        if len(rows):
            peak = rows.loc[rows["intensity"].idxmax()]
            peaks[mz] = (peak["time"], peak["intensity"])
        rows = rest[rest["m"] == mz + 1]
        if len(rows):
            means = rows[["intensity", "d1", "d2", "dd"]].mean()
            bins[mz + 1] = [*means, rows["intensity"].max()]
    return _vector(peaks, bins)


def featurise_pandas_grouped(path: Path) -> np.ndarray:
    """Compute the same with pandas, tuned: grouped by m/z, no loop over m/z until the end."""
    df, rest = _pandas_rows(path)
    top = df.loc[df.groupby("m")["intensity"].idxmax()]
    groups = rest.groupby("m")
    means = groups[["intensity", "d1", "d2", "dd"]].mean()
    means["largest"] = groups["intensity"].max()
    peaks = dict(zip(top["m"], zip(top["time"], top["intensity"], strict=True), strict=True))
    bins = dict(zip(means.index, means.to_numpy().tolist(), strict=True))
    return _vector(peaks, bins)


def make_files(folder: Path, runs: int, ions: int) -> list[Path]:
    """Simulate runs."""
    simulate(folder / "campaign", runs={"train": runs}, ions=ions, design="different")
    return sorted((folder / "campaign" / "train_features").iterdir())


WAYS: dict[str, Callable[[Path], object]] = {
    "parse with polars alone": parse_polars,
    "read with gale (parse and check)": parse_gale,
    "read and featurise with gale": featurise_gale,
    "the same with pandas, m/z by m/z": featurise_pandas,
    "the same with pandas, grouped": featurise_pandas_grouped,
}
"""The first is what the others are compared with."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Check that the ways agree, then print the table."""
    parser = options.parser("benchmarks.speed.features", __doc__, repeats=5)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--runs", type=int, default=20, help="runs to simulate")
    parser.add_argument("--ions", type=int, default=80_000, help="ions of a run, about")
    asked = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        files = asked.files or make_files(Path(folder), asked.runs, asked.ions)
        worst = max(
            float(np.abs(featurise_gale(file) - other(file)).max())
            for file in files[:3]
            for other in (featurise_pandas, featurise_pandas_grouped)
        )
        work = {name: partial(seconds, partial(through, way, files)) for name, way in WAYS.items()}
        times = in_turn(work, asked.repeats)
        ions = sum(read_run(file).n_ions for file in files) / len(files)
    title = f"{len(files)} runs of {ions:,.0f} ions on average, medians of {asked.repeats}"
    tables.show(title, table(times, len(files)), markdown=asked.markdown)
    print(f"\nLargest difference between gale and pandas: {worst:.1e}")


def through(way: Callable[[Path], object], files: Sequence[Path]) -> None:
    """Work through all files."""
    for file in files:
        way(file)


def table(times: dict[str, list[float]], n_files: int) -> Table:
    """Make the table of milliseconds per run."""
    bare = statistics.median(next(iter(times.values())))
    rows = [["", "ms per run", "to polars alone", "min", "max"]]
    for name, values in times.items():
        median = statistics.median(values)
        of_run = [f"{1000 * value / n_files:.1f}" for value in (median, min(values), max(values))]
        rows.append([name, of_run[0], f"{median / bare:.2f}", *of_run[1:]])
    return rows


if __name__ == "__main__":
    main()
