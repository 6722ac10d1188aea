"""The server around the service: where it listens, the token, and how long it waits."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from gale.errors import GaleError
from gale.plumbing.reading import read_text
from gale.serve.guard import LOCAL_NAMES

LEAST_TOKEN = 16
"""Letters of a token: fewer could be guessed."""

HEADERS_S = 15.0
"""Seconds from the beginning of a connection to the end of the headers of its first request."""

KEEP_ALIVE_S = 30
STOP_S = 10
"""Seconds that answers which are being sent have when the server stops."""

MOST_CONNECTIONS = 1024


def is_local(host: str) -> bool:
    """Whether only this computer can reach a server that listens there.

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("0.0.0.0")
    (True, False)
    """
    return host in LOCAL_NAMES


def new_token() -> str:
    """Make a token."""
    return secrets.token_urlsafe(24)


def read_token(path: Path) -> str:
    """Read the token from a file.

    Raises
    ------
    GaleError
        If the file cannot be read, or what is in it is no good token.
    """
    try:
        token = read_text(path).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GaleError(path, f"cannot be read ({reason})", "a file with a token") from None
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise GaleError(
            path,
            f"has a token of {len(token)} characters" if token else "is empty",
            f"one line of at least {LEAST_TOKEN} ASCII characters without spaces",
            "write a long random one into it",
        )
    return token


def listening(host: str, port: int) -> socket.socket:
    """Open the socket that a server listens on.

    Raises
    ------
    GaleError
        If the address is not one of this computer, or the port is taken.
    """
    where = f"{host}:{port}"
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GaleError(
            where,
            f"cannot be listened on ({reason})",
            "an address of this computer and a free port",
            "choose another port, or end what listens there",
        ) from None


class Impatient(H11Protocol):
    """Closes a connection that sends no whole request in time, as whoever hoards them does."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._waiting = self.loop.call_later(HEADERS_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._waiting.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Lets streams of events end before it waits for all answers."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        if stop := getattr(self.config.app, "stop", None):
            stop()
        await super().shutdown(sockets)


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until the process is told to end.

    Raises
    ------
    GaleError
        If the service cannot start, such as when another server has its folder.
    """
    config = uvicorn.Config(
        app,
        http=Impatient,
        ws="none",
        lifespan="on",
        log_level="critical",  # the guard says what goes wrong
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    try:
        _Server(config).run(sockets=[listener])
    except SystemExit:
        failure = getattr(app, "failure", None)
        if failure is None:
            raise
        raise failure from None
