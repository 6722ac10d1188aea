"""Who may ask what: hosts, origins, the token, how much at once, and what every answer carries."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gale.errors import GaleError
from gale.serve.metrics import Metrics
from gale.serve.problems import ProblemError, busy

LOG = logging.getLogger("gale.serve")

COOKIE = "gale_session"

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

OPEN = ("/", "/login", "/api/v1/health")
"""What may be asked for without the token; the page asks for it."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set its own."""

MODEL = "Gale-Model"
"""Header of every answer: the SHA-256 of each model, in order."""


@dataclass(frozen=True)
class Policy:
    """What a server lets in.

    Parameters
    ----------
    token : str
        Empty if none is needed.
    hosts : collection of str
        Names by which the server may be called, in lower case. A page of another site that has
        made its own name point here (DNS rebinding) calls by another one.
    any_address : bool
        Whether it may also be called by any IP address: that cannot be a rebound name.
    per_client : int
        Requests that one address may have at a time.
    """

    token: str = ""
    hosts: Collection[str] = LOCAL_NAMES
    any_address: bool = False
    per_client: int = 64

    @property
    def session(self) -> str:
        """What the cookie of someone who has given the token holds."""
        return hmac.new(self.token.encode(), b"gale session", hashlib.sha256).hexdigest()

    def knows(self, token: str) -> bool:
        """Whether this is the token; takes as long for any that is not."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def check_host(self, host: str) -> None:
        """Refuse a request that calls the server by another name.

        Raises
        ------
        ProblemError
        """
        name = urlsplit(f"//{host}").hostname if host and "@" not in host else None
        if name is None or not (name in self.hosts or (self.any_address and _is_address(name))):
            raise ProblemError(421, "this server has another name, and this one is not allowed")

    def check_origin(self, method: str, headers: Headers) -> None:
        """Refuse what a page of another site sends.

        Raises
        ------
        ProblemError
        """
        if method in SAFE_METHODS:
            return
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        same = origin is None or urlsplit(origin).netloc.lower() == headers["host"].lower()
        if not same or site not in (None, "same-origin", "none"):
            raise ProblemError(403, "a page of another site may not send anything here")

    def is_known(self, headers: Headers) -> bool:
        """Whether the sender has given the token, as a header or at the page."""
        if not self.token:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(token.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(
            cookie.value.encode(), self.session.encode()
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@dataclass
class Guard:
    """Stands before the application, and lets in what the policy does.

    Parameters
    ----------
    app : ASGI application
    policy : Policy
    models : sequence of str
        SHA-256 of each model.
    metrics : Metrics
    failure : GaleError or None
        Why the application could not start.
    stop : callable or None
        Ends answers that have no end, before the server waits for all to end.
    """

    app: ASGIApp
    policy: Policy
    models: Sequence[str]
    metrics: Metrics
    failure: GaleError | None = None
    stop: Callable[[], None] | None = None
    _asking: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            try:
                await self.app(scope, receive, send)
            except GaleError as error:
                self.failure = error
                raise
            return
        client = (scope.get("client") or ("", 0))[0]
        reply = _Reply(send, self.models)
        began = time.perf_counter()
        self._asking[client] += 1
        try:
            self._check(scope, client)
            await self.app(scope, receive, reply.send)
        except ProblemError as error:
            await error.response()(scope, receive, reply.send)
        except Exception:  # the application has answered, and the sender learns no more
            LOG.exception("a request failed")
        finally:
            self._asking[client] -= 1
            if not self._asking[client]:
                del self._asking[client]
            route = getattr(scope.get("endpoint"), "__name__", "other")
            self.metrics.asked(route, reply.status, time.perf_counter() - began)

    def _check(self, scope: Scope, client: str) -> None:
        headers = Headers(scope=scope)
        self.policy.check_host(headers.get("host", ""))
        self.policy.check_origin(scope["method"], headers)
        scope["is_known"] = self.policy.is_known(headers)
        path = scope["path"]
        if not (scope["is_known"] or path in OPEN or path.startswith("/assets/")):
            raise ProblemError(
                401, "the token is missing or wrong", {"WWW-Authenticate": 'Bearer realm="gale"'}
            )
        if self._asking[client] > self.policy.per_client:
            raise busy(
                429, f"more than {self.policy.per_client} requests at a time from one address", 2
            )


class _Reply:
    """Adds to an answer what every answer carries."""

    def __init__(self, send: Send, models: Sequence[str]) -> None:
        self._send, self._models = send, models
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self.status not in (401, 421):
                headers[MODEL] = ", ".join(self._models)
        await self._send(message)
