"""The tables of a part of `gale peaks`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.peak_lines import printed

if TYPE_CHECKING:
    import polars as pl

    from gale.peaks import Peaks

PEAKS, MATCHES, SPECTRA, MZTAB, PRINTED = "table", "matches", "msp", "mztab", "printed"
"""The tables of a part: what can be written, and what is printed if nothing is."""


def wanted_of(outputs: Mapping[str, Path | None]) -> tuple[str, ...]:
    """Name the tables that are needed for what was asked for."""
    return tuple(name for name, path in outputs.items() if path is not None) or (PRINTED,)


def empty(name: str) -> pl.DataFrame:
    """Give a table of a part without rows."""
    import polars as pl

    from gale.peaks.table import match_table, peak_table

    if name == PEAKS:
        return peak_table("", (), ())
    return match_table("", ()) if name == MATCHES else pl.DataFrame(schema={"text": pl.String})


def made(name: str, peaks: Peaks) -> pl.DataFrame:
    """Make a table of a part for a run."""
    import polars as pl

    from gale.peaks.mztab import mztab_text
    from gale.peaks.spectra import entries
    from gale.writers.msp import msp_text

    if name == PEAKS:
        return peaks.table
    if name == MATCHES:
        return peaks.matches
    if name == MZTAB:
        text = mztab_text(peaks)
    else:
        text = msp_text(entries([peaks])) if name == SPECTRA else "\n".join(printed(peaks))
    return pl.DataFrame({"text": [text]})
