"""Text for people: names of files, cells and families as messages show them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from gale.errors import CONTROLS
from gale.plumbing.remote import address_of

LEAST_SHOWN = 0.01
"""Probabilities closer to 0 or 1 than this are shown as <0.01 or >0.99."""

UNITS = ("bytes", "kB", "MB", "GB", "TB")
"""Of sizes, each a thousand of the one before."""


def display_name(path: str | os.PathLike[str]) -> str:
    r"""Return the name of a file as text; control characters and what is not UTF-8 are escaped.

    So a file cannot command the terminal by its name, and a name is one line of a table.

    Examples
    --------
    >>> display_name("run.csv"), display_name("a\x1b[2J.csv")
    ('run.csv', 'a\\x1b[2J.csv')
    """
    name = address_of(path) or path
    return escaped(os.fsencode(name).decode("utf-8", "backslashreplace"))


def shortened(text: str, most: int) -> str:
    """Cut a text to so many letters, the last of which then says that it was longer.

    Examples
    --------
    >>> shortened("octadecane", 6), shortened("decane", 6)
    ('octad…', 'decane')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Name files by their last parts, as few as tell each from all others.

    Examples
    --------
    >>> short_names(["may/blank.csv", "june/blank.csv", "june/x.csv"])
    {'may/blank.csv': 'may/blank.csv', 'june/blank.csv': 'june/blank.csv', 'june/x.csv': 'x.csv'}
    """
    parts = {path: re.split(r"[/\\]", path) for path in paths}
    names: dict[str, str] = {}
    number = 1
    while len(names) < len(parts):
        short = {
            path: "/".join(each[-number:]) for path, each in parts.items() if path not in names
        }
        count = Counter(short.values())
        names |= {
            path: name
            for path, name in short.items()
            if count[name] == 1 or number >= len(parts[path])
        }
        number += 1
    return {path: names[path] for path in parts}


def escaped(text: str) -> str:
    r"""Escape the control characters of a text, as Python writes them.

    Examples
    --------
    >>> print(escaped("two\nlines"))
    two\nlines
    """
    return CONTROLS.sub(lambda sign: repr(sign[0])[1:-1], text)


def is_formula(text: str | None) -> bool:
    """Whether a spreadsheet takes a cell for a formula, and computes it.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula("run.csv")
    (True, False)
    """
    return bool(text) and str(text)[0] in "=+-@\t\r"


def no_formula(text: str | None) -> str | None:
    """Write an apostrophe before a text that a spreadsheet would compute.

    Names by which tables are joined must stay what they are, so this is for other texts.

    Examples
    --------
    >>> no_formula("=1+1"), no_formula("run.csv")
    ("'=1+1", 'run.csv')
    """
    return f"'{text}" if is_formula(text) else text


def in_markdown(value: Any) -> Any:
    """Write the texts in nested values so that Markdown shows them as they are, on one line.

    Names and facts are from files of others: they are no HTML, no links, and end no cell.

    Examples
    --------
    >>> in_markdown(["<b>", 1])
    ['&lt;b&gt;', 1]
    """
    if isinstance(value, str):
        text = re.sub(r"([\\`*\[\]|])", r"\\\1", escaped(value))
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if isinstance(value, Mapping):
        return {key: in_markdown(each) for key, each in value.items()}
    return [in_markdown(each) for each in value] if isinstance(value, list | tuple) else value


def composed(name: str) -> str:
    """Write every accented letter as one character; macOS writes two in names of files."""
    return unicodedata.normalize("NFC", name)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun, in the plural unless the number is 1.

    Examples
    --------
    >>> counted(1, "run"), counted(1234, "run"), counted(2, "family", "families")
    ('1 run', '1,234 runs', '2 families')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def size_text(size: int) -> str:
    """Write a number of bytes with a decimal unit.

    Examples
    --------
    >>> size_text(0), size_text(999), size_text(1_400_000), size_text(5_000_000_000)
    ('0 bytes', '999 bytes', '1.4 MB', '5 GB')
    """
    exponent = max((at for at in range(len(UNITS)) if size >= 1000**at), default=0)
    if not exponent:
        return counted(size, "byte")
    return f"{round(size / 1000**exponent, 1):,g} {UNITS[exponent]}"


def size_of(text: str) -> int | None:
    """Read a number of bytes, as people write it; None if it is none.

    Examples
    --------
    >>> size_of("5GB"), size_of("1.5 MiB"), size_of("300000"), size_of("-1"), size_of("much")
    (5000000000, 1572864, 300000, None, None)
    """
    found = re.fullmatch(
        r"(\d+(?:\.\d+)?)\s*(?:([kmgt]i?|)b(?:ytes?)?)?", text.strip(), re.IGNORECASE
    )
    if found is None:
        return None
    number, prefix = found.groups(default="")
    exponent = [each[0].lower() for each in UNITS].index(prefix[:1].lower() or "b")
    return int(float(number) * (1024 if len(prefix) == 2 else 1000) ** exponent)


def in_words(name: str) -> str:
    """Write the name of a family as words.

    Examples
    --------
    >>> in_words("carboxylic_acid")
    'carboxylic acid'
    >>> in_words("sulfur_bearing_compound")
    'sulfur-bearing compound'
    """
    return name.replace("_bearing", "-bearing").replace("_", " ")


def listed(names: Iterable[str], most: int = 10) -> str:
    """Join names by commas, at most the first `most`, and count the others.

    Examples
    --------
    >>> listed(["a.csv", "b.csv", "c.csv"], most=2)
    'a.csv, b.csv and 1 more'
    """
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shown(text: str) -> str:
    """Quote a text from a file for a message, on one line and at most 60 characters long.

    Examples
    --------
    >>> shown("yes")
    "'yes'"
    """
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def probability(value: float) -> str:
    """Write a probability with two decimals.

    Examples
    --------
    >>> probability(0.123), probability(0.004), probability(0.999)
    ('0.12', '<0.01', '>0.99')
    """
    if value < LEAST_SHOWN:
        return f"<{LEAST_SHOWN:g}"
    return f">{1 - LEAST_SHOWN:g}" if value > 1 - LEAST_SHOWN else f"{value:.2f}"
