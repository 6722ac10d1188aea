"""Text for people: names of files, cells and families as they are shown in messages."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable


def display_name(path: str | os.PathLike[str]) -> str:
    """Give the name of a file as text for messages: what is not UTF-8 in it as an escape."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def composed(name: str) -> str:
    """Write every accented letter as one character, which macOS does not in names of files."""
    return unicodedata.normalize("NFC", name)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun, in the plural unless the number is 1.

    Examples
    --------
    >>> counted(1, "run"), counted(1234, "run"), counted(2, "family", "families")
    ('1 run', '1,234 runs', '2 families')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def in_words(name: str) -> str:
    """Write the name of a family as words."""
    return name.replace("_", " ")


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return names as text, the first ones if there are many."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shown(text: str) -> str:
    """Quote a text of a file for a message: on one line, and not too long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
