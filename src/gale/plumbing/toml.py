"""TOML files that people write: one-line errors, with a hint where a key is misspelt."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gale.errors import GaleError
from gale.plumbing.reading import read_text


def toml_lines(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    r"""Write nested values that JSON and TOML write alike, with dotted keys; None is left out.

    Lists of mappings come last, each mapping as a table of its own.

    Examples
    --------
    >>> print("\n".join(toml_lines({"parts": [{"name": "a"}], "folds": {"count": 5}})))
    folds.count = 5
    <BLANKLINE>
    [[parts]]
    name = "a"
    """
    lines, tables = [], []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += toml_lines(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            for each in value:
                tables += ["", f"[[{prefix}{key}]]", *toml_lines(each)]
        elif value is not None:
            lines.append(f"{prefix}{key} = {json.dumps(value)}")
    return lines + tables


def read_toml_text(path: Path, what: str, error: type[GaleError]) -> str:
    """Read the text of a TOML file; errors say that `what` (``a recipe``) was expected.

    Raises
    ------
    GaleError
        Of the kind `error`, if the file cannot be read or is not text.
    """
    try:
        return read_text(path, "utf-8-sig")
    except OSError as reason:
        raise error(path, f"cannot be read ({reason.strerror})", what) from None
    except UnicodeDecodeError:
        raise error(path, "is not text", f"{what} in TOML") from None


def parse_toml(text: str, source: str, what: str, error: type[GaleError]) -> dict[str, Any]:
    """Parse TOML text; errors name its `source` and say that `what` was expected.

    Raises
    ------
    GaleError
        Of the kind `error`, if the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise error(source, f"is not TOML: {reason}", f"{what} in TOML") from None
    except RecursionError:
        raise error(source, "is nested too deeply", f"{what} in TOML") from None


def unknown_key(key: str, known: Sequence[str]) -> tuple[str, str, str]:
    """Give the fields of an error about an unknown key: what is found, expected, and the remedy.

    They offer the known key that is spelt most alike, or else all known keys.

    Examples
    --------
    >>> unknown_key("alcool", ["alcohol", "mineral"])
    ('is not a known name', '', 'did you mean alcohol?')
    >>> unknown_key("x", ["alcohol", "mineral"])
    ('is not a known name', 'one of alcohol, mineral', '')
    """
    if near := difflib.get_close_matches(key, known, n=1):
        return "is not a known name", "", f"did you mean {near[0]}?"
    return "is not a known name", f"one of {', '.join(known)}", ""
