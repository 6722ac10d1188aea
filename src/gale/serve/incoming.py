"""Runs come in: predicted at once, or as a job."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gale.serve import answers
from gale.serve.dispatch import LATER, NEXT
from gale.serve.pool import MIB
from gale.serve.problems import ProblemError, busy
from gale.serve.service import Service
from gale.serve.store import StoredRun
from gale.serve.uploads import Upload, receive

LONGEST_KEY = 100
"""Letters of an Idempotency-Key that count."""


class Incoming:
    """Routes that take files.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def predict(self, request: Request) -> Response:
        """Predict the runs of a form, and answer when all are done."""
        job, _ = await self._take(request, None, NEXT)
        event = self._service.work.watch(job)
        try:
            while not answers.is_done(await run_in_threadpool(self._service.store.counts, job)):
                if self._service.stopping:
                    raise busy(503, f"the server stops; the job {job} goes on when it is back", 10)
                await event.wait()
                event.clear()
        finally:
            self._service.work.unwatch(job, event)
        runs = await run_in_threadpool(self._service.store.runs, job)
        body = {
            **answers.named(self._service.models.items()),
            "job": job,
            "left_out": await run_in_threadpool(self._service.store.left_out, job),
            "runs": [answers.of_run(run) for run in runs],
        }
        if (message := answers.failure_of(runs)) is not None:
            raise ProblemError(422, message, more=body)
        return JSONResponse(body)

    async def new_job(self, request: Request) -> Response:
        """Make a job of the runs of a form; without any, an empty one."""
        job, runs = await self._take(request, None, LATER, may_be_empty=True)
        return self._accepted(job, runs)

    async def add_runs(self, request: Request) -> Response:
        """Add the runs of a form to a job."""
        job = await self._service.job_of(request)
        _, runs = await self._take(request, job, LATER)
        return self._accepted(job, runs)

    async def _take(
        self, request: Request, job: str | None, order: int, *, may_be_empty: bool = False
    ) -> tuple[str, list[StoredRun]]:
        """Receive files, store them as runs, and queue these."""
        if self._service.work.waiting >= self._service.settings.queue:
            raise busy(
                503, f"{self._service.work.waiting:,} runs wait already; send again later", 10
            )
        key = request.headers.get("idempotency-key", "")[:LONGEST_KEY] or None
        upload = await receive(
            request, self._service.store, int(self._service.settings.max_mb * MIB)
        )
        try:
            job, runs = await self._keep(upload, job, key, order, may_be_empty=may_be_empty)
        except Exception:  # but not if the server stops: it may have been stored just now
            upload.discard()
            raise
        return job, runs

    async def _keep(
        self, upload: Upload, job: str | None, key: str | None, order: int, *, may_be_empty: bool
    ) -> tuple[str, list[StoredRun]]:
        store = self._service.store
        arrivals = await run_in_threadpool(upload.arrivals)
        if not arrivals:
            if not may_be_empty:
                raise ProblemError(400, "the form has no file; send at least one run")
            return await run_in_threadpool(store.add_job), []
        if job is not None and key is not None:
            known = await run_in_threadpool(store.runs_of_upload, job, key)
            if known:  # sent again, since the answer was lost
                upload.discard()
                return job, known
        self._service.metrics.received(sum(size for *_, size in upload.files))
        into, runs = await run_in_threadpool(store.add_runs, job, arrivals, key)
        self._service.work.add(runs, order)
        return into, runs

    def _accepted(self, job: str, runs: Sequence[StoredRun]) -> Response:
        body = {
            **answers.named(self._service.models.items()),
            "id": job,
            "runs": [answers.of_run(run) for run in runs],
        }
        return JSONResponse(body, 202, {"Location": f"{answers.API}/jobs/{job}"})
