"""What `gale inspect` says of a thing: as lines for people, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Mapping


def rows(values: Mapping[str, str]) -> list[str]:
    """One line for each value, behind its name."""
    return [f"  {name:<14}{value}" for name, value in values.items()]
