"""Tables as files that other programs open: CSV, Parquet or a workbook of a spreadsheet.

The end of a name says which; any other is an error, never another format under that name.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from gale.errors import MissingExtraError, OutputError
from gale.plumbing.files import writing
from gale.plumbing.text import no_formula

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET, WORKBOOK = ".csv", ".parquet", ".xlsx"

SUFFIXES = (CSV, PARQUET, WORKBOOK)
"""What the name of a table may end in, in any case."""

MOST_ROWS = 2**20 - 1
"""Rows below the header that a sheet of a workbook holds."""


def check_suffix(path: Path) -> None:
    """Refuse a name that does not say how to write a table, or says one that cannot be written.

    Raises
    ------
    OutputError
        If the name ends in none of :data:`SUFFIXES`.
    MissingExtraError
        If it is a workbook, and what writes one is not installed.

    Examples
    --------
    >>> check_suffix(Path("predictions.csv"))
    >>> check_suffix(Path("predictions.txt"))
    Traceback (most recent call last):
        ...
    gale.errors.OutputError: predictions.txt: ends in .txt; expected .csv, .parquet or .xlsx; ...
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        ending = f"ends in {path.suffix}" if path.suffix else "does not say how to write a table"
        expected = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise OutputError(path, ending, expected, "choose another name")
    if suffix == WORKBOOK:
        try:
            import_module("xlsxwriter")
        except ModuleNotFoundError:
            raise MissingExtraError(
                path,
                "needs xlsxwriter, which is not installed",
                remedy="install the extra: pip install 'gale-ms[xlsx]'",
            ) from None


def frame_bytes(table: pl.DataFrame, suffix: str, texts: Collection[str] = ()) -> bytes:
    """Write a table as the bytes of a file.

    Parameters
    ----------
    table : DataFrame
        Without lists.
    suffix : str
        One of :data:`SUFFIXES`.
    texts : collection of str
        Columns whose texts get an apostrophe in CSV where a spreadsheet would take them for a
        formula. In the other formats a text is never anything else.
    """
    import polars as pl

    if suffix == CSV:
        marked = [
            pl.Series(name, map(no_formula, table[name]), dtype=pl.String)
            for name in texts
            if table.schema.get(name) == pl.String
        ]
        return table.with_columns(marked).write_csv().encode()
    content = io.BytesIO()
    if suffix == PARQUET:
        table.write_parquet(content)
    else:
        _write_workbook(table, content)
    return content.getvalue()


def write_frame(
    table: pl.DataFrame, path: Path, *, force: bool = False, texts: Collection[str] = ()
) -> None:
    """Write a table in the format that the name of the file says, completely or not at all.

    Raises
    ------
    OutputError, MissingExtraError
        As :func:`check_suffix`; if the file exists and `force` is false, cannot be written, or is
        a workbook and the table has too many rows for one.
    """
    check_suffix(path)
    suffix = path.suffix.lower()
    if suffix == WORKBOOK and len(table) > MOST_ROWS:
        raise OutputError(
            path, f"would have {len(table):,} rows", f"at most {MOST_ROWS:,}", "write .parquet"
        )
    content = frame_bytes(table, suffix, texts)
    with writing(path, force=force) as temporary:
        temporary.write_bytes(content)


def _write_workbook(table: pl.DataFrame, content: io.BytesIO) -> None:
    """Write one sheet; texts stay texts, also those that look like formulas or addresses."""
    from xlsxwriter import Workbook

    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with Workbook(content, {**as_text, "nan_inf_to_errors": True}) as workbook:
        table.write_excel(workbook, "gale", float_precision=4, autofit=True)
