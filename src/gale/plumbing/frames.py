"""Tables of other libraries, and tables as files that other programs open.

:func:`frame_of` takes a table of polars, pandas or any other library that speaks Arrow. Files are
CSV, Parquet or a workbook of a spreadsheet: the end of a name says which; any other is an error,
never another format under that name. A name that ends in a slash is that of a folder of Parquet
files, which programs open as one dataset.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gale.errors import MissingExtraError, OutputError, TableError
from gale.plumbing.files import (
    bytes_to_write,
    check_folder_free,
    write_content,
    writing,
    writing_folder,
)
from gale.plumbing.reading import is_folder, sha256_of
from gale.plumbing.remote import address_of, files_at
from gale.plumbing.text import listed, no_formula

if TYPE_CHECKING:
    import polars as pl

CSV, PARQUET, WORKBOOK = ".csv", ".parquet", ".xlsx"

SUFFIXES = (CSV, PARQUET, WORKBOOK)
"""What the name of a table may end in, in any case."""

MOST_ROWS = 2**20 - 1
"""Rows below the header that a sheet of a workbook holds."""

ROWS = 2**16
"""Rows that are in memory at a time while a table is written piece by piece: those of a file of a
dataset, and of a row group of a Parquet file."""

LARGE_WORKBOOK = 2**14
"""A workbook of more rows is written row by row, without widths of columns that fit."""

FILES = ("part-*.parquet",)
"""Names of the files of a dataset."""


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
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:
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
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
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
        raise _too_long(path, f"{len(table):,}")
    content = frame_bytes(table, suffix, texts)
    with writing(path, force=force) as temporary:
        temporary.write_bytes(content)


def write_frames(
    tables: Iterable[pl.DataFrame],
    path: Path,
    *,
    force: bool = False,
    texts: Collection[str] = (),
) -> None:
    """Write tables of the same columns below each other, without having all in memory.

    Short ones become the file that :func:`write_frame` makes of them as one table.

    Parameters
    ----------
    tables : iterable of DataFrame
        At least one, which may have no rows.
    path : Path
        A file, or else a folder to make, of Parquet files of up to :data:`ROWS` rows each.
    force, texts
        As of :func:`write_frame`; a folder that holds nothing but such files may be replaced.

    Raises
    ------
    OutputError, MissingExtraError
        As :func:`write_frame`.
    """
    if is_dataset(path):
        with writing_folder(path, replaces=FILES if force else None) as folder:
            _write_pieces(tables, folder)
        return
    check_suffix(path)
    suffix = path.suffix.lower()
    with writing(path, force=force) as temporary:
        if suffix == CSV:
            with bytes_to_write(temporary) as file:
                for number, table in enumerate(tables):
                    content = frame_bytes(table, CSV, texts)
                    file.write(content[content.index(b"\n") + 1 :] if number else content)
        elif suffix == PARQUET:
            _write_parquet(tables, temporary)
        else:
            _write_workbook_of(tables, temporary, path)


def is_dataset(path: Path) -> bool:
    """Whether a path, given with a slash at its end, is that of a folder of Parquet files."""
    return path.suffix.lower() not in SUFFIXES


def check_dataset_free(path: Path, *, force: bool) -> None:
    """Refuse to make a dataset where something is that may not be replaced.

    Raises
    ------
    OutputError
    """
    check_folder_free(path, force=force, files=FILES)


def dataset_files(folder: Path) -> list[Path]:
    """List the files of a dataset in the order of their rows."""
    if (address := address_of(folder)) is None:
        return sorted(folder.glob(FILES[0]))
    return [folder / name for name in files_at(address) if fnmatch(name, FILES[0])]


def files_of_table(path: Path) -> list[Path]:
    """List the files of a table: itself, or those of a dataset in the order of their rows."""
    return dataset_files(path) if is_folder(path) else [path]


def sha256_of_table(path: Path) -> str:
    """Hash the file of a table, or all files of a dataset in the order of their rows.

    Raises
    ------
    OSError
        If one cannot be read.
    """
    hashes = list(map(sha256_of, files_of_table(path)))
    return hashlib.sha256("".join(hashes).encode()).hexdigest() if is_folder(path) else hashes[0]


def pieces_of(tables: Iterable[pl.DataFrame], rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """Join tables to pieces of so many rows; the last one has fewer, or none if it is the first."""
    import polars as pl

    gathered: list[pl.DataFrame] = []
    n_rows, is_first = 0, True
    for table in tables:
        gathered.append(table)
        n_rows += len(table)
        while n_rows >= rows:
            joined = pl.concat(gathered)
            yield joined[:rows]
            gathered, is_first = [joined[rows:]], False
            n_rows -= rows
    if n_rows or is_first:
        yield pl.concat(gathered)


def joined_schema(tables: Iterable[pl.DataFrame]) -> dict[str, pl.DataType]:
    """Give the columns of tables, which differ in some, in the order in which they first come."""
    schema: dict[str, pl.DataType] = {}
    for table in tables:
        schema |= {name: kind for name, kind in table.schema.items() if name not in schema}
    return schema


def aligned(table: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Give a table all columns of a schema; those that it lacks are null."""
    import polars as pl

    return table.select(
        pl.col(name) if name in table.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    )


def _write_pieces(tables: Iterable[pl.DataFrame], folder: Path) -> None:
    for number, piece in enumerate(pieces_of(tables)):
        write_content(folder / f"part-{number:05d}.parquet", frame_bytes(piece, PARQUET))


def _write_parquet(tables: Iterable[pl.DataFrame], path: Path) -> None:
    """Write one file; pieces of a long table are joined by polars, which streams them."""
    import polars as pl

    pieces = pieces_of(tables)
    first = next(pieces)
    second = next(pieces, None)
    if second is None:
        path.write_bytes(frame_bytes(first, PARQUET))
        return
    if not _is_unicode(path):  # polars cannot write there
        path.write_bytes(frame_bytes(pl.concat([first, second, *pieces]), PARQUET))
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.") as folder:
        _write_pieces(chain([first, second], pieces), Path(folder))
        try:
            files = dataset_files(Path(folder))
            pl.scan_parquet(files).sink_parquet(path, row_group_size=ROWS)
        except pl.exceptions.ComputeError as error:  # so polars calls a full disk, too
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), path) from error


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_workbook_of(tables: Iterable[pl.DataFrame], temporary: Path, path: Path) -> None:
    import polars as pl

    pieces = pieces_of(tables, LARGE_WORKBOOK)
    first = next(pieces)
    second = next(pieces, pl.DataFrame())
    if not len(second):
        temporary.write_bytes(frame_bytes(first, WORKBOOK))
    else:
        _write_rows(chain([first, second], pieces), temporary, path)


def _write_rows(pieces: Iterable[pl.DataFrame], temporary: Path, path: Path) -> None:
    """Write a long workbook row by row."""
    from xlsxwriter import Workbook

    with Workbook(temporary, {**AS_TEXT, "constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("gale")
        decimals = workbook.add_format({"num_format": "0.0000"})
        n_rows = 0
        for piece in pieces:
            if not n_rows:
                sheet.write_row(0, 0, piece.columns)
            for row in piece.iter_rows():
                n_rows += 1
                if n_rows > MOST_ROWS:
                    raise _too_long(path, f"more than {MOST_ROWS:,}")
                for column, value in enumerate(row):
                    if value is not None:
                        form = decimals if isinstance(value, float) else None
                        sheet.write(n_rows, column, value, form)


def _too_long(path: Path, rows: str) -> OutputError:
    return OutputError(path, f"would have {rows} rows", f"at most {MOST_ROWS:,}", "write .parquet")


AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
"""Options of a workbook in which texts stay texts, also those like formulas or addresses."""


def _write_workbook(table: pl.DataFrame, content: io.BytesIO) -> None:
    """Write one sheet."""
    from xlsxwriter import Workbook

    with Workbook(content, {**AS_TEXT, "in_memory": True}) as workbook:
        table.write_excel(workbook, "gale", float_precision=4, autofit=True)
