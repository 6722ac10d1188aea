"""The page that people see, and what the server says of itself."""

from __future__ import annotations

import importlib.resources

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from gale.report.pages import render
from gale.serve import answers
from gale.serve.guard import COOKIE, Policy
from gale.serve.metrics import MEDIA_TYPE as METRICS_TYPE
from gale.serve.openapi import openapi
from gale.serve.problems import ProblemError
from gale.serve.service import Service

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

ASSETS = {
    "app.js": "text/javascript; charset=utf-8",
    "login.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

MOST_LOGIN_BYTES = 10_000


class Front:
    """Routes of the page, and of the server itself.

    Parameters
    ----------
    service : Service
    policy : Policy
    """

    def __init__(self, service: Service, policy: Policy) -> None:
        self._service, self._policy = service, policy

    async def home(self, request: Request) -> Response:
        """Show the page, or ask for the token."""
        headers = {"Content-Security-Policy": PAGE_POLICY}
        if not request.scope["is_known"]:
            return HTMLResponse(_page("login.html"), headers=headers)
        return HTMLResponse(_page("service.html"), headers=headers)

    async def login(self, request: Request) -> Response:
        """Take the token from the page, and give a cookie in return."""
        token = ""
        if int(request.headers.get("content-length") or "0") < 10_000:
            try:
                token = str((await request.json())["token"])
            except (ValueError, KeyError, TypeError):
                raise ProblemError(400, "expected JSON with the token") from None
        if not self._policy.knows(token):
            raise ProblemError(403, "this is not the token")
        answer = Response(status_code=204)
        answer.set_cookie(
            COOKIE,
            self._policy.session,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def asset(self, request: Request) -> Response:
        """Give a script or the icon."""
        name = request.path_params["name"]
        if name not in ASSETS:
            raise ProblemError(404, "there is no such page")
        content = importlib.resources.files("gale.serve").joinpath("assets", name).read_bytes()
        return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "no-cache"})

    async def health(self, _: Request) -> Response:
        """Say whether the server can work."""
        alive = self._service.work.alive
        said = {"status": "ok" if alive else "starting", "workers": alive}
        return JSONResponse(said | {"waiting": self._service.work.waiting}, 200 if alive else 503)

    async def show_metrics(self, _: Request) -> Response:
        """Give the counters of Prometheus."""
        work = self._service.work
        gauges: dict[str, tuple[str, str, dict[str, float]]] = {
            "gale_waiting_runs": ("Runs that wait.", "gauge", {"": work.waiting}),
            "gale_workers": (
                "Worker processes.",
                "gauge",
                {'{state="alive"}': work.alive, '{state="busy"}': work.busy},
            ),
            "gale_runs_total": (
                "Runs that are done, by status.",
                "counter",
                {f'{{status="{name}"}}': n for name, n in sorted(work.finished.items())},
            ),
            "gale_workers_ended_total": (
                "Workers that a task has ended, by reason.",
                "counter",
                {f'{{reason="{name}"}}': n for name, n in sorted(work.ended.items())},
            ),
            "gale_model_info": (
                "The models.",
                "gauge",
                {f'{{sha256="{model.sha256}"}}': 1 for model in self._service.models.values()},
            ),
        }
        return Response(self._service.metrics.text(gauges), media_type=METRICS_TYPE)

    async def show_models(self, _: Request) -> Response:
        """Say what the models are, and what the server takes."""
        settings = self._service.settings
        return JSONResponse(
            {
                **answers.named(self._service.models.items()),
                "models": [
                    answers.of_model(name, model, self._service.wording)
                    for name, model in self._service.models.items()
                ],
                "limits": {
                    "max_mb": settings.max_mb,
                    "seconds": settings.seconds,
                    "memory_mb": settings.memory_mb,
                    "queue": settings.queue,
                    "per_client": settings.per_client,
                    "keep_days": settings.keep_days,
                },
            }
        )

    async def description(self, _: Request) -> Response:
        """Give the OpenAPI document."""
        return JSONResponse(
            openapi(list(self._service.models), needs_token=bool(self._policy.token))
        )


def _page(template: str) -> str:
    return render(template, package="gale.serve", title="gale")
