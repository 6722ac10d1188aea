"""The answer for a run as a table of text, which is read in seconds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from gale.cli.printing import echo
from gale.plumbing.tables import DOUBTFUL
from gale.plumbing.text import in_words, probability

COLUMNS = (
    "family", "{number}", "prevalence", "call", "apex (min)", "ions (m/z)", "most similar",
    "cosine", "InChIKey",
)  # fmt: skip
"""Columns of the table, the second of which is called as the model's numbers are; the last one
stands below the table where the terminal is too narrow for it."""

SIMILAR = COLUMNS.index("most similar")

NUMBERS = {"{number}", "prevalence", "apex (min)", "cosine"}
"""Columns whose cells end at the same place."""

IONS = 4
"""Ions that are named in a row."""

DOUBT = " ?"
"""What stands behind each number that is doubtful."""

LONGEST_COMPOUND = 34
"""Letters of a compound's name that fit into a row."""

WIDE = 170
"""Letters of a line where there is no terminal."""


def print_table(answer: Mapping[str, Any], number: str) -> None:
    """Print the name of a run, first of all why its numbers are doubtful, and its table.

    `number` is what the numbers of the model are called, see `gale.Model.number`.
    """
    said = answer["message"] or ""
    doubtful = answer["status"] == DOUBTFUL
    if doubtful:
        echo(f"{answer['run']}: DOUBTFUL, do not rely on these numbers: {said}", bold=True)
    else:
        echo(answer["run"], bold=True)
        if said:
            echo(f"note: {said}")
    from gale.evidence.air import air_text

    mark = DOUBT if doubtful else ""
    families = [_family(each, number, mark) for each in answer["families"]]
    peaks = [
        [f"{_ordinal(rank)} peak", "", "", "", *_what(each)]
        for rank, each in enumerate(answer["largest_peaks"])
    ]
    for line in _grid([[name.format(number=number) for name in COLUMNS], *families, *peaks]):
        echo(line)
    if not peaks:
        echo("no peak stands out")
    for each in answer["families"]:
        if each["air_mz"]:
            echo(f"{in_words(each['family'])}: {air_text(each['air_mz'])}")
    if doubtful:
        echo(f"{DOUBT.strip()}: doubtful; the first line says why", bold=True)


def _family(row: Mapping[str, Any], number: str, mark: str) -> list[str]:
    predicted = probability(row[number]) + mark
    numbers = [predicted, probability(row["prevalence"]), row["call"] or ""]
    evidence = row["evidence"]
    return [in_words(row["family"]), *numbers, *(_what(evidence[0]) if evidence else [""] * 5)]


def _what(found: Mapping[str, Any]) -> list[str]:
    """When something elutes, by which ions, and what it is like."""
    apex = f"{found['apex_min']:.3f}" if "apex_min" in found else ""
    mz = [each["mz"] if isinstance(each, Mapping) else each for each in found["ions"][:IONS]]
    said = [apex, ", ".join(map(str, mz))]
    if not found["matches"]:
        return [*said, found.get("origin") or ("nothing similar" if apex else ""), "", ""]
    best = found["matches"][0]
    name = best["compound"]
    short = name if len(name) <= LONGEST_COMPOUND else f"{name[: LONGEST_COMPOUND - 1]}…"
    return [*said, short, f"{best['cosine']:.2f}", best["inchikey"] or ""]


def _ordinal(rank: int) -> str:
    return ("largest", "second largest", "third largest")[rank]


def _grid(rows: Sequence[list[str]]) -> list[str]:
    """Align the cells of rows, the first of which is the header; InChIKeys may have to go below."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = shutil.get_terminal_size((WIDE, 24)).columns
    narrow = sum(widths) + 2 * len(widths) > room
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if name in NUMBERS else cell.ljust(width)
            for name, cell, width in zip(COLUMNS, row, widths, strict=True)
        ]
        lines.append("  ".join(cells[:-1] if narrow else cells).rstrip())
    keys = {row[-1]: row[SIMILAR] for row in rows[1:] if row[-1]}
    return lines + [f"{key}  {compound}" for key, compound in keys.items() if narrow]
