"""Checks of arguments, where a mistake would end far from its cause, or in a wrong answer."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral
from pathlib import Path

from gale.errors import GaleError

MADE_BY = {
    "Campaign": "gale.Campaign.open(folder)",
    "Evaluation": "gale.evaluate(predictions, labels)",
    "IndexTable": "gale.IndexTable.read(file)",
    "Library": "gale.read_library(file)",
    "Matcher": "gale.Matcher(library)",
    "Model": "gale.Model.load(file)",
    "Predictions": "gale.read_predictions(file)",
    "Run": "gale.read_run(file)",
    "Work": "gale.Work()",
}
"""What makes an object of each class, by the name of the class."""


def check_kind(name: str, value: object, *kinds: type) -> None:
    """Check that the argument `name` is of one of these kinds.

    Raises
    ------
    GaleError
        If it is of another; it says what makes one.

    Examples
    --------
    >>> from gale.plumbing.work import Work
    >>> check_kind("work", Work(), Work)
    >>> check_kind("work", 4, Work)
    Traceback (most recent call last):
        ...
    gale.errors.GaleError: work: is a value of type int; expected Work; pass work=gale.Work()
    """
    if isinstance(value, kinds):
        return
    makers = [MADE_BY[kind.__name__] for kind in kinds if kind.__name__ in MADE_BY]
    raise GaleError(
        name,
        f"is {str(value)!r}"
        if isinstance(value, str | Path)
        else f"is a value of type {type(value).__name__}",
        " or ".join(kind.__name__ for kind in kinds),
        " or ".join(f"pass {name}={maker}" for maker in makers),
    )


def check_loaded(name: str, value: object, kind: type) -> None:
    """Check that the argument `name` is a `kind`, or something else that has families.

    Raises
    ------
    GaleError
        If it is neither; it says what reads one.
    """
    if not hasattr(value, "families"):
        check_kind(name, value, kind)


def check_whole(name: str, value: object, least: int = 0, most: int | None = None) -> None:
    """Check that the argument `name` is a whole number within limits.

    Raises
    ------
    GaleError
        If it is not.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and value >= least and (most is None or value <= most)):  # type: ignore[operator]
        limits = f"{least} or more" if most is None else f"from {least} to {most}"
        raise GaleError(
            name, f"is {value!r}", f"a whole number, {limits}", f"pass {name}={max(least, 1)}"
        )


def check_several(name: str, value: Collection[object]) -> None:
    """Check that the argument `name` is a list of texts rather than a single one.

    Raises
    ------
    GaleError
        If it is a text, whose letters would be taken for the items.
    """
    if isinstance(value, str):
        raise GaleError(name, f"is the text {value!r}", "a list", f"pass {name}=[{value!r}]")
