"""Work on many machines: an executor whose tasks workers of Dask do.

A task that a dead worker had is done again by another one. Workers need gale in the same version,
and the same files under the same names; each does one task at a time, in the folder of the command.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gale.errors import GaleError, GaleWarning, MissingExtraError, warn
from gale.plumbing.kinds import checked
from gale.plumbing.reading import read_text
from gale.plumbing.schema import read_json
from gale.plumbing.workers import ignore_interrupts, one_thread_each

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local:"
"""What an address begins with that stands for workers on this machine."""

ENVIRONMENT = "distributed.nanny.pre-spawn-environ"
"""Setting of Dask with the environment of its workers."""

KEEPING_MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**25, "MALLOC_MMAP_THRESHOLD_": 2**25}
"""Lets workers keep 32 MB of freed memory (glibc). As Dask starts them, they give all back, and
every array of a run comes anew from the operating system, which took half of the time."""

TIMEOUT_S = 20
"""Seconds in which a scheduler has to answer."""

WINDOW = 1024
"""Chunks that are with the scheduler at a time: more than there are workers."""

EXPECTED = (
    "a Dask scheduler that answers, such as tcp://10.0.0.5:8786, its scheduler file, or local:4"
)


NO_WORKER = "the scheduler has no worker yet; the work waits for one"


@checked
@contextmanager
def dask_executor(address: str | Path) -> Iterator[DaskExecutor]:
    """Give an executor for :class:`gale.Work` whose tasks workers of Dask do, until the block ends.

    With it, runs are read and simulated, and features computed, by all workers of a cluster. What
    all tasks need (a simulator's substances) goes to each worker once. A worker that dies costs
    the tasks that it had, which others do again; the result is the same.

    Parameters
    ----------
    address : str or Path
        The address of a scheduler, the path of its scheduler file, or ``local:4`` for four
        processes on this machine.

    Raises
    ------
    GaleError
        If no scheduler answers. From what uses the executor: if a worker has another version of
        gale, does not see the current folder, or tasks end several workers.
    MissingExtraError
        If Dask is not installed.

    Warns
    -----
    GaleWarning
        If the scheduler has no worker yet.

    Examples
    --------
    >>> import gale
    >>> def features_of(campaign):
    ...     with gale.dask_executor("local:4") as executor:
    ...         gale.write_features(campaign, "features", work=gale.Work(executor=executor))
    """
    with ExitStack() as stack:
        client = _connect(str(address), stack)
        executor = DaskExecutor(client, str(address))
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        if not executor.n_workers:
            warn(NO_WORKER)
        yield executor


def _connect(address: str, stack: ExitStack) -> Client:
    """Connect to a scheduler, which may have to be started."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise MissingExtraError(
            "dask",
            "is not installed",
            remedy="install the extra: pip install 'gale-ms[dask]'",
        ) from None
    logging.getLogger("distributed").setLevel(logging.ERROR)  # dead workers are no news
    if address.startswith(LOCAL):
        return stack.enter_context(_local_client(address))
    try:
        found = _address_in(Path(address)) if _is_file(address) else address
        client = Client(found, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise GaleError(address, f"is no scheduler that answers ({why[:100]})", EXPECTED) from error
    return stack.enter_context(client)


@contextmanager
def _local_client(address: str) -> Iterator[Client]:
    """Start workers on this machine, which end with the block."""
    import dask
    from distributed import Client, LocalCluster

    number = address.removeprefix(LOCAL)
    if not (number.isdecimal() and int(number)):
        raise GaleError(address, "does not say how many processes", "such as local:4")
    with (
        one_thread_each(),
        dask.config.set({ENVIRONMENT: {**dask.config.get(ENVIRONMENT), **KEEPING_MEMORY}}),
        LocalCluster(
            n_workers=int(number),
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port: None is 8787, for one command alone
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.run(ignore_interrupts)
        yield client


def _is_file(address: str) -> bool:
    return address.endswith(".json") or ("://" not in address and Path(address).is_file())


def _address_in(file: Path) -> str:
    """Read the address in a scheduler file."""
    return str(read_json(read_text(file))["address"])


class DaskExecutor(Executor):
    """An executor whose tasks workers of Dask do, see :func:`dask_executor`."""

    def __init__(self, client: Client, address: str, setup: object = None) -> None:
        self.client, self.address = client, address
        self._executor, self._setup = client.get_executor(pure=False), setup

    @property
    def n_workers(self) -> int:
        """Number of workers that the scheduler has now."""
        return len(self.client.nthreads())

    def begun(self, begin: Callable[..., object], arguments: tuple[Any, ...]) -> DaskExecutor:
        """Return the executor whose workers call `begin` before their first task.

        The arguments go to each worker once. They are the result of a task, which is done again
        if all workers that have it die.
        """
        with _without_advice():
            setup = self.client.submit(_same, (uuid.uuid4().hex, begin, arguments), pure=False)
        return DaskExecutor(self.client, self.address, setup)

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Let a worker call a function."""
        task = partial(_call, os.getcwd(), version("gale-ms"))  # noqa: PTH109  (as tasks compare it)
        with _without_advice():
            inner = self._executor.submit(task, self._setup, fn, *args, **kwargs)
        outer: Future[Result] = Future()
        outer.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        inner.add_done_callback(partial(_hand_on, outer, self.address))
        return outer

    def map(
        self, fn: Callable[..., Result], *iterables: Iterable[Any], chunksize: int = 1,
        timeout: float | None = None,
    ) -> Iterator[Result]:  # fmt: skip
        """Call a function for items, in chunks, a limited number of them at a time."""
        chunks = _batched(zip(*iterables, strict=False), chunksize)
        submitted = deque(self.submit(_map, fn, each) for each in islice(chunks, WINDOW))

        def results() -> Iterator[Result]:
            try:
                while submitted:
                    yield from submitted.popleft().result(timeout)
                    submitted.extend(self.submit(_map, fn, each) for each in islice(chunks, 1))
            finally:
                for each in submitted:
                    each.cancel()

        return results()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the executor; the cluster stays."""
        self._executor.shutdown(wait=wait and not cancel_futures)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Leave out what Dask tells those who write for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")
        yield


def _batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    items = iter(items)
    while chunk := tuple(islice(items, size)):
        yield chunk


_ONE_AT_A_TIME = threading.Lock()
"""Held by the task of a worker's process, which belongs to its folder and to what it has begun."""

_HAS_BEGUN: list[str] = []
"""What this worker has begun last."""

_version = cache(version)


def _call(
    folder: str,
    gale: str,
    setup: tuple[str, Callable[..., object], tuple[Any, ...]] | None,
    fn: Callable[..., Result],
    /,
    *args: Any,
    **kwargs: Any,
) -> Result:
    """Do a task in a worker."""
    if (found := _version("gale-ms")) != gale:
        raise GaleError("a worker", f"has gale {found}", f"gale {gale}, as this command")
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", GaleWarning)  # the command says what there is to say
        try:
            os.chdir(folder)
        except OSError as error:
            raise GaleError(
                "a worker",
                f"does not see the folder {folder} ({error.strerror})",
                "the same files under the same names on all machines",
            ) from error
        if setup is not None and setup[0] not in _HAS_BEGUN:
            mark, begin, arguments = setup
            begin(*arguments)
            _HAS_BEGUN[:] = [mark]
        return fn(*args, **kwargs)


def _map(fn: Callable[..., Result], chunk: Iterable[tuple[Any, ...]]) -> list[Result]:
    return [fn(*arguments) for arguments in chunk]


def _same(value: object) -> object:
    return value


def _hand_on(outer: Future[Any], address: str, inner: Future[Any]) -> None:
    """Give the result of a future to another one, errors of Dask as those of an executor."""
    if inner.cancelled():
        outer.cancel()
        return
    if not outer.set_running_or_notify_cancel():
        return
    error = inner.exception()
    if error is None:
        outer.set_result(inner.result())
    elif type(error).__name__ == "KilledWorker":
        outer.set_exception(BrokenExecutor(f"several workers of {address} died at the same runs"))
    elif isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("gale"):
        found = "has a worker without gale"
        outer.set_exception(GaleError(address, found, "gale installed for every worker"))
    else:
        outer.set_exception(error)
