"""Remedies of the library, which speak Python, in options and verbs of the command line."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from typing import Any

from gale.errors import GaleError

OPTIONS = {
    "at_min": "at",
    "columns": "column",
    "index": "index-table",
    "matcher": "library",
    "restart": "force",
    "table": "families",
    "time_range": "time",
}
"""Options that are called otherwise than the parameter of the library; the others are the same."""

PHRASES = {
    ("centroid", True): "use gale convert --centroid",
    ("strict", False): "leave out --strict",
}
"""Remedies that are more than an option."""

FUNCTIONS = {
    "load a model with gale.Model.load": "give a model as --model",
    "read it with gale.read_library": "give it as --library",
    "gale.Model.load": "--model",
    "gale.installed_libraries": "gale library list",
    "gale.remove_library": "gale library remove",
    "gale.read_run": "gale inspect",
    **{f"gale.{verb}": f"gale {verb}" for verb in ("evaluate", "recalibrate", "train")},
    "gale.write_features": "gale features",
}
"""Functions of the library, and what does the same on the command line; longer texts first."""

ELLIPSES = ("...", "…")
OPENING = {"{": "}", "[": "]", "(": ")", "'": "'", '"': '"'}
CALL = r"""(?:\(((?:'[^']*'|"[^"]*"|[^()'"])*)\))?"""
"""The arguments of a function, if it has any."""


def error_text(error: GaleError) -> str:
    """Give the text of an error for the terminal.

    Examples
    --------
    >>> print(error_text(GaleError("a.csv", "exists", "a new file", "pass force=True")))
    a.csv: exists; expected a new file; use --force
    """
    if error.problems:
        return str(GaleError.of_several([_worded(each) for each in error.problems]))
    return str(_worded(error))


def in_options(text: str) -> str:
    """Say a remedy in options and verbs.

    Examples
    --------
    >>> in_options("pass columns={'time_min': 'RT'}, or pass workers=1")
    'use --column time_min=RT, or use --workers 1'
    """
    done, rest = "", text
    while found := re.search(r"\bpass (\w+)=(?=\S)", rest):
        value, length = _value(rest[found.end() :])
        done += rest[: found.start()] + _remedy(found[1], value)
        rest = rest[found.end() + length :]
    return _verbs(done + rest)


def _worded(error: GaleError) -> GaleError:
    return GaleError(error.source, error.found, error.expected, in_options(error.remedy))


def _value(text: str) -> tuple[Any, int]:
    """The value that a text begins with, and its length: a literal of Python, or a word."""
    if closing := OPENING.get(text[0]):
        for end in (at.end() for at in re.finditer(re.escape(closing), text)):
            try:
                return ast.literal_eval(text[:end]), end
            except (ValueError, SyntaxError):
                continue
    word = next((each for each in ELLIPSES if text.startswith(each)), None)
    if word is None:
        word = re.split(r"[\s,;:)]", text, maxsplit=1)[0].rstrip(".")
    try:
        return ast.literal_eval(word), len(word)
    except (ValueError, SyntaxError):
        return word, len(word)


def _remedy(name: str, value: Any) -> str:
    if isinstance(value, bool) and (name, value) in PHRASES:
        return PHRASES[name, value]
    option = "--" + OPTIONS.get(name, name).replace("_", "-")
    if value is True:
        return f"use {option}"
    if isinstance(value, Mapping):
        return "use " + " ".join(f"{option} {_word(f'{k}={v}')}" for k, v in value.items())
    return f"use {option} {' '.join(map(_word, value if isinstance(value, tuple) else [value]))}"


def _word(value: object) -> str:
    """Quote a word for the shell."""
    return "..." if value is ... or value in ELLIPSES else shlex.quote(str(value))


def _verbs(text: str) -> str:
    """Replace functions by verbs: ``gale.read_run('x.csv')`` by ``gale inspect x.csv``."""
    for name, verb in FUNCTIONS.items():
        while found := re.search(re.escape(name) + CALL, text):
            argument = f" {_word(_value(found[1])[0])}" if found[1] else ""
            text = text[: found.start()] + verb + argument + text[found.end() :]
    return text
