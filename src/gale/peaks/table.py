"""Peaks as tables: one row per peak, or one per match, and as files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gale.peaks.naming import PeakMatch
from gale.peaks.search import Peak
from gale.plumbing.frames import write_frame

MATCHES = 5
"""Matches of a peak that have columns."""

PEAK: dict[str, Any] = {
    "run": pl.String,
    "peak": pl.Int64,
    "apex_min": pl.Float64,
    "start_min": pl.Float64,
    "end_min": pl.Float64,
    "index": pl.Float64,
    "height": pl.Float64,
    "area": pl.Float64,
    "share": pl.Float64,
    "base_mz": pl.Int64,
    "ions": pl.Int64,
    "signal_to_noise": pl.Float64,
    "purity": pl.Float64,
    "saturated": pl.Boolean,
    "cut": pl.String,
    "origin": pl.String,
    "verdict": pl.String,
}
"""Columns of a peak, and their types."""

MATCH: dict[str, Any] = {
    "compound": pl.String,
    "inchikey": pl.String,
    "match": pl.Int64,
    "reverse": pl.Int64,
    "cosine": pl.Float64,
    "shared_ions": pl.Int64,
    "compound_index": pl.Float64,
    "index_difference": pl.Float64,
}
"""Columns of the best match."""

OTHER = ("compound", "inchikey", "match", "reverse", "index_difference")
"""What the columns of the other matches hold; ``compound_2`` is the second best."""

DIGITS = {"height": 6, "area": 6, "signal_to_noise": 4}
"""Significant digits of numbers of any size in a file; the others have decimals."""

DECIMALS = 4


def peak_table(source: str, peaks: Sequence[Peak], families: Sequence[str]) -> pl.DataFrame:
    """Make a table with one row per peak: :data:`PEAK`, matches, and a column per family.

    A family's column says whether the best match carries it; null if that is unknown.
    """
    total = sum(peak.area for peak in peaks)
    rows = [
        _peak_cells(source, number, peak, total) | _match_cells(peak.matches, families)
        for number, peak in enumerate(peaks, start=1)
    ]
    schema = PEAK | MATCH
    for rank in range(2, MATCHES + 1):
        schema |= {f"{name}_{rank}": MATCH[name] for name in OTHER}
    schema |= dict.fromkeys((name for name in families if name not in schema), pl.Boolean)
    return pl.DataFrame(rows, schema=schema, orient="row")


def match_table(source: str, peaks: Sequence[Peak]) -> pl.DataFrame:
    """Make a table with one row per match of each peak, best first."""
    rows = [
        {"run": source, "peak": number, "apex_min": peak.apex_min, "rank": rank, **_cells(match)}
        for number, peak in enumerate(peaks, start=1)
        for rank, match in enumerate(peak.matches, start=1)
    ]
    before = {"run": pl.String, "peak": pl.Int64, "apex_min": pl.Float64, "rank": pl.Int64}
    return pl.DataFrame(rows, schema=before | MATCH | {"weak": pl.Boolean}, orient="row")


def _peak_cells(source: str, number: int, peak: Peak, total: float) -> dict[str, Any]:
    return {
        "run": source,
        "peak": number,
        "apex_min": peak.apex_min,
        "start_min": peak.start_min,
        "end_min": peak.end_min,
        "index": _known(peak.index),
        "height": peak.height,
        "area": peak.area,
        "share": peak.area / total if total > 0 else 0.0,
        "base_mz": peak.base_mz,
        "ions": len(peak.mz),
        "signal_to_noise": peak.signal_to_noise,
        "purity": peak.purity,
        "saturated": peak.saturated,
        "cut": peak.cut,
        "origin": peak.origin,
        "verdict": peak.verdict,
    }


def _match_cells(matches: Sequence[PeakMatch], families: Sequence[str]) -> dict[str, Any]:
    if not matches:
        return {}
    best, *others = matches
    cells = _cells(best)
    cells.pop("weak")
    for rank, match in enumerate(others, start=2):
        known = _cells(match)
        cells |= {f"{name}_{rank}": known[name] for name in OTHER}
    if best.families is None:
        return cells
    return cells | {name: name in best.families for name in families}


def _cells(match: PeakMatch) -> dict[str, Any]:
    return {
        "compound": match.compound,
        "inchikey": match.inchikey or None,
        "match": match.match,
        "reverse": match.reverse,
        "cosine": match.cosine,
        "shared_ions": match.shared_ions,
        "compound_index": _known(match.index),
        "index_difference": _known(match.index_difference),
        "weak": match.weak,
    }


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def write_table(table: pl.DataFrame, path: Path, *, force: bool = False) -> None:
    """Write a table in the format that its name says, its numbers rounded.

    In CSV, the name of a compound that a spreadsheet would take for a formula begins with an
    apostrophe.

    Raises
    ------
    OutputError, MissingExtraError
        As :func:`gale.plumbing.frames.write_frame`.
    """
    write_frame(rounded(table), path, force=force, texts=texts_of(table.columns))


def rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Round the numbers of a table as they are written."""
    return table.with_columns(
        pl.col(name).round_sig_figs(DIGITS[name])
        if name in DIGITS
        else pl.col(name).round(DECIMALS)
        for name, kind in table.schema.items()
        if kind == pl.Float64
    )


def texts_of(columns: Iterable[str]) -> list[str]:
    """Name the columns of texts that a spreadsheet might compute."""
    return [name for name in columns if name.startswith("compound")]
