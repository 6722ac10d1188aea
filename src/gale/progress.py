"""Telling of the course of long work, without knowing where it is shown."""

from __future__ import annotations


class Progress:
    """Is told how far long work is. This one keeps silent; the command line shows it."""

    def begin(self, what: str, total: int) -> None:
        """Begin a piece of work of `total` steps."""

    def step(self, text: str = "") -> None:
        """Tell that a step is done, with what came out of it."""

    def status(self, text: str) -> None:
        """Tell what the step under way is at; may be called very often."""

    def note(self, text: str) -> None:
        """Say something that the user should read."""
