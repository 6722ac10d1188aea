"""How far long work is, told without knowing where it is shown."""

from __future__ import annotations

import sys
import time

from gale.errors import warn


class Progress:
    """Is told how far long work is. This one shows nothing; its notes are warnings.

    Examples
    --------
    >>> import gale
    >>> class Counting(gale.Progress):
    ...     steps = 0
    ...
    ...     def step(self, text: str = "") -> None:
    ...         self.steps += 1
    >>> work = gale.Work(progress=Counting())
    """

    def begin(self, what: str, total: int) -> None:
        """Begin a piece of work of `total` steps."""

    def step(self, text: str = "") -> None:
        """Tell that a step is done, with what came out of it."""

    def status(self, text: str) -> None:
        """Tell what the step under way is at; may be called very often."""

    def note(self, text: str) -> None:
        """Say something that the user should read."""
        warn(text)

    def close(self) -> None:
        """End what is shown."""


class NotebookProgress(Progress):
    """Shows a bar of text, which every notebook can show."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._tqdm = tqdm
        self._bar: tqdm[None] | None = None

    def begin(self, what: str, total: int) -> None:
        """Begin a bar."""
        self.close()
        self._bar = self._tqdm(total=total, desc=what, file=sys.stderr)

    def step(self, text: str = "") -> None:  # noqa: ARG002
        """Move the bar, which is closed when it is full."""
        if self._bar is not None:
            self._bar.update()
            if self._bar.n >= self._bar.total:
                self.close()

    def status(self, text: str) -> None:
        """Show a text behind the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def usual_progress() -> Progress:
    """Give what shows progress where nobody says otherwise: a bar in a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return NotebookProgress() if type(shell).__name__ == "ZMQInteractiveShell" else Progress()


class TimeLeft:
    """Estimates how long fits will still take, from the epochs that were trained so far.

    Parameters
    ----------
    fits : int
        Number of fits to come.
    """

    def __init__(self, fits: int) -> None:
        self._fits = fits
        self._started = time.monotonic()
        self._lengths: list[int] = []

    def skip(self) -> None:
        """Tell that a fit need not be trained."""
        self._fits -= 1

    def add(self, epochs: int) -> None:
        """Tell that a fit is finished, and how many epochs it took."""
        self._lengths.append(epochs)

    def left(self, alive: int, epoch: int) -> float:
        """Seconds left, while `alive` members have come to `epoch`.

        Other fits are taken to be as long as the finished ones were on average, or as the present
        ones are already.
        """
        done = sum(self._lengths) + alive * epoch
        length = max(sum(self._lengths) / max(len(self._lengths), 1), epoch)
        rest = max((self._fits - len(self._lengths)) * length - alive * epoch, 0)
        return (time.monotonic() - self._started) * rest / max(done, 1)
