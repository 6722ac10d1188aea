"""What the predictions of a run should say of it: why they are doubtful, and what else is odd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gale.inspection import ONLY, oddities
from gale.run import Run

DOUBTFUL = ("ionisation", "monitoring", "profile", "few scans", "blank", "scaled scans")
"""Rules of `gale.oddities` by which a run is none that a model can judge, which learned from full
scans of electron ionisation."""

IN_PART = ("cut short", "part of a run", "another unit")
"""What a reader says of a file that may hold only a part of its run, or has doubtful times."""

BY_WEIGHT = (
    "air",
    "saturation",
    "gaps",
    "empty scans",
    "equal times",
    "scan rate",
    "rounding",
)
"""The other rules, the weightiest first."""


class Verdict(NamedTuple):
    """What is odd about a run, in sentences.

    Parameters
    ----------
    weighty : tuple of str
        Why what a model predicts for it is doubtful; empty if it is not.
    notes : tuple of str
        What else its reader noted.
    others : tuple of str
        What else is odd, the weightiest first.
    """

    weighty: tuple[str, ...]
    notes: tuple[str, ...]
    others: tuple[str, ...]


def verdict(run: Run) -> Verdict:
    """Weigh the oddities of a run.

    Examples
    --------
    >>> from gale import Run
    >>> verdict(Run.from_rows([1, 2, 2, 3], [57, 57, 91, 57], [300, 500, 20, 400])).weighty
    ('the run has only 3 scans, so little can be said about it; hundreds are usual',)
    """
    weighty, notes, others = [], [], []
    for rule, text in oddities(run):
        if rule in DOUBTFUL:
            weighty.append((DOUBTFUL.index(rule), text))
        elif rule == "reading" and any(words in text for words in IN_PART):
            weighty.append((-1, text))
        elif rule == "reading":
            notes.append(text)
        else:
            others.append((BY_WEIGHT.index(rule), text))
    return Verdict(_sorted(weighty), tuple(notes), _sorted(others))


def is_too_short(weighty: Sequence[str]) -> bool:
    """Whether a run has too few scans to be compared with others, by what is weighty of it."""
    return any(text.startswith(ONLY) for text in weighty)


def _sorted(weighed: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(text for _, text in sorted(weighed))
