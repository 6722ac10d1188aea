"""Progress of long work, reported without knowing where it is shown."""

from __future__ import annotations

import sys
import time

from gale.errors import warn


class Progress:
    """Receives the progress of long work; this class shows nothing and turns notes into warnings.

    Subclass it to show progress in another way, and hand it on in a :class:`gale.Work`.

    Examples
    --------
    >>> from gale import Progress
    >>> class Printed(Progress):
    ...     def begin(self, what: str, total: int) -> None:
    ...         print(f"{what}: {total} steps")
    ...     def note(self, text: str) -> None:
    ...         print(text)
    >>> progress = Printed()
    >>> progress.begin("reading runs", 3)
    reading runs: 3 steps
    >>> progress.note("run 3 is left out")
    run 3 is left out
    """

    def begin(self, what: str, total: int) -> None:
        """Begin a task of `total` steps."""

    def step(self, text: str = "") -> None:
        """Finish a step, with its result in words."""

    def status(self, text: str) -> None:
        """Describe the state of the current step; may be called very often."""

    def note(self, text: str) -> None:
        """Say something that the user should read."""
        warn(text)

    def close(self) -> None:
        """End the display."""


class NotebookProgress(Progress):
    """Shows a text bar, which every notebook can display."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._tqdm = tqdm
        self._bar: tqdm[None] | None = None

    def begin(self, what: str, total: int) -> None:
        """Begin a bar."""
        self.close()
        self._bar = self._tqdm(total=total, desc=what, file=sys.stderr)

    def step(self, text: str = "") -> None:  # noqa: ARG002
        """Advance the bar; close it when it is full."""
        if self._bar is not None:
            self._bar.update()
            if self._bar.n >= self._bar.total:
                self.close()

    def status(self, text: str) -> None:
        """Show a text after the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Close the bar, which stays visible."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def usual_progress() -> Progress:
    """Return the default progress: a bar in a notebook, warnings alone elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return NotebookProgress() if type(shell).__name__ == "ZMQInteractiveShell" else Progress()


class TimeLeft:
    """Estimates how long the remaining fits take, from the epochs trained so far.

    Parameters
    ----------
    fits : int
        Number of fits to train.
    """

    def __init__(self, fits: int) -> None:
        self._fits = fits
        self._started = time.monotonic()
        self._lengths: list[int] = []

    def skip(self) -> None:
        """Leave out a fit that need not be trained."""
        self._fits -= 1

    def add(self, epochs: int) -> None:
        """Record the number of epochs of a finished fit."""
        self._lengths.append(epochs)

    def left(self, alive: int, epoch: int) -> float:
        """Estimate the seconds left, while `alive` members are at `epoch`.

        The remaining fits are assumed to be as long as the finished ones on average, and at least
        as long as the current ones already are.
        """
        done = sum(self._lengths) + alive * epoch
        length = max(sum(self._lengths) / max(len(self._lengths), 1), epoch)
        rest = max((self._fits - len(self._lengths)) * length - alive * epoch, 0)
        return (time.monotonic() - self._started) * rest / max(done, 1)
