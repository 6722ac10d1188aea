"""gale serve: requests a second and their times, beside the same work without HTTP.

A server with one worker per core is asked by 1, 8 and 64 clients for the same run, each client
waiting for its answer before it asks again. In turn with that, Model.predict reads the same file in
one process, and in one process per core. Where other work runs beside, compare the CPU time: that
of the processes that predict, and that of the server with its workers. Then many small runs are
uploaded to a job, some of them damaged: none may be lost, and the memory of the server and its
workers should stay what it was.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import options, tables
from benchmarks.speed.timing import in_turn
from benchmarks.tables import Table
from gale.model import Model, file
from gale.plumbing.workers import worker_pool
from gale.simulation import simulate

CLIENTS = (1, 8, 64)
MARK = "a-mark-between-parts"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={MARK}"}
CORES = os.cpu_count() or 1

_MODEL: list[Model] = []


class Server:
    """A server and what it takes of memory.

    Parameters
    ----------
    model, data : Path
    """

    def __init__(self, model: Path, data: Path) -> None:
        words = ["serve", "--model", str(model), "--port", "0", "--data", str(data),
                 "--per-client", "256", "--queue", "1000000"]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gale", *words], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        found = re.search(r"http://([\d.]+):(\d+)/", self._process.stdout.readline())
        assert found, "the server does not start"
        self.host, self.port = found[1], int(found[2])

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=600)

    def memory(self) -> float:
        """MiB of the server and its workers that are theirs alone, and of what they share."""
        own = self._process.pid
        processes = [own, *_children(own)]
        return sum(_proportional(each) for each in processes) / 1024

    def cpu(self) -> float:
        """Seconds of processors that the server and its workers have used."""
        processes = [self._process.pid, *_children(self._process.pid)]
        stats = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2] for each in processes]
        ticks = sum(int(count) for stat in stats for count in stat.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _proportional(process: int) -> float:
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def form(name: str, data: bytes) -> bytes:
    """The body of a request with one file."""
    head = f'--{MARK}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + data + f"\r\n--{MARK}--\r\n".encode()


def ask(connection: http.client.HTTPConnection, path: str, body: bytes = b"") -> Any:
    """Send a request, and read the answer as JSON."""
    method = "POST" if body else "GET"
    connection.request(method, f"/api/v1{path}", body or None, HEADERS if body else {})
    answer = connection.getresponse()
    return json.loads(answer.read()) | {"http_status": answer.status}


def clients(server: Server, n: int, body: bytes, seconds: float) -> tuple[float, list[float]]:
    """Let clients ask for so many seconds; give requests a second, and the time of each."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    def client() -> None:
        connection = server.connect()
        while time.perf_counter() < until:
            began = time.perf_counter()
            assert ask(connection, "/predict", body)["http_status"] == 200
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client) for _ in range(n)]
    began = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return len(times) / (time.perf_counter() - began), times


def begin(path: Path) -> None:
    """Load the model in a process that predicts."""
    file.use_threads(1)
    _MODEL.append(Model.load(path))


def predict_often(path: Path, seconds: float) -> tuple[int, float]:
    """Predict a file again and again for so many seconds; say how often, and in what CPU time."""
    until, n, cpu = time.perf_counter() + seconds, 0, time.process_time()
    while time.perf_counter() < until:
        _MODEL[0].predict(path)
        n += 1
    return n, time.process_time() - cpu


def without_http(pool: Executor, n: int, path: Path, seconds: float) -> tuple[float, float]:
    """Predictions a second of so many processes, and the CPU time of each."""
    began = time.perf_counter()
    found = list(pool.map(predict_often, [path] * n, [seconds] * n))
    count = sum(each for each, _ in found)
    return count / (time.perf_counter() - began), sum(cpu for _, cpu in found) / count


def load(server: Server, model: Path, path: Path, seconds: float, repeats: int) -> Table:
    """Measure all ways in turn, and make their table."""
    body, times = form(path.name, path.read_bytes()), dict[str, list[float]]()
    cpu: dict[str, list[float]] = {}

    def asked(n: int) -> float:
        name, before = f"{n} clients", server.cpu()
        rate, found = clients(server, n, body, seconds)
        times.setdefault(name, []).extend(found)
        cpu.setdefault(name, []).append((server.cpu() - before) / len(found))
        return rate

    def alone(pool: Executor, n: int) -> float:
        rate, of_each = without_http(pool, n, path, seconds)
        cpu.setdefault(f"Model.predict in {n} processes", []).append(of_each)
        return rate

    with worker_pool(max(CORES, 2), begin, (model,)) as pool:
        assert pool is not None
        without_http(pool, CORES, path, 0.1)  # until all have loaded the model
        ways: dict[str, Callable[[], float]] = {
            f"Model.predict in {n} processes": partial(alone, pool, n) for n in sorted({1, CORES})
        }
        ways |= {f"{n} clients": partial(asked, n) for n in CLIENTS}
        rates = in_turn(ways, repeats)
    all_cores = statistics.median(rates[f"Model.predict in {CORES} processes"])
    rows = [["", "runs a second", f"to {CORES} processes", "CPU ms a run", "to Model.predict",
             "p50 ms", "p99 ms", "p99 / p50"]]  # fmt: skip
    alone_cpu = statistics.median(cpu[f"Model.predict in {CORES} processes"])
    for name, values in rates.items():
        rate = statistics.median(values)
        of_run = statistics.median(cpu[name])
        row = [name, f"{rate:.1f}", f"{rate / all_cores:.2f}", f"{1000 * of_run:.0f}",
               f"{of_run / alone_cpu:.2f}"]  # fmt: skip
        if name in times:
            half, most = _quantile(times[name], 0.5), _quantile(times[name], 0.99)
            row += [f"{1000 * half:.0f}", f"{1000 * most:.0f}", f"{most / half:.1f}"]
        rows.append(row + ["-"] * (len(rows[0]) - len(row)))
    return rows


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def soak(server: Server, good: bytes, uploads: int, damaged: float) -> Table:
    """Upload many runs, some cut short, and count what comes back."""
    rng = random.Random(0)
    connection = server.connect()
    job = ask(connection, "/jobs", form("first.csv", good))["id"]
    rows = [["uploads", "done", "failed", "lost", "wrong", "MiB of memory"]]
    sent, began = {"first.csv": False}, 0  # files, and whether they are damaged
    for share in (0.1, 0.5, 1.0):
        for number in range(began, int(share * uploads)):
            is_bad = rng.random() < damaged
            name = f"{number}.csv"
            sent[name] = is_bad
            answer = ask(connection, f"/jobs/{job}/runs", form(name, b"" if is_bad else good))
            assert answer["http_status"] == 202, answer
        began = int(share * uploads)
        while not (said := ask(connection, f"/jobs/{job}"))["done"]:
            time.sleep(0.5)
        # a run may be doubtful to the model
        found = {run["name"]: run["predictions"][0]["status"] == "failed" for run in said["runs"]}
        lost = len(sent.keys() - found.keys()) + len(said["runs"]) - len(found)
        wrong = sum(found.get(name) != is_damaged for name, is_damaged in sent.items())
        counts = (len(sent), len(found), sum(found.values()), lost, wrong, server.memory())
        rows.append([f"{count:,.0f}" for count in counts])
    return rows


def make_run(folder: Path, ions: int) -> Path:
    """Simulate a run of about so many ions."""
    simulate(folder / f"{ions}", runs={"train": 1}, ions=ions, design="different")
    return next((folder / f"{ions}" / "train_features").iterdir())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = options.parser("benchmarks.speed.serve", __doc__, repeats=3)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--ions", type=int, default=80_000, help="ions of the run, about")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--uploads", type=int, default=10_000, help="runs to upload to one job")
    parser.add_argument("--small", type=int, default=5_000, help="ions of an uploaded run, about")
    parser.add_argument("--damaged", type=float, default=0.05, help="share that is damaged")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = make_run(folder, asked.ions)
        server = Server(asked.model, folder / "data")
        try:
            while ask(server.connect(), "/health")["status"] != "ok":
                time.sleep(0.2)
            rows = load(server, asked.model, path, asked.seconds, asked.repeats)
            title = f"One run of {asked.ions:,} ions, {path.stat().st_size / 2**20:.1f} MiB"
            tables.show(title, rows, markdown=asked.markdown)
            good = make_run(folder, asked.small).read_bytes()
            rows = soak(server, good, asked.uploads, asked.damaged)
            tables.show(f"Uploads to one job, {asked.damaged:.0%} damaged", rows,
                        markdown=asked.markdown)  # fmt: skip
        finally:
            server.end()


if __name__ == "__main__":
    main()
