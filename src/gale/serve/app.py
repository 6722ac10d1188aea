"""The service as an ASGI application."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gale.errors import GaleError
from gale.model import Model
from gale.plumbing.kinds import checked
from gale.serve import answers
from gale.serve.front import Front
from gale.serve.guard import LOCAL_NAMES, Guard, Policy
from gale.serve.incoming import Incoming
from gale.serve.problems import ProblemError
from gale.serve.results import Results
from gale.serve.service import Service, Settings


@checked
def web_service(
    models: Mapping[str, str | Path | Model] | Sequence[str | Path],
    data: str | Path,
    *,
    token: str = "",
    hosts: Collection[str] = (),
    any_address: bool = False,
    columns: Mapping[str, str] | None = None,
    wording: Callable[[str], str] = str,
    workers: int | None = None,
    **limits: Any,
) -> ASGIApp:
    """Make the service that ``gale serve`` runs, as an ASGI application for any server of these.

    It works in one process of the server only, since it holds its jobs; the work is done by worker
    processes of its own, which import the script that started the server: what starts it there must
    be under ``if __name__ == "__main__":``.

    Parameters
    ----------
    models : mapping of str to path or Model, or sequence of paths
        The models, with the names that people see; by default those of the files.
    data : str or Path
        Folder for jobs, received files and results; made if it does not exist.
    token : str
        What requests have to give as ``Authorization: Bearer TOKEN``; by default nothing.
    hosts : collection of str
        Names by which the service may be called, beside localhost.
    any_address : bool
        Whether it may be called by any IP address, too.
    columns : mapping of str to str, optional
        Names of the columns of tables, as :func:`gale.read_run` takes them.
    wording : callable
        Puts the remedies in messages into the words of those who read them.
    workers : int, optional
        Processes that read runs; by default one per core.
    **limits : float
        ``seconds`` and ``memory_mb`` that a run may take (60, 2,048), ``max_mb`` of a request
        (512), ``queue`` of runs that may wait (20,000), ``per_client`` requests of one address at a
        time (64), and ``keep_days`` after which jobs are deleted (30).

    Returns
    -------
    ASGI application

    Raises
    ------
    ModelError
        If a model file cannot be read or used.
    GaleError
        If there is no model, two have the same name, or a limit is unknown.

    Examples
    --------
    In a folder with a model, for ``uvicorn service:app``:

    >>> import gale
    >>> app = gale.web_service({"small": "model.onnx"}, "jobs", token="a long secret", max_mb=64)
    >>> callable(app)
    True
    """
    try:
        settings = Settings(workers=workers or os.cpu_count() or 1, **limits)
    except TypeError as error:
        known = [name for name in Settings.__dataclass_fields__ if name != "workers"]
        raise GaleError("limits", f"has another name ({error})", ", ".join(known)) from None
    loaded = {
        name: each if isinstance(each, Model) else Model.load(each)
        for name, each in _named(models).items()
    }
    names = LOCAL_NAMES | {name.lower() for name in hosts}
    policy = Policy(token, names, any_address, settings.per_client)
    service = Service(loaded, Path(data), settings, columns, wording)
    sums = [model.sha256 for model in loaded.values()]
    routed = _routed(service, policy)
    return Guard(routed, policy, sums, service.metrics, stop=service.stop)


def _named(
    models: Mapping[str, str | Path | Model] | Sequence[str | Path],
) -> dict[str, str | Path | Model]:
    if isinstance(models, Mapping):
        named = list(models.items())
    else:
        named = [(Path(path).stem, path) for path in models]
    if not named:
        raise GaleError("models", "is empty", "at least one model file")
    if len(dict(named)) < len(named):
        names = ", ".join(name for name, _ in named)
        raise GaleError(
            "models", f"has two of the same name ({names})", "names that differ", "rename a file"
        )
    return dict(named)


def _routed(service: Service, policy: Policy) -> Starlette:
    """Make the routes."""
    front, incoming, results = Front(service, policy), Incoming(service), Results(service)
    api = answers.API
    routes = [
        Route("/", front.home),
        Route("/login", front.login, methods=["POST"]),
        Route("/assets/{name}", front.asset),
        Route(f"{api}/health", front.health),
        Route(f"{api}/metrics", front.show_metrics),
        Route(f"{api}/model", front.show_models),
        Route(f"{api}/openapi.json", front.description),
        Route(f"{api}/predict", incoming.predict, methods=["POST"]),
        Route(f"{api}/jobs", incoming.new_job, methods=["POST"]),
        Route(f"{api}/jobs/{{job}}", results.show_job),
        Route(f"{api}/jobs/{{job}}/runs", incoming.add_runs, methods=["POST"]),
        Route(f"{api}/jobs/{{job}}/table", results.table),
        Route(f"{api}/jobs/{{job}}/pages", results.pages),
        Route(f"{api}/runs/{{run}}", results.show_run),
        Route(f"{api}/runs/{{run}}/page", results.page),
        Route(f"{api}/runs/{{run}}/evidence", results.evidence),
        Route(f"{api}/runs/{{run}}/peaks", results.peaks),
    ]
    handlers = {
        HTTPException: _http_problem,
        ProblemError: _problem,
        sqlite3.OperationalError: _not_stored,
        Exception: _bug,
    }
    return Starlette(routes=routes, lifespan=service.life, exception_handlers=handlers)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def _not_stored(_: Request, error: Exception) -> Response:
    """Say that the disk is full; the sender may send again."""
    if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
        raise error
    return ProblemError(507, "the runs cannot be stored (the disk is full)").response()


async def _bug(_: Request, __: Exception) -> Response:
    """Say that something went wrong, and nothing of what: the log has it."""
    return ProblemError(500, "something went wrong in the server").response()


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {404: "there is no such page", 405: "this is not done so here"}
    more = detail.get(error.status_code, error.detail)
    return ProblemError(error.status_code, more, error.headers).response()
