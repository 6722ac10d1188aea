"""Worker processes that may end: each takes one task at a time, within limits of time and memory.

A file that is made to do harm, or a fault of a library in compiled code, ends a worker and nothing
else; a new one takes its place. Tasks and answers are JSON, so that a worker cannot make the server
run anything.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

Task = dict[str, Any]
Answer = dict[str, Any]
Handle = Callable[[Task], Answer]

MIB = 2**20

START_S = 120.0
"""Seconds that a worker may take to begin: it imports libraries and loads the models."""

OUT_OF_MEMORY = 87
"""Exit status of a worker that has no memory left."""


class WorkerEndedError(Exception):
    """A worker did not finish its task; `reason` is ``time``, ``memory`` or ``crash``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """What a task may take.

    Parameters
    ----------
    seconds : float
    memory : int
        Bytes beyond what a worker has before its first task. Only Linux and other Unixes that
        count address space keep this limit.
    """

    seconds: float
    memory: int


class Worker:
    """One worker process, started when it is first needed and again after it has ended.

    Parameters
    ----------
    begin : callable
        Makes the function that does tasks; called with `arguments` in the process. It has to be
        at the top of a module.
    arguments : tuple
    limits : Limits

    Examples
    --------
    >>> worker = Worker(dict, (), Limits(seconds=10, memory=2**30))
    >>> worker.is_alive
    False
    """

    def __init__(
        self, begin: Callable[..., Handle], arguments: tuple[Any, ...], limits: Limits
    ) -> None:
        self._begin, self._arguments, self._limits = begin, arguments, limits
        self._process: Any = None
        self._pipe: Connection | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and bool(self._process.is_alive())

    def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises
        ------
        WorkerEndedError
            If it does not get ready.
        """
        if self.is_alive:
            return
        self.stop()
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, self._begin, self._arguments, self._limits.memory)
        )
        with _threads_of_one():
            self._process.start()
        theirs.close()
        self._receive(START_S)

    def do(self, task: Task) -> Answer:
        """Let the process do a task.

        Raises
        ------
        WorkerEndedError
            If the task takes too long or too much memory, or the process ends for another reason.
        """
        self.start()
        assert self._pipe is not None
        try:
            self._pipe.send_bytes(json.dumps(task).encode())
        except OSError:
            self.stop()
            raise WorkerEndedError("crash") from None
        return self._receive(self._limits.seconds)

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer hears of it."""
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End the process at once, and forget it."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _receive(self, seconds: float) -> Answer:
        assert self._pipe is not None
        try:
            if not self._pipe.poll(seconds):
                self.stop()
                raise WorkerEndedError("time")
            answer: Answer = json.loads(self._pipe.recv_bytes())
        except (EOFError, OSError, ValueError):
            self._process.join(1)
            reason = "memory" if self._process.exitcode == OUT_OF_MEMORY else "crash"
            self.stop()
            raise WorkerEndedError(reason) from None
        return answer


@contextmanager
def _threads_of_one() -> Iterator[None]:
    """Let a process that starts here parse with one thread: the pool has one worker per core."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def _work(
    pipe: Connection, begin: Callable[..., Handle], arguments: tuple[Any, ...], memory: int
) -> None:
    """Do tasks until the server ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # these are for the server, which then ends this
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        handle = begin(*arguments)
        _limit_memory(memory)
        pipe.send_bytes(b"{}")
        while True:
            answer = handle(json.loads(pipe.recv_bytes()))
            pipe.send_bytes(json.dumps(answer).encode())
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, OSError):  # the server has ended
        os._exit(1)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _limit_memory(memory: int) -> None:
    """Let this process have so many bytes more than it has, where the system can."""
    if sys.platform == "win32" or (size := _address_space()) is None:
        return
    resource = importlib.import_module("resource")
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = size + memory
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _address_space() -> int | None:
    """Bytes of address space that this process has; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  (no file of a user)
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def patience(attempt: int) -> float:
    """Seconds to wait before a worker that does not start is tried again."""
    return min(2.0**attempt, 60.0)


def rest(seconds: float, stopped: Callable[[], bool]) -> None:
    """Wait, but not longer than until the server stops."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopped():
        time.sleep(0.1)
