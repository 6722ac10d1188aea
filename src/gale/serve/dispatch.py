"""Which task goes to which worker, and what becomes of its answer."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gale.errors import GaleError
from gale.plumbing.tables import FAILED, UNLIKE
from gale.serve.pool import MIB, Answer, Limits, Task, Worker, WorkerEndedError, patience, rest
from gale.serve.reading import FILE
from gale.serve.store import Arrival, Store, StoredRun, is_bundle

SOON, NEXT, LATER = 0, 1, 2
"""Order of tasks: what someone looks at, a direct request, a job."""

MOST_ATTEMPTS = 2
"""How often a run is begun that ends its worker, or with which the server ended."""

FULL_S = 5.0
"""Seconds to wait after something could not be stored."""

LOG = logging.getLogger("gale.serve")

A_RUN = "a run, which takes a second or so and little memory"


@dataclass(order=True)
class _Queued:
    """A task in the queue, by its order."""

    order: int
    number: int
    run: str = field(compare=False, default="")
    task: Task | None = field(compare=False, default=None)
    future: Future[Answer] | None = field(compare=False, default=None)


class Dispatcher:
    """Hands tasks to workers, one thread for each.

    Parameters
    ----------
    store : Store
    make_worker : callable
        Makes a :class:`gale.serve.pool.Worker`.
    models : sequence of dict
        ``model``, ``model_sha256`` and ``families`` of each, for the rows of runs that failed.
    workers : int
    limits : Limits
        What messages say of them.
    wording : callable
        Puts the remedies in messages into the words of those who read them.
    """

    def __init__(
        self,
        store: Store,
        make_worker: Callable[[], Worker],
        models: Sequence[dict[str, Any]],
        workers: int,
        limits: Limits,
        wording: Callable[[str], str] = str,
    ) -> None:
        self._store, self._limits, self._wording = store, limits, wording
        self._models = list(models)
        self._workers = [make_worker() for _ in range(workers)]
        self._queue: list[_Queued] = []
        self._numbers = itertools.count()
        self._ready = threading.Condition()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.busy = 0
        self.ended: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the workers; runs that waited when the last server ended come first."""
        self._loop = loop
        self.add(self._store.waiting(), LATER)
        for worker in self._workers:
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End all workers; what they were reading waits for the next start."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
        for worker in self._workers:
            worker.kill()
        for thread in self._threads:
            thread.join(10)
        for worker in self._workers:
            worker.stop()
        for each in self._queue:
            if each.future is not None:
                each.future.cancel()

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._queue)

    @property
    def alive(self) -> int:
        """How many workers run."""
        return sum(worker.is_alive for worker in self._workers)

    def add(self, runs: Sequence[StoredRun], order: int) -> None:
        """Queue runs."""
        with self._ready:
            for run in runs:
                heapq.heappush(self._queue, _Queued(order, next(self._numbers), run.id))
            self._ready.notify(len(runs))

    def ask(self, task: Task) -> Future[Answer]:
        """Queue a task that someone waits for; it is not repeated when the server starts again."""
        future: Future[Answer] = Future()
        with self._ready:
            queued = _Queued(SOON, next(self._numbers), task=task, future=future)
            heapq.heappush(self._queue, queued)
            self._ready.notify()
        return future

    def watch(self, job: str) -> asyncio.Event:
        """Return an event that is set when something changes in a job; see :meth:`unwatch`."""
        event = asyncio.Event()
        self._watchers[job].add(event)
        return event

    def unwatch(self, job: str, event: asyncio.Event) -> None:
        """Forget an event."""
        self._watchers[job].discard(event)
        if not self._watchers[job]:
            del self._watchers[job]

    def wake(self) -> None:
        """Set all events, since the server stops."""
        for events in self._watchers.values():
            for event in events:
                event.set()

    def _changed(self, job: str) -> None:
        def tell() -> None:
            for event in self._watchers.get(job, ()):
                event.set()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell)

    def _serve(self, worker: Worker) -> None:
        """Give a worker one task after the other, in a thread of its own."""
        failures = 0
        while not self._stopping:
            try:
                worker.start()
                failures = 0
            except WorkerEndedError:
                self.ended["start"] += 1
                failures += 1
                rest(patience(failures), lambda: self._stopping)
                continue
            if (queued := self._take()) is None:
                continue
            try:
                self._do(worker, queued)
            except Exception:  # such as a full disk: the run waits until there is room
                LOG.exception("a run could not be stored")
                self._put_back(queued)
                rest(FULL_S, lambda: self._stopping)
            finally:
                with self._ready:
                    self.busy -= 1

    def _put_back(self, queued: _Queued) -> None:
        if queued.future is not None:
            queued.future.cancel()
            return
        with self._ready:
            heapq.heappush(self._queue, queued)

    def _take(self) -> _Queued | None:
        with self._ready:
            while not self._queue and not self._stopping:
                self._ready.wait()
            if self._stopping:
                return None
            self.busy += 1
            return heapq.heappop(self._queue)

    def _do(self, worker: Worker, queued: _Queued) -> None:
        if queued.future is not None and queued.task is not None:
            if queued.future.set_running_or_notify_cancel():
                self._answer(worker, queued.task, queued.future)
        elif (run := self._store.begin(queued.run)) is not None:
            self._changed(run.job)
            try:
                self._read(worker, run, queued.order)
            finally:
                self._changed(run.job)

    def _answer(self, worker: Worker, task: Task, future: Future[Answer]) -> None:
        try:
            future.set_result(worker.do(task))
        except WorkerEndedError as error:
            self.ended[error.reason] += 1
            future.set_result({"error": self._said(task["name"], error.reason)})

    def _read(self, worker: Worker, run: StoredRun, order: int) -> None:
        """Read a run or take a bundle apart, and store what comes of it."""
        if run.attempts > MOST_ATTEMPTS:
            self._fail(run, self._said(run.name, "crash"))
            return
        began = time.monotonic()
        try:
            answer = worker.do(self._task(run))
        except WorkerEndedError as error:
            if self._stopping:
                self._store.wait_again(run.id)
                return
            self.ended[error.reason] += 1
            if error.reason == "crash" and run.attempts < MOST_ATTEMPTS:
                self._store.wait_again(run.id)
                self.add([run], order)
            else:
                self._fail(run, self._said(run.name, error.reason))
            return
        if "error" in answer:
            self._fail(run, answer["error"])
        elif is_bundle(run):
            self._take_apart(run, answer, order)
        else:
            for row in answer["predictions"]:
                row["message"] = row["message"] and self._wording(row["message"])
            self._store.finish(run.id, answer, time.monotonic() - began)
            self._count(answer)

    def _task(self, run: StoredRun) -> Task:
        if is_bundle(run):
            files = [(name, str(self._store.uploads / stored)) for name, stored in run.files]
            into = str(self._store.uploads / f"{run.files[0][1]}.run")
            return {"do": "unbundle", "name": run.name, "files": files, "into": into}
        return {"do": "predict", **self.reading(run)}

    def reading(self, run: StoredRun) -> Task:
        """What a task says of the run that it reads."""
        path = str(self._store.uploads / run.files[0][1])
        return {"name": run.name, "kind": run.kind, "path": path}

    def _take_apart(self, bundle: StoredRun, answer: Answer, order: int) -> None:
        found = [each for each in answer["runs"] if "error" not in each]
        failures = [
            (each["name"], self.failure(each["error"]))
            for each in answer["runs"]
            if "error" in each
        ]
        if not answer["runs"]:
            error = GaleError(
                bundle.name, "has no run in it", "at least one", "send runs, or a ZIP of them"
            )
            failures = [(bundle.name, self.failure(str(error)))]
        arrivals = [
            Arrival(each["name"], each["kind"], [(each["name"], each["path"])], each["size"])
            for each in found
        ]
        runs = self._store.replace(bundle, arrivals, failures, answer["left_out"])
        for _, result in failures:
            self._count(result)
        self.add(runs, order)

    def _fail(self, run: StoredRun, message: str) -> None:
        result = self.failure(message)
        self._store.finish(run.id, result, 0.0)
        self._count(result)

    def failure(self, message: str) -> dict[str, Any]:
        """The result of a run that failed."""
        rows = [
            {
                "model": each["model"],
                "model_sha256": each["model_sha256"],
                "status": FAILED,
                "message": self._wording(message),
                UNLIKE: None,
                "families": dict.fromkeys(each["families"], (None, None)),
            }
            for each in self._models
        ]
        return {"sha256": "", "predictions": rows}

    def _count(self, result: Answer) -> None:
        self.finished[result["predictions"][0]["status"]] += 1

    def _said(self, name: str, reason: str) -> str:
        """Say why the worker of a run ended."""
        found = {
            "time": f"took more than {self._limits.seconds:g} s to read and was stopped",
            "memory": f"took more than {self._limits.memory / MIB:,.0f} MiB and was stopped",
        }.get(reason, "ended the process that read it")
        return str(GaleError(name, found, A_RUN, "check what the file is, or export it again"))


def arrival_of(name: str, path: Path, size: int) -> Arrival:
    """Make the arrival of a single file that has been received."""
    return Arrival(name, FILE, [(name, path.name)], size)
