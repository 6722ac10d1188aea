"""Writing a run in an open format, so that other software can check what gale reads from a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gale.errors import OutputError
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked
from gale.run import Run
from gale.writers import andi, mzml, table

__all__ = ["FORMATS", "Format", "format_of", "write_run"]


class Format(NamedTuple):
    """A format that gale writes runs in.

    Parameters
    ----------
    suffix : str
        Suffix of file names.
    write : callable
        Writes a run to a path; raises OutputError if the format cannot represent it.
    """

    suffix: str
    write: Callable[[Run, Path], None]


FORMATS = {
    "andi": Format(".cdf", andi.write),
    "csv": Format(".csv", table.write_csv),
    "mzml": Format(".mzML", mzml.write),
    "parquet": Format(".parquet", table.write_parquet),
}
"""The formats that gale writes, by the name that `gale.Run.format` has after reading."""


def format_of(path: Path) -> str | None:
    """Return the name of the format that a file name stands for; None if it stands for none.

    Examples
    --------
    >>> format_of(Path("run.mzML")), format_of(Path("run.txt"))
    ('mzml', None)
    """
    suffix = path.suffix.lower()
    return next((name for name, each in FORMATS.items() if each.suffix.lower() == suffix), None)


@checked
def write_run(
    run: Run,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    force: bool = False,
) -> None:
    """Write a run so that reading the file gives the same scans and ions, to the last digit.

    ANDI has times in seconds, so they come back rounded: within 1 part in 10^15.

    Parameters
    ----------
    run : Run
    path : str or path
        The file to write. It is written completely or not at all.
    format : str, optional
        ``csv``, ``parquet``, ``mzml`` or ``andi`` (``.cdf``); by default the suffix of the file
        name decides. Tables have one row per ion, and for a scan without ions one row with m/z 0
        and intensity 0. mzML also keeps `Run.facts` and the stated total ion current; ANDI keeps
        that and the facts it has a place for. Both are read with the ions of every scan in order
        of m/z.
    force : bool
        Whether an existing file is overwritten.

    Raises
    ------
    OutputError
        If the file exists or cannot be written, the format is unknown, or two scans have the same
        time, which a table cannot represent.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import gale
    >>> run = gale.Run.from_rows([1.0, 1.0, 2.0], [18.0, 44.0, 18.0], [5.0, 3.0, 7.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "run.mzML")
    ...     gale.write_run(run, path)
    ...     again = gale.read_run(path)
    >>> again.mz
    array([18., 44., 18.])
    """
    target = Path(path)
    name = format or format_of(target)
    suffixes = ", ".join(each.suffix for each in FORMATS.values())
    if name is None:
        raise OutputError(
            target, "has no suffix of a format", f"one of {suffixes}", "choose another name"
        )
    if name not in FORMATS:
        raise OutputError("format", f"is {name!r}", f"one of {', '.join(FORMATS)}")
    with writing(target, force=force) as temporary:
        FORMATS[name].write(run, temporary)
