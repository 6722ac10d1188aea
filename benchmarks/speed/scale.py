"""How `gale predict` does with many runs: peak memory, resumption, and speed beside bare parsing.

    python -m benchmarks.speed.scale --runs 1000 10000 100000
    python -m benchmarks.speed.scale --speed CAMPAIGN --workers 1 2 --dask 2 --repeats 5

With --runs, a folder is made of so many links to one small run, and predicted without the feature
cache: once as a whole, and once killed (SIGKILL) when half of its runs are finished, and resumed.
Peak memory is the largest resident set that the operating system has counted for the process.
What a resumption costs is the processor time of both parts less that of the whole.

With --speed, runs of a campaign are parsed by polars alone, and predicted, in turn, by each number
of processes and of Dask workers. What starting takes is measured with the same command for one run.
From the processor time of a run follows on paper what a million of them take on 16 machines.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

import gale
from benchmarks.options import parser, tell
from benchmarks.speed.timing import in_turn
from benchmarks.tables import show
from gale.plumbing.batches import Partial
from gale.simulation import Physics

SHORT_RUNS = Path(__file__).parents[2] / "examples" / "short_runs.toml"


@dataclass(frozen=True)
class Spent:
    """What a process has used: seconds of the clock and of processors, and its peak memory."""

    seconds: float
    cpu_s: float
    peak_mb: float


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser("benchmarks.speed.scale", __doc__, repeats=3)
    options.add_argument("--runs", type=int, nargs="+", default=[], help="numbers of small runs")
    options.add_argument("--speed", type=Path, metavar="CAMPAIGN", help="campaign to read")
    options.add_argument("--workers", type=int, nargs="+", default=[1], help="worker processes")
    options.add_argument("--dask", type=int, nargs="+", default=[], help="Dask workers")
    given = options.parse_args(words)
    if given.runs:
        rows = memory(given.runs, given.workers)
        show("gale predict of many small runs", rows, markdown=given.markdown)
    if given.speed:
        rows, paper = speed(given.speed, given.repeats, given.workers, given.dask)
        show("Runs per second", rows, markdown=given.markdown)
        show(f"{MANY:,} runs on {MACHINES} machines, on paper", paper, markdown=given.markdown)


def memory(numbers: Sequence[int], workers: Sequence[int]) -> list[list[str]]:
    """Measure each number of runs; the last row is the slope from the first number to the last.

    With several processes, peak memory is that of the largest one.
    """
    rows = [["runs", "runs/s", "CPU ms a run", "peak memory", "killed and resumed", "its cost"]]
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        campaign = root / "campaign"
        gale.simulate(
            campaign, runs={"train": 1, "test": 1}, ions=800, physics=Physics.load(SHORT_RUNS)
        )
        (run,) = (campaign / "test_features").iterdir()
        (root / "runs").mkdir()
        for number in numbers:
            tell(f"{number:,} runs")
            listed = list_of(root, run, number)
            whole = spent(root, listed, "whole.csv")
            killed, finished = killed_half_way(root, listed, number)
            resumed = spent(root, listed, "out.csv", "--resume")
            same = (root / "whole.csv").read_bytes() == (root / "out.csv").read_bytes()
            peaks.append(max(whole.peak_mb, resumed.peak_mb))
            for n_processes in workers:
                if n_processes > 1:
                    several = spent(root, listed, "n.csv", "--workers", str(n_processes))
                    rows.append([f"{number:,}, {n_processes} processes", *_rates(number, several)])
                    rows[-1] += ["", ""]
            rows.append(
                [
                    f"{number:,}",
                    *_rates(number, replace(whole, peak_mb=peaks[-1])),
                    f"at {finished:,}: {'the same bytes' if same else 'OTHER BYTES'}",
                    f"{killed.cpu_s + resumed.cpu_s - whole.cpu_s:+.1f} s",
                ]
            )
    if len(peaks) > 1:
        slope = 1000 * (peaks[-1] - peaks[0]) / (numbers[-1] - numbers[0])
        rows.append(["slope", "", "", f"{slope:.2f} MB per 1,000 runs", "", ""])
    return rows


def _rates(number: int, used: Spent) -> list[str]:
    return [
        f"{number / used.seconds:.0f}",
        f"{1000 * used.cpu_s / number:.1f}",
        f"{used.peak_mb:.0f} MB",
    ]


def list_of(root: Path, run: Path, number: int) -> Path:
    """List so many links to a run."""
    names = [f"runs/S{at:06}.csv" for at in range(number)]
    for name in names:
        if not (root / name).is_symlink():
            (root / name).symlink_to(run)
    listed = root / f"list{number}.txt"
    listed.write_text("".join(f"{name}\n" for name in names), "utf-8")
    return listed


def start(root: Path, listed: Path, output: str, *more: str) -> subprocess.Popen[bytes]:
    """Start a prediction of the runs of a list."""
    words = ["predict", "--files-from", str(listed), "-o", output, "--force", "--no-cache", "-q"]
    return subprocess.Popen(
        [sys.executable, "-m", "gale", *words, *more], cwd=root, stdout=subprocess.DEVNULL
    )


def wait(process: subprocess.Popen[bytes], begin: float) -> Spent:
    """Wait for a process and say what it has used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    return Spent(time.monotonic() - begin, usage.ru_utime + usage.ru_stime, peak)


def spent(root: Path, listed: Path, output: str, *more: str) -> Spent:
    """Predict, and say what that has used."""
    begin = time.monotonic()
    process = start(root, listed, output, *more)
    used = wait(process, begin)
    if process.returncode:
        raise SystemExit(f"gale predict has ended with status {process.returncode}")
    return used


def killed_half_way(root: Path, listed: Path, number: int) -> tuple[Spent, int]:
    """Kill a prediction when half of its runs are finished; say what it used, and how many are."""
    begin = time.monotonic()
    process, partial = start(root, listed, "out.csv"), Partial(root / "out.csv", {}, "")
    while process.poll() is None and partial.count() < number / 2:
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    return wait(process, begin), partial.count()


def speed(
    campaign: Path, repeats: int, workers: Sequence[int], dask: Sequence[int]
) -> tuple[list[list[str]], list[list[str]]]:
    """Compare bare parsing with predictions from the same CSV files, and from Parquet.

    Rates are those of whole commands; efficiency is the rate of a process beside that of a single
    one, or of the fewest. Processor time is without that of the same command for one run. The
    second table is what many runs take on paper.
    """
    files = gale.Campaign.open(campaign, with_labels=False).paths
    means = {
        "one process" if n == 1 else f"{n} processes": (n, "--workers", str(n)) for n in workers
    }
    means |= {f"{n} Dask workers": (n, "--dask", f"local:{n}") for n in dask}
    ways: dict[tuple[str, str], Callable[[], Spent]] = {
        BARE: partial(used, lambda: [pl.read_csv(each) for each in files])
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Parquet").mkdir()
        for number, file in enumerate(files):
            pl.read_csv(file).write_parquet(root / "Parquet" / f"{number}.parquet")
        for name, (_, *words) in means.items():
            one = partial(predict, root, str(files[0].resolve()), *words)
            ways[name, START] = partial(used, one)
            for kind, runs in {"CSV": campaign.resolve(), "Parquet": root / "Parquet"}.items():
                ways[name, kind] = partial(used, partial(predict, root, str(runs), *words))
        best = {way: least(measured) for way, measured in in_turn(ways, repeats).items()}
        gigabytes = {
            "CSV": sum(file.stat().st_size for file in files) / 1e9,
            "Parquet": sum(file.stat().st_size for file in (root / "Parquet").iterdir()) / 1e9,
        }
    tell(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
    return _compared(best, means, len(files)), on_paper(best, gigabytes, len(files))


BARE, START = ("polars alone", "CSV"), "one run"

Best = Mapping[tuple[str, str], Spent]


def _compared(best: Best, means: Mapping[str, tuple[Any, ...]], n_runs: int) -> list[list[str]]:
    bare = best[BARE]
    rows = [["", "runs/s", "of polars alone", "efficiency", "CPU ms a run", "of polars alone"]]
    first = next(iter(means))
    for (name, kind), spent in best.items():
        if kind == START:
            tell(f"one run, {name}: {spent.cpu_s:.2f} s of processors, {spent.seconds:.2f} s")
            continue
        efficiency, cpu_s = "", spent.cpu_s
        if name in means:
            one, several = means[first][0], means[name][0]
            share = best[first, kind].seconds * one / (spent.seconds * several)
            efficiency, cpu_s = f"{share:.2f}", cpu_s - best[name, START].cpu_s
        rows.append(
            [
                f"{name}, {kind}",
                f"{n_runs / spent.seconds:.1f}",
                f"{bare.seconds / spent.seconds:.2f}",
                efficiency,
                f"{1000 * cpu_s / n_runs:.1f}",
                f"{bare.cpu_s / cpu_s:.2f}",
            ]
        )
    return rows


MANY, MACHINES, CORES, USD_A_CORE_HOUR, STORE_GB_S = 1_000_000, 16, 8, 0.05, 1.0
"""Runs; machines, and cores of each; their price; what the storage gives all of them together."""


def on_paper(best: Best, gigabytes: Mapping[str, float], n_runs: int) -> list[list[str]]:
    """Say what a million runs take on many machines, by their processors and by their storage."""
    rows = [["", "hours of cores", "minutes of processors", "TB", "minutes of storage", "USD"]]
    for (name, kind), spent in best.items():
        if kind == START or (name, kind) == BARE:
            continue
        cpu_h = (spent.cpu_s - best[name, START].cpu_s) / n_runs * MANY / 3600
        terabytes = gigabytes[kind] / n_runs * MANY / 1000
        cpu_min, store_min = 60 * cpu_h / (MACHINES * CORES), 1000 * terabytes / STORE_GB_S / 60
        usd = max(cpu_min, store_min) / 60 * MACHINES * CORES * USD_A_CORE_HOUR
        numbers = (cpu_h, cpu_min, terabytes, store_min, usd)
        rows.append([f"{name}, {kind}", *(f"{number:.1f}" for number in numbers)])
    return rows


def predict(folder: Path, *words: str) -> None:
    """Predict without the feature cache, in a folder."""
    words = ("predict", *words, "-o", "out.csv", "--force", "--no-cache", "-q")
    command = [sys.executable, "-m", "gale", *words]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def used(work: Callable[[], object]) -> Spent:
    """Do some work here, and say what it and the processes that it has started have used."""
    begin, before = time.perf_counter(), os.times()
    work()
    seconds, after = time.perf_counter() - begin, os.times()
    return Spent(seconds, sum(after[:4]) - sum(before[:4]), 0.0)


def least(measured: Sequence[Spent]) -> Spent:
    """Give the least time, and the least processor time."""
    return Spent(min(each.seconds for each in measured), min(each.cpu_s for each in measured), 0.0)


if __name__ == "__main__":
    main()
