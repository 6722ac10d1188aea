"""TOML files that people write: errors of one line, and a hint where a key is misspelt."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gale.errors import GaleError


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
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for each in value:
                tables += ["", f"[[{prefix}{key}]]", *toml_lines(each)]
        elif value is not None:
            lines.append(f"{prefix}{key} = {json.dumps(value)}")
    return lines + tables


def read_toml_text(path: Path, what: str, error: type[GaleError]) -> str:
    """Read the text of a TOML file; `what` it should be (``a recipe``) is named in messages.

    Raises
    ------
    GaleError
        Of the kind given, if the file cannot be read or is not text.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror}); expected {what}") from None
    except UnicodeDecodeError:
        raise error(f"{path}: is not text; expected {what} in TOML") from None


def parse_toml(text: str, source: str, what: str, error: type[GaleError]) -> dict[str, Any]:
    """Parse TOML text; `source`, and `what` it should be, are named in messages.

    Raises
    ------
    GaleError
        Of the kind given, if it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise error(f"{source}: {reason}; expected {what} in TOML") from None


def unknown_key(where: str, key: str, known: Sequence[str]) -> str:
    """Say that a key is not known, and offer the nearest one, or else all."""
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    return f"{where} is not known; {hint}"
