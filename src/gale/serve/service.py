"""What all routes share: models, settings, jobs and workers, from start to end of the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gale.model import Model
from gale.plumbing.locks import claimed
from gale.plumbing.outputs import make_folder
from gale.serve.dispatch import Dispatcher
from gale.serve.metrics import Metrics
from gale.serve.pool import MIB, Limits, Worker
from gale.serve.problems import ProblemError
from gale.serve.reading import begin
from gale.serve.store import Store, StoredRun

LOG = logging.getLogger("gale.serve")

DAY_S = 86_400.0

PRUNE_S = 3600.0
"""Seconds between looks for results that are too old."""


@dataclass(frozen=True)
class Settings:
    """How much a service takes on.

    Parameters
    ----------
    workers : int
        Processes that read runs.
    seconds, memory_mb : float
        What reading one run, or making its page, may take.
    max_mb : float
        The largest request.
    queue : int
        Runs that may wait.
    per_client : int
        Requests that one address may have at a time.
    keep_days : float
        Days after which jobs are deleted.
    """

    workers: int
    seconds: float = 60.0
    memory_mb: float = 2048.0
    max_mb: float = 512.0
    queue: int = 20_000
    per_client: int = 64
    keep_days: float = 30.0

    @property
    def limits(self) -> Limits:
        """What a worker may take for a task."""
        return Limits(self.seconds, int(self.memory_mb * MIB))


class Service:
    """The state of a server.

    Parameters
    ----------
    models : mapping of str to Model
    data : Path
    settings : Settings
    columns, wording
        See :func:`gale.web_service`.
    """

    store: Store
    work: Dispatcher

    def __init__(
        self,
        models: Mapping[str, Model],
        data: Path,
        settings: Settings,
        columns: Mapping[str, str] | None = None,
        wording: Callable[[str], str] = str,
    ) -> None:
        self.models, self.data, self.settings = dict(models), data, settings
        self.metrics, self.wording = Metrics(), wording
        self._columns = columns
        self.stopping = False

    @asynccontextmanager
    async def life(self, _: object) -> AsyncIterator[None]:
        """Hold the folder while the server runs, so that no two servers do the same jobs."""
        make_folder(self.data)
        with claimed(self.data / "server"):
            self.store = await run_in_threadpool(Store, self.data)
            await run_in_threadpool(self.store.tidy)
            paths = await run_in_threadpool(self._keep_models)
            limits = self.settings.limits
            make = partial(Worker, begin, (paths, self._columns), limits)
            rows = [
                {"model": name, "model_sha256": model.sha256, "families": model.families}
                for name, model in self.models.items()
            ]
            self.work = Dispatcher(
                self.store, make, rows, self.settings.workers, limits, self.wording
            )
            self.work.start(asyncio.get_running_loop())
            pruning = asyncio.create_task(self._prune())
            try:
                yield
            finally:
                self.stop()
                pruning.cancel()
                await run_in_threadpool(self.work.stop)
                self.store.close()

    def stop(self) -> None:
        """Let streams of events end."""
        self.stopping = True
        self.work.wake()

    def _keep_models(self) -> dict[str, str]:
        """Put the models where workers find them, however long the server runs."""
        folder = self.data / "models"
        make_folder(folder)
        paths = {}
        for name, model in self.models.items():
            path = folder / f"{model.sha256}.onnx"
            if not path.exists():
                model.save(path)
            paths[name] = str(path)
        return paths

    async def _prune(self) -> None:
        while True:
            try:
                await run_in_threadpool(self.store.prune, self.settings.keep_days * DAY_S)
            except Exception:  # such as a full disk; the next time may be better
                LOG.exception("old jobs could not be deleted")
            await asyncio.sleep(PRUNE_S)

    async def job_of(self, request: Request) -> str:
        """The job that a request names."""
        job = str(request.path_params["job"])
        if not await run_in_threadpool(self.store.has_job, job):
            raise ProblemError(404, "there is no such job; it may have been deleted by its age")
        return job

    async def run_of(self, request: Request) -> StoredRun:
        """The run that a request names."""
        run = await run_in_threadpool(self.store.run, str(request.path_params["run"]))
        if run is None:
            raise ProblemError(404, "there is no such run; it may have been deleted by its age")
        return run

    def model_of(self, request: Request) -> tuple[str, Model]:
        """The model that a request asks for by name; by default the first."""
        name = request.query_params.get("model") or next(iter(self.models))
        if name not in self.models:
            raise ProblemError(404, f"there is no such model; there is {', '.join(self.models)}")
        return name, self.models[name]
