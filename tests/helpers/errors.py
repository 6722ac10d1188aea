"""What an error has to say, field by field, whatever words it says it in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gale.errors import GaleError

Facts = str | Path | Sequence[str | Path]
"""A text that a field has in it, or several."""


@contextmanager
def refused(
    kind: type[GaleError],
    source: str | Path = "",
    *,
    found: Facts = (),
    expected: Facts = (),
    remedy: Facts = (),
) -> Iterator[pytest.ExceptionInfo[GaleError]]:
    """Expect an error of a kind (and of no subclass), about a source, with facts in its fields.

    The facts are names, numbers and options, rather than sentences, which may be said better one
    day. Every error has to say what was found, on one line.
    """
    with pytest.raises(kind) as caught:
        yield caught
    check_error(caught.value, source, found=found, expected=expected, remedy=remedy, kind=kind)


def check_error(
    error: GaleError,
    source: str | Path = "",
    *,
    found: Facts = (),
    expected: Facts = (),
    remedy: Facts = (),
    kind: type[GaleError] = GaleError,
) -> None:
    """Check the fields of an error; see :func:`refused`."""
    if kind is not GaleError:
        assert type(error) is kind
    if source:
        assert error.source == str(source)
    assert error.source, "what the error is about"
    assert error.found, "what was found"
    assert error.problems or len(str(error).splitlines()) == 1
    for name, facts in (("found", found), ("expected", expected), ("remedy", remedy)):
        text = getattr(error, name)
        for fact in (facts,) if isinstance(facts, str | Path) else facts:
            assert str(fact) in text, f"{name}: {text!r}"
