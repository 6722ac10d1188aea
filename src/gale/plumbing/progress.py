"""Progress of long work, reported without knowing where it is shown."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field

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


@dataclass
class _Fits:
    """What is known of the fits of a part: how many, their most epochs, the cost of one epoch."""

    fits: int
    most: int
    cost: float
    lengths: list[int] = field(default_factory=list)

    def left(self, alive: int, epoch: int) -> float:
        """Cost of what is left, while `alive` members are at `epoch`."""
        length = sum(self.lengths) / len(self.lengths) if self.lengths else self.most
        missing = self.fits - len(self.lengths)
        return self.cost * max(missing * max(length, epoch) - alive * epoch, 0)


class TimeLeft:
    """Estimates how long the remaining fits of all parts take, from the epochs trained so far.

    Fits may stop early. So the remaining ones of a part are taken to be as long as the finished
    ones on average, and before one has finished, as long as they can be.
    """

    def __init__(self) -> None:
        self._parts: dict[str, _Fits] = {}
        self._started = time.monotonic()

    def expect(self, part: str, fits: int, epochs: int, cost: float = 1.0) -> None:
        """Expect so many fits of a part, of at most so many epochs; `cost` is that of an epoch."""
        self._parts[part] = _Fits(fits, epochs, cost)

    def skip(self, part: str) -> None:
        """Leave out a fit that need not be trained."""
        self._parts[part].fits -= 1

    def add(self, part: str, epochs: int) -> None:
        """Record the number of epochs of a finished fit."""
        self._parts[part].lengths.append(epochs)

    def left(self, part: str, alive: int, epoch: int) -> float:
        """Estimate the seconds left, while `alive` members of a part are at `epoch`."""
        done = self._parts[part].cost * alive * epoch
        done += sum(each.cost * sum(each.lengths) for each in self._parts.values())
        rest = sum(
            each.left(alive, epoch) if name == part else each.left(0, 0)
            for name, each in self._parts.items()
        )
        return (time.monotonic() - self._started) * rest / done if done else 0.0

    def text(self, part: str, alive: int, epoch: int) -> str:
        """Say how many minutes are left; `at most`, if fits of a part have not shown how long."""
        minutes = math.ceil(self.left(part, alive, epoch) / 60)
        open_ended = any(
            each.fits and not each.lengths and each.most > epoch for each in self._parts.values()
        )
        return f"{'at most ' if open_ended else ''}{minutes} min left"
