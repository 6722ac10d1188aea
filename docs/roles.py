"""Roles of docstrings, such as those for functions, as links of the reference on the site."""

from __future__ import annotations

import re
from typing import Any

import griffe

import gale

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")


class Roles(griffe.Extension):
    """Rewrites the docstrings of every object."""

    def on_object(self, *, obj: Any, **others: Any) -> None:  # noqa: ARG002
        """Put a link where a role names something of the reference, and its name elsewhere."""
        if obj.docstring:
            obj.docstring.value = linked(obj.docstring.value)


def linked(text: str) -> str:
    """Rewrite the roles of a docstring."""
    return ROLE.sub(lambda role: _linked(role[1]), text)


def _linked(name: str) -> str:
    """Link a public name, wherever it lives; a method to that of its class."""
    parts = name.split(".")
    for at, part in enumerate(parts):
        if part in gale.__all__:
            public = ".".join(["gale", *parts[at:]])
            return f"[`{public}`][{public}]"
    return f"`{name}`"
