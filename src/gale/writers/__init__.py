"""Writing a run in an open format, so that what gale sees of a file can be checked elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gale.errors import OutputError
from gale.plumbing.files import writing
from gale.run import Run
from gale.writers import mzml, table

__all__ = ["FORMATS", "Format", "format_of", "write_run"]


class Format(NamedTuple):
    """A format that runs are written in.

    Parameters
    ----------
    suffix : str
        What names of such files end with.
    write : callable
        Writes a run to a path; raises OutputError if the format cannot hold it.
    """

    suffix: str
    write: Callable[[Run, Path], None]


FORMATS = {
    "csv": Format(".csv", table.write_csv),
    "mzml": Format(".mzML", mzml.write),
    "parquet": Format(".parquet", table.write_parquet),
}
"""Every format that is written, by the name that its reader gives it."""


def format_of(path: Path) -> str | None:
    """Name the format that the name of a file to write asks for; None if it asks for none."""
    suffix = path.suffix.lower()
    return next((name for name, each in FORMATS.items() if each.suffix.lower() == suffix), None)


def write_run(
    run: Run,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    force: bool = False,
) -> None:
    """Write a run so that reading the file gives the same scans and ions, to the last digit.

    Parameters
    ----------
    run : Run
    path : str or path
        The file to write. It is there whole or not at all.
    format : str, optional
        ``csv``, ``parquet`` or ``mzml``; what the name of the file ends with, if not given. The
        tables have one row an ion, and for a scan without ions a row of m/z 0 and intensity 0. mzML
        also keeps what the file said of itself and the total ion current that it stated; mzML is
        read with the ions of every scan in order of m/z.
    force : bool
        Whether a file that exists is overwritten.

    Raises
    ------
    OutputError
        If the file exists, cannot be written or has no name of a format, or if a table cannot hold
        the run, since two of its scans have the same time.
    """
    target = Path(path)
    name = format or format_of(target)
    if name not in FORMATS:
        endings = ", ".join(each.suffix for each in FORMATS.values())
        raise OutputError(
            f"{target}: its name does not say what to write; expected one that ends in {endings}"
        )
    with writing(target, force=force) as temporary:
        FORMATS[name].write(run, temporary)
