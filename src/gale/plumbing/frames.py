"""Tables of other libraries, and tables as files that other programs open.

:func:`frame_of` takes a table of polars, pandas or any other library that speaks Arrow. Files are
CSV, Parquet or a workbook of a spreadsheet: the end of a name says which; any other is an error,
never another format under that name.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gale.errors import MissingExtraError, OutputError, TableError
from gale.plumbing.files import writing
from gale.plumbing.text import listed, no_formula

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET, WORKBOOK = ".csv", ".parquet", ".xlsx"

SUFFIXES = (CSV, PARQUET, WORKBOOK)
"""What the name of a table may end in, in any case."""

MOST_ROWS = 2**20 - 1
"""Rows below the header that a sheet of a workbook holds."""


@runtime_checkable
class ArrowTable(Protocol):
    """A table that offers its columns as a stream of Arrow, by the PyCapsule interface.

    Data frames of polars, pandas (2.2 and later), pyarrow, duckdb and others do, and `gale.Run`.
    """

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Return a capsule that holds the stream."""


Tabular = ArrowTable | Sequence[ArrowTable]
"""A table, or several with the same columns, whose rows follow each other."""


def frame_of(table: Tabular, name: str) -> pl.DataFrame:
    """Take a table of any library, or a list of tables, as a data frame of polars.

    The named index of a pandas table becomes its first columns, and NaN there, which stands for
    nothing, becomes null; pandas needs no pyarrow for this.

    Parameters
    ----------
    table : table, or sequence of tables
    name : str
        What to call it in messages.

    Raises
    ------
    TableError
        If it is no table, has columns of mixed types, or the tables of a list differ in columns.

    Examples
    --------
    >>> import polars as pl
    >>> parts = [pl.DataFrame({"run": ["a"], "x": [1]}), pl.DataFrame({"x": [0.5], "run": ["b"]})]
    >>> frame_of(parts, "labels").rows()
    [('a', 1.0), ('b', 0.5)]
    """
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, Sequence) and not isinstance(table, str | bytes):
        return _joined([frame_of(each, name) for each in table], name)
    try:
        if type(table).__module__.partition(".")[0] == "pandas":
            return pl.DataFrame(_pandas_columns(table, name))
        return pl.DataFrame(table)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        why = str(error).partition("\n")[0]
        raise TableError(
            name, f"cannot be taken as a table ({why})", "columns of numbers or texts", "convert it"
        ) from error


def _joined(frames: Sequence[pl.DataFrame], name: str) -> pl.DataFrame:
    """Join tables by their rows; each has the columns of the first."""
    import polars as pl

    if not frames:
        raise TableError(name, "is an empty list", "at least one table")
    columns = frames[0].columns
    for frame in frames[1:]:
        if set(frame.columns) != set(columns):
            raise TableError(
                name,
                f"has tables of different columns ({listed(frame.columns, 3)})",
                f"those of the first ({listed(columns, 3)})",
            )
    try:
        return pl.concat([frame.select(columns) for frame in frames], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise TableError(name, f"has tables of different types ({error})", "the same") from error


def _pandas_columns(table: Any, name: str) -> list[pl.Series]:
    """Copy the columns of a pandas table, without pyarrow, which pandas itself needs for it."""
    if getattr(table, "ndim", 0) != 2:
        raise TypeError("it has one column")
    index = table.index
    if any(each is not None for each in index.names):
        table = table.reset_index()
    elif getattr(index.dtype, "kind", "O") not in "iu":
        raise TableError(
            name,
            "has an index without a name",
            "a column for what it says",
            "name it: table.rename_axis('run')",
        )
    return [_series(str(key), table.iloc[:, at]) for at, key in enumerate(table.columns)]


def _series(name: str, column: Any) -> pl.Series:
    import polars as pl

    values = column.to_numpy()
    if values.dtype.kind in "biuf":
        return pl.Series(name, values, nan_to_null=True)
    gone = column.isna().tolist()
    known = [None if missing else each for each, missing in zip(column.tolist(), gone, strict=True)]
    if any(isinstance(each, float) for each in known):  # whole numbers may be among them
        known = [float(each) if isinstance(each, int) else each for each in known]
    return pl.Series(name, known)


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
