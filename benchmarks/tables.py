"""How benchmarks print: tables of text, for a screen or for a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

Table = list[list[str]]
"""Rows of cells; the first row is the header."""


def show(title: str, rows: Iterable[Sequence[str]], *, markdown: bool = False) -> None:
    """Print a table, each column as wide as its widest cell, or as Markdown."""
    header, *others = rows
    if markdown:
        print(f"\n### {title}\n")
        for row in (header, ["---"] * len(header), *others):
            print(f"| {' | '.join(row)} |")
        return
    columns = list(zip(header, *others, strict=True))
    widths = [max(map(len, column)) for column in columns]
    print(f"\n{title}\n")
    for row in (header, *others):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())


def number(value: float, form: str, several: Sequence[float] | np.ndarray = ()) -> str:
    """Write a number, with the standard deviation of those that it is the mean of; "-" for NaN."""
    if np.isnan(value):
        return "-"
    spread = form.replace("+", "").format(np.std(several, ddof=1)) if len(several) > 1 else ""
    return form.format(value) + (f" ± {spread}" if spread else "")


def percent(true: Sequence[bool | float] | np.ndarray, form: str = "{:.0f} %") -> str:
    """Write the mean of truths or shares in percent; "-" where there is none."""
    return form.format(100 * np.mean(true)) if len(true) else "-"
