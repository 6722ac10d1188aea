"""Features of a campaign by one process, by several, and by workers of Dask on this machine.

All ways write the same dataset from the same simulated runs, in turn, after their workers have
done so once; the best of the repeats counts. The last column is what this process computes for a
run, which for Dask has the scheduler in it. Last comes what it computes for a task of Dask that
does nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path

from benchmarks import options, tables
from benchmarks.tables import Table
from gale.campaign import Campaign
from gale.plumbing.cluster import dask_executor
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.simulation import simulate
from gale.training.stored import write_features


def main(arguments: Sequence[str] | None = None) -> None:
    """Time all ways and print the table."""
    parser = options.parser("benchmarks.speed.workers", __doc__, repeats=3, recipes=["default"])
    parser.add_argument("--runs", type=int, default=96, help="runs to simulate")
    parser.add_argument("--ions", type=int, default=80_000, help="ions of a run, about")
    parser.add_argument("--workers", type=int, nargs="+", default=[2], help="numbers of workers")
    asked = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        simulate(
            folder / "campaign", runs={"train": asked.runs}, ions=asked.ions, design="different"
        )
        campaign = Campaign.open(folder / "campaign")
        ways: dict[str, Executor | None] = {"this process": None}
        for number in asked.workers:
            ways[f"{number} processes"] = stack.enter_context(worker_pool(number))
        for number in asked.workers:
            address = f"local:{number}"
            ways[f"{number} workers of Dask"] = stack.enter_context(dask_executor(address))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for repeat in range(asked.repeats + 1):  # the first lets workers start
            for name, executor in ways.items():
                out = folder / f"{name} {repeat}"
                options.tell(f"{name}, {repeat}")
                wall, own = time.perf_counter(), time.process_time()
                write_features(campaign, out, asked.recipes[0], work=Work(executor=executor))
                passed = time.perf_counter() - wall, time.process_time() - own
                taken[name].append(passed)
        own = task_ms(ways[f"{asked.workers[-1]} workers of Dask"])
        title = f"{asked.runs} runs of about {asked.ions:,} ions, features of {asked.recipes[0]}"
    tables.show(title, table(taken, asked.runs), markdown=asked.markdown)
    print(f"\nA task of Dask costs the scheduler and the command {own:.1f} ms.")


def task_ms(executor: Executor | None, tasks: int = 2000) -> float:
    """Return the milliseconds of this process for a task that does nothing."""
    assert executor is not None
    start = time.process_time()
    assert sum(executor.map(abs, range(tasks))) == sum(range(tasks))
    return 1000 * (time.process_time() - start) / tasks


def table(taken: dict[str, list[tuple[float, float]]], n_runs: int) -> Table:
    """Make the table of rates; the first measurement of each way does not count."""
    rows = [["", "runs/s", "to this process", "ms of this process per run"]]
    alone = n_runs / min(wall for wall, _ in taken["this process"][1:])
    for name, measured in taken.items():
        rate = n_runs / min(wall for wall, _ in measured[1:])
        own = min(own for _, own in measured[1:]) / n_runs
        rows.append([name, f"{rate:.1f}", f"{rate / alone:.2f}", f"{1000 * own:.2f}"])
    return rows


if __name__ == "__main__":
    main()
