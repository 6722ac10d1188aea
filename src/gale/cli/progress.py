"""Progress on standard error: a bar on a terminal, a few lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

from gale.cli.printing import echo, printable
from gale.cli.wording import in_options
from gale.plumbing.progress import Progress

if TYPE_CHECKING:
    from tqdm import tqdm

LINES = 5
"""Most lines that work without news prints where there is no terminal."""

SECONDS = 30.0
"""Seconds of silence after which the status of a step is printed where there is no terminal."""


class ConsoleProgress(Progress):
    """Shows progress on standard error.

    Parameters
    ----------
    quiet : bool
        Whether only notes are shown.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._what, self._total, self._done = "", 0, 0
        self._bar: tqdm[None] | None = None
        self._printed_at = time.monotonic()

    def begin(self, what: str, total: int) -> None:
        """Begin a bar, or print a line."""
        self.close()
        self._what, self._total, self._done = what, total, 0
        if self._quiet:
            return
        if sys.stderr.isatty():
            from tqdm import tqdm  # not needed where there is no terminal

            self._bar = tqdm(total=total, desc=printable(what), leave=False, file=sys.stderr)
        else:
            echo(f"{what} ({total:,})", err=True)

    def step(self, text: str = "") -> None:
        """Move the bar, or print what came out of the step."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        if self._quiet:
            return
        every = max(math.ceil(self._total / LINES), 1)
        if text:
            self._line(f"[{self._done} of {self._total}] {text}")
        elif self._bar is None and self._total >= LINES and self._done % every == 0:
            echo(f"{self._what}: {self._done:,} of {self._total:,}", err=True)

    def status(self, text: str) -> None:
        """Show a text behind the bar; without one, print it if nothing was printed for a while."""
        if self._bar is not None:
            self._bar.set_postfix_str(printable(text))
        elif not self._quiet and time.monotonic() - self._printed_at > SECONDS:
            self._line(f"{self._what}: {text}")

    def note(self, text: str) -> None:
        """Print a text, even if quiet."""
        self._line(f"note: {in_options(text)}")

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self, text: str) -> None:
        self._printed_at = time.monotonic()
        if self._bar is None:
            echo(text, err=True)
        else:
            self._bar.write(printable(text), file=sys.stderr)
