"""Services for tests: in this process, and as a server that listens on loopback."""

from __future__ import annotations

import io
import os
import queue
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from starlette.testclient import TestClient

import gale
from gale.run import Run
from helpers.run_files import csv

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests" / "model" / "models" / "elution.onnx"
API = "/api/v1"
TOKEN = "a token for tests only"
FILES = Sequence[tuple[str, bytes]]


def run_csv(seed: int = 0, n_scans: int = 120) -> bytes:
    """A small run of 10 minutes that nothing is odd about."""
    rng = np.random.default_rng(seed)
    mz = np.tile(np.arange(40.0, 60.0), n_scans)
    intensity = np.round(rng.lognormal(5, 1, len(mz)), 1)
    intensity[20 * (n_scans // 2) :][:60] *= 100  # a peak of three scans
    time_min = np.linspace(0.1, 10, n_scans)
    return csv(Run.from_scans(time_min, np.full(n_scans, 20), mz, intensity))


def form(files: FILES) -> list[tuple[str, tuple[str, bytes]]]:
    """Files as the client sends them."""
    return [("file", file) for file in files]


def zipped(files: FILES) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


@contextmanager
def client_of(
    data: Path, models: Mapping[str, Path] | None = None, **options: Any
) -> Iterator[TestClient]:
    """A client of a service in this process, whose runs one worker process reads."""
    app = gale.web_service(models or {"small": MODEL}, data, **{"workers": 1, **options})
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def wait_done(client: TestClient, job: str, seconds: float = 240) -> dict[str, Any]:
    """Wait until a job is done, and return it."""
    until = time.monotonic() + seconds
    while True:
        said: dict[str, Any] = client.get(f"{API}/jobs/{job}").json()
        if said["done"]:
            return said
        assert time.monotonic() < until, said
        time.sleep(0.05)


class Server:
    """`gale serve` as a process."""

    started: ClassVar[list[Server]] = []

    def __init__(self, data: Path, *words: object) -> None:
        command = [sys.executable, "-m", "gale", "serve", "--model", MODEL, "--port", "0", "--data",
                   data, "--workers", "1", *words]  # fmt: skip
        self.process = subprocess.Popen(
            [str(each) for each in command],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(self)
        self.lines: list[str] = []
        self._printed: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        first = self._printed.get(timeout=240)
        found = re.search(r"http://\S+?/", first)
        assert found, first
        self.url = found[0].rstrip("/")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            for line in printed:
                self.lines.append(line)
                self._printed.put(line)

    def kill(self) -> None:
        """End it as a power cut does, and wait."""
        self.process.kill()
        self.process.wait()
        self._listener.join()

    def end(self) -> int:
        """Ask it to end, and return its status."""
        self.process.terminate()
        status = self.process.wait(timeout=120)
        self._listener.join()
        return status
