"""Descriptions of `gale inspect`: lines for people, and plain values for programs."""

from __future__ import annotations

from collections.abc import Mapping


def rows(values: Mapping[str, str]) -> list[str]:
    """One line for each value, behind its name."""
    return [f"  {name:<14}{value}" for name, value in values.items()]
