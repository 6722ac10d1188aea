"""Tell another program of each run that is done, again and again until it has heard."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from gale.errors import GaleError
from gale.serve.watched import Memory, Seen

FIRST_S, LONGEST_S = 2.0, 600.0
"""Seconds before the second try, and at most between two."""

TIMEOUT_S = 10.0

AGAIN = {408, 425, 429}
"""Refusals that are worth another try; others below 500 are not."""


class Post:
    """Posts runs to a URL as JSON.

    Parameters
    ----------
    url : str
    memory : Memory
    note : callable
        Hears of what goes wrong.

    Raises
    ------
    GaleError
        If it is no URL of the web.
    """

    def __init__(self, url: str, memory: Memory, note: Callable[[str], object]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GaleError("post", f"is {url}", "a URL that begins with http:// or https://")
        self._url, self._memory, self._note = url, memory, note
        self._wait_s, self.due = 0.0, 0.0

    def tell(self, now: float) -> None:
        """Post what is due; after a failure, wait twice as long as before."""
        if now < self.due:
            return
        for seen in self._memory.to_post():
            try:
                self._send(seen)
            except urllib.error.HTTPError as error:
                if error.code >= 500 or error.code in AGAIN:
                    self._wait(now, f"status {error.code}")
                    return
                self._note(f"{self._url} refuses {seen.name} (status {error.code})")
            except (OSError, http.client.HTTPException) as error:
                self._wait(now, str(getattr(error, "reason", error)))
                return
            self._memory.posted(seen)
            self._wait_s, self.due = 0.0, 0.0

    def _wait(self, now: float, why: str) -> None:
        if not self._wait_s:
            self._note(f"{self._url} cannot be told of runs ({why}); it is tried again")
        self._wait_s = min(max(2 * self._wait_s, FIRST_S), LONGEST_S)
        self.due = now + self._wait_s

    def _send(self, seen: Seen) -> None:
        request = urllib.request.Request(  # noqa: S310  (the scheme has been checked)
            self._url,
            json.dumps(message_of(seen)).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": key_of(seen)},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            answer.read(1000)


def key_of(seen: Seen) -> str:
    """A text by which a receiver knows a message that comes twice."""
    return hashlib.sha256(f"{seen.name}\0{seen.mark}".encode()).hexdigest()


def message_of(seen: Seen) -> dict[str, Any]:
    """What is said of a run: the row of the API, with name, checksum and page."""
    row = dict(seen.row or {})
    row["families"] = {
        name: {"value": value, "spread": spread}
        for name, (value, spread) in row["families"].items()
    }
    return {"run": seen.name, "sha256": seen.sha256, "page": seen.page, **row}
