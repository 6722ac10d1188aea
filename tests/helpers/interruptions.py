"""Ctrl-C, in the middle of a training."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gale.plumbing.progress import Progress


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


def interrupt_after(
    monkeypatch: pytest.MonkeyPatch, n_fits: int, by: Callable[[], None] = press_ctrl_c
) -> None:
    """Press Ctrl-C, or do something else, when so many fits are done."""

    class Pressed(Progress):
        done = 0

        def __init__(self, *, quiet: bool = False) -> None:
            self._training = False

        def begin(self, what: str, total: int) -> None:
            self._training = what == "training"

        def step(self, text: str = "") -> None:
            Pressed.done += self._training
            if Pressed.done == n_fits:
                by()

        def close(self) -> None: ...

    monkeypatch.setattr("gale.cli.progress.ConsoleProgress", Pressed)
