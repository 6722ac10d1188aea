"""Results go out: jobs, tables, pages and peaks."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from gale.model import Model
from gale.plumbing.reading import read_text
from gale.plumbing.tables import FAILED
from gale.report.folder import index_page, page_names
from gale.report.pages import script_hashes
from gale.serve import answers
from gale.serve.problems import ProblemError, busy
from gale.serve.service import Service
from gale.serve.store import StoredRun
from gale.serve.tables import MEDIA_TYPES, row_of, table_bytes, table_of

BEAT_S = 15.0
"""Seconds of silence after which a stream of events says that it is alive."""

GATHER_S = 0.1
"""Events of this many seconds are sent together."""

RUN_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src {}; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page of a run may run its own scripts, known by their hashes, and reach nothing else."""


class Results:
    """Routes that give what is known of jobs and runs.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show_job(self, request: Request) -> Response:
        """Say how far a job is, as JSON or as a stream of events."""
        job = await self._service.job_of(request)
        if "text/event-stream" in request.headers.get("accept", ""):
            last = request.headers.get("last-event-id") or request.query_params.get("last", "0")
            events = self._events(job, int(last) if last.isdecimal() else 0)
            return StreamingResponse(events, media_type="text/event-stream")
        counts = await run_in_threadpool(self._service.store.counts, job)
        runs = await run_in_threadpool(self._service.store.runs, job)
        return JSONResponse(
            {
                **answers.named(self._service.models.items()),
                "id": job,
                "done": answers.is_done(counts),
                "progress": answers.of_counts(counts),
                "left_out": await run_in_threadpool(self._service.store.left_out, job),
                "runs": [answers.of_run(run) for run in runs],
            }
        )

    async def _events(self, job: str, last: int) -> AsyncIterator[str]:
        """Say what happens in a job: each finished run, how far it is, and the end."""
        event = self._service.work.watch(job)
        try:
            while not self._service.stopping:
                event.clear()
                counts = await run_in_threadpool(self._service.store.counts, job)
                for run in await run_in_threadpool(self._service.store.finished_since, job, last):
                    last = run.finished or last
                    yield _event("run", answers.of_run(run), last)
                yield _event("progress", answers.of_counts(counts), last)
                if answers.is_done(counts):
                    left_out = await run_in_threadpool(self._service.store.left_out, job)
                    yield _event("done", {"left_out": left_out}, last)
                    return
                while not event.is_set():
                    try:
                        await asyncio.wait_for(event.wait(), BEAT_S)
                    except TimeoutError:
                        yield ": alive\n\n"
                await asyncio.sleep(GATHER_S)
        finally:
            self._service.work.unwatch(job, event)

    async def table(self, request: Request) -> Response:
        """Give the finished runs of a job as a table."""
        job = await self._service.job_of(request)
        name, model = self._service.model_of(request)
        form = _form_of(request, MEDIA_TYPES)
        runs = await run_in_threadpool(self._service.store.runs, job)
        content = await run_in_threadpool(lambda: table_bytes(table_of(runs, model), form))
        return Response(content, media_type=MEDIA_TYPES[form],
                        headers=_attachment(f"predictions-{name}.{form}"))  # fmt: skip

    async def show_run(self, request: Request) -> Response:
        """Say what is known of a run."""
        run = await self._service.run_of(request)
        return JSONResponse({**answers.named(self._service.models.items()), **answers.of_run(run)})

    async def page(self, request: Request) -> Response:
        """Give the page of a run."""
        run, (name, model) = await self._service.run_of(request), self._service.model_of(request)
        path = await self._make_page(run, name, model)
        headers = {"Content-Security-Policy": RUN_POLICY.format(self._scripts)}
        return HTMLResponse(await run_in_threadpool(read_text, path), headers=headers)

    @cached_property
    def _scripts(self) -> str:
        return " ".join(f"'{each}'" for each in script_hashes())

    async def _make_page(self, run: StoredRun, name: str, model: Model) -> Path:
        row = self._predicted(run, model)
        path = self._service.store.page(run, model.sha256)
        if not path.exists():
            assert run.result is not None
            more = {"prediction": row, "sha256": run.result["sha256"], "page": str(path)}
            task = {**self._service.work.reading(run), "do": "page", "model": name, **more}
            await self._ask(task)
        return path

    def _predicted(self, run: StoredRun, model: Model) -> dict[str, Any]:
        """The prediction of a run from which there is more to show."""
        row = row_of(run, model.sha256)
        if row is None:
            why = "was predicted by another model" if run.result else "is not done yet"
            raise ProblemError(409, f"{run.name}: {why}")
        if row["status"] == FAILED:
            raise ProblemError(422, str(row["message"]))
        return row

    async def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await asyncio.wrap_future(self._service.work.ask(task))
        except asyncio.CancelledError:
            if self._service.stopping:
                raise busy(503, "the server stops", 10) from None
            raise
        if "error" in answer:
            raise ProblemError(422, self._service.wording(answer["error"]))
        return answer

    async def evidence(self, request: Request) -> Response:
        """Give what in a run speaks for each family."""
        return await self._rows(request, "evidence")

    async def peaks(self, request: Request) -> Response:
        """Give the peaks of a run, and what they are like."""
        return await self._rows(request, "peaks")

    async def _rows(self, request: Request, what: str) -> Response:
        """Give the table that a worker makes of a run, as JSON or CSV."""
        run, (name, model) = await self._service.run_of(request), self._service.model_of(request)
        self._predicted(run, model)
        form = _form_of(request, {"json": "", "csv": ""})
        task = {**self._service.work.reading(run), "do": what, "model": name, "form": form}
        answer = await self._ask(task)
        if form == "csv":
            return Response(answer["csv"], media_type=MEDIA_TYPES["csv"],
                            headers=_attachment(f"{what}.csv"))  # fmt: skip
        return JSONResponse(
            {
                **answers.named(self._service.models.items()),
                "run": run.id,
                "name": run.name,
                "model": name,
                "columns": answer["columns"],
                what: answer["rows"],
            }
        )

    async def pages(self, request: Request) -> Response:
        """Give the pages of all runs of a job and an index, as a ZIP archive that grows."""
        job = await self._service.job_of(request)
        name, model = self._service.model_of(request)
        runs = [run for run in await run_in_threadpool(self._service.store.runs, job) if run.result]
        return StreamingResponse(
            self._zip(runs, name, model),
            media_type="application/zip",
            headers=_attachment(f"pages-{name}.zip"),
        )

    async def _zip(
        self, runs: Sequence[StoredRun], name: str, model: Model
    ) -> AsyncIterator[bytes]:
        table = table_of(runs, model)
        files = page_names(table.filter(table["status"] != FAILED)["run"])
        known = [run for run in runs if row_of(run, model.sha256) is not None]
        sink = _Sink()
        pages: dict[str, str] = {}
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for run, shown in zip(known, table["run"], strict=True):
                if shown not in files:
                    continue
                try:
                    path = await self._make_page(run, name, model)
                except ProblemError:
                    continue  # the index has no link to it
                await run_in_threadpool(archive.write, path, files[shown])
                pages[shown] = files[shown]
                yield sink.take()
            index = await run_in_threadpool(index_page, table, model, pages)
            archive.writestr("index.html", index)
        yield sink.take()


class _Sink:
    """Takes what an archive writes, piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def _event(kind: str, data: Mapping[str, Any], number: int) -> str:
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(data)}\n\n"


def _form_of(request: Request, forms: Mapping[str, str]) -> str:
    form = request.query_params.get("format") or next(iter(forms))
    if form not in forms:
        raise ProblemError(400, f"there is no such format; there is {', '.join(forms)}")
    return form


def _attachment(name: str) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9.-]", "_", name)
    return {"Content-Disposition": f'attachment; filename="{plain}"'}
