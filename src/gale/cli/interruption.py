"""Signals that ask a process to end: like Ctrl-C, each leaves nothing half-done behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""What `timeout`, Slurm and systemd send, a terminal that is closed, and Ctrl-Break of Windows."""


class Terminated(KeyboardInterrupt):
    """A signal has asked the process to end.

    Parameters
    ----------
    number : int
        That of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def status_of(error: BaseException) -> int:
    """Give the exit status after an interruption: 130 after Ctrl-C, 143 after SIGTERM.

    Examples
    --------
    >>> status_of(KeyboardInterrupt()), status_of(Terminated(15))
    (130, 143)
    """
    number = error.number if isinstance(error, Terminated) else signal.SIGINT
    return 128 + number


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Turn signals that end the process into :class:`Terminated`, unless they are ignored.

    This works in the main thread alone; elsewhere nothing changes. Compiled code that a signal
    interrupts may raise an error of its own instead; that counts as the interruption, too.
    """
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # `timeout` sends two; tidying up is not disturbed
        raise Terminated(number)

    before = {}
    with suppress(ValueError):  # not the main thread
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, interrupt)
    try:
        yield
    except Exception as error:
        if received:
            raise Terminated(received[0]) from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
