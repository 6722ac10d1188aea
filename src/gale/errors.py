"""Every error that gale raises on purpose, and the warning that it gives.

::

    GaleError
    ├── ReadError                  a file cannot be read as a run or a library
    │   └── UnsupportedFormatError the format is recognised, but gale does not read runs from it
    ├── CampaignError              the tables and files of a campaign do not agree
    ├── TableError                 a table of predictions, labels or families cannot be used
    ├── SimulationError            a campaign cannot be simulated as asked
    ├── RecipeError                a recipe asks for something that does not exist
    ├── TrainingError              training cannot start or cannot go on
    ├── ModelError                 a file is not a model this gale can use
    ├── PlotError                  a run cannot be drawn as asked
    ├── OutputError                a result cannot be written
    └── MissingExtraError          an optional part of gale is not installed

    GaleWarning                    something the user should know that stops nothing

An error has four fields: its source, what was found, what was expected, and what to do. The command
line prints them as one line and exits with status 2; any other exception is a bug and keeps its
traceback.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would break a line, command a terminal, turn the direction of text, or cannot be printed."""

SHOWN = 20
"""Problems that one message lists; the rest are counted."""


_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(.*)", re.DOTALL)


def spelled_out(text: str) -> str | None:
    """Give an address all its slashes, of which `pathlib` keeps one of two; None for other texts.

    Examples
    --------
    >>> spelled_out("s3:/bucket/run.csv"), spelled_out("file:/run.csv"), spelled_out("run.csv")
    ('s3://bucket/run.csv', 'file:///run.csv', None)
    """
    if (found := _ADDRESS.fullmatch(text)) is None:
        return None
    protocol = found[1].lower()
    slashes = ":///" if protocol == "file" else "://"  # those of this machine have no host
    return protocol + slashes + found[2].replace(os.sep, "/")


class GaleError(Exception):
    """Base of all errors that a user can do something about.

    Parameters
    ----------
    source : str or Path
        The file and the place in it, the parameter, or the action that the error is about.
    found : str
        What was found there, as the rest of a sentence that begins with the source.
    expected : str
        What was expected instead.
    remedy : str
        What to do; parameters in Python's syntax (``pass force=True``).

    Examples
    --------
    >>> import gale
    >>> error = gale.GaleError("run.csv", "is empty", "a run", "export it again")
    >>> print(error)
    run.csv: is empty; expected a run; export it again
    >>> error.found
    'is empty'
    """

    def __init__(
        self, source: str | Path, found: str, expected: str = "", remedy: str = ""
    ) -> None:
        super().__init__(source, found, expected, remedy)
        self.source = spelled_out(str(source)) or str(source)
        self.found, self.expected, self.remedy = found, expected, remedy
        self.problems: tuple[GaleError, ...] = ()

    @classmethod
    def of_several(cls, problems: Sequence[GaleError]) -> GaleError:
        """Combine errors: return a single one as it is, or one error that lists them all.

        Parameters
        ----------
        problems : sequence of GaleError
            At least one. The combined error has them in `problems`.
        """
        if len(problems) == 1:
            return problems[0]
        error = cls(problems[0].source, f"{len(problems):,} problems were found")
        error.problems = tuple(problems)
        return error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        if self.problems:
            lines = [f"{self.found}:", *map(str, self.problems[:SHOWN])]
            if (more := len(self.problems) - SHOWN) > 0:
                lines.append(f"and {more:,} more")
            return "\n".join(lines)
        expected = f"expected {self.expected}" if self.expected else ""
        said = "; ".join(part for part in (self.found, expected, self.remedy) if part)
        text = ": ".join(part for part in (self.source, said) if part)
        return CONTROLS.sub(lambda sign: repr(sign[0])[1:-1], text)


class ReadError(GaleError):
    """A file cannot be read as a run or a library."""


class UnsupportedFormatError(ReadError):
    """The format of a file is recognised, but gale does not read runs from it."""


class CampaignError(GaleError):
    """The tables and files of a campaign do not agree; one line per problem."""


class TableError(GaleError):
    """A table of predictions, labels or families cannot be used."""


class SimulationError(GaleError):
    """A campaign cannot be simulated from this library, or with these parameters."""


class RecipeError(GaleError):
    """A recipe cannot be read, or has an unknown key or a value of the wrong kind."""


class TrainingError(GaleError):
    """Training cannot start or cannot go on."""


class ModelError(GaleError):
    """A file is not a model, or not one that this version can use."""


class PlotError(GaleError):
    """A run cannot be drawn as asked: nothing is at that time, or in that range."""


class OutputError(GaleError):
    """A result cannot be written."""


class MissingExtraError(GaleError):
    """An optional part of gale is not installed."""


class GaleWarning(UserWarning):
    """Something that the user should know and that stops nothing, such as runs left out.

    Examples
    --------
    >>> import warnings
    >>> import gale
    >>> warnings.simplefilter("ignore", gale.GaleWarning)
    """


def warn(text: str) -> None:
    """Give a warning at the line outside gale that called it.

    Examples
    --------
    >>> import warnings
    >>> from gale.errors import warn
    >>> with warnings.catch_warnings(record=True) as given:
    ...     warnings.simplefilter("always")
    ...     warn("2 runs are left out")
    >>> given[0].category.__name__, str(given[0].message)
    ('GaleWarning', '2 runs are left out')
    """
    inside = os.path.dirname(__file__) + os.sep  # noqa: PTH120  (a path of text, as frames have)
    level = 1
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(inside):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, GaleWarning, stacklevel=level + 1)
