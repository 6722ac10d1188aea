"""Choices of a test that say how and where work is done."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from gale.plumbing.work import Work

HOW = {field.name for field in fields(Work)}


def with_work(**choices: Any) -> dict[str, Any]:
    """The choices with those of `Work` among them put together."""
    how = {name: value for name, value in choices.items() if name in HOW}
    rest = {name: value for name, value in choices.items() if name not in HOW}
    return {**rest, **({"work": Work(**how)} if how else {})}
