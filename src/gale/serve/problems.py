"""What goes wrong with a request, as problem+json (RFC 9457)."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that cannot be answered as asked.

    Parameters
    ----------
    status : int
        That of HTTP.
    detail : str
        A sentence for the sender.
    headers : mapping of str to str, optional
    more : mapping, optional
        Further members of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail
        self.headers, self.more = dict(headers or {}), dict(more or {})

    def response(self) -> Response:
        """Make the answer."""
        body = {
            "type": "about:blank",
            "title": http.HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def busy(status: int, detail: str, seconds: int) -> ProblemError:
    """Say that a request may be repeated after some seconds."""
    return ProblemError(status, detail, {"Retry-After": str(seconds)})
