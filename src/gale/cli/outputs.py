"""What a verb is going to write: checked before it works, claimed until it ends."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.printing import echo

if TYPE_CHECKING:
    import polars as pl


def plan(outputs: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool) -> None:
    """Check the files that the verb will write, and claim them until it ends.

    Parameters
    ----------
    outputs, inputs, force
        See :func:`gale.plumbing.outputs.planned`.
    """
    from gale.plumbing.outputs import planned

    click.get_current_context().with_resource(planned(outputs, inputs, force=force))


def claim(output: Path) -> None:
    """Claim an output that has been checked, such as a folder, until the verb ends."""
    from gale.plumbing.locks import claimed

    click.get_current_context().with_resource(claimed(output))


class Written(click.Path):
    """A path that is written to; ``-`` is refused where a result is more than one text."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse ``-``."""
        if str(value) == "-":
            self.fail("only gale predict -o writes to standard output; name a file", param, ctx)
        return super().convert(value, param, ctx)


class WrittenTable(click.Path):
    """The path of a table to write, whose name says in which format; ``-`` is standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse names that do not say how to write a table."""
        from gale.plumbing.frames import check_suffix

        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path != STANDARD_OUTPUT:
            check_suffix(path)
        return path


STANDARD_OUTPUT = Path("-")
"""What stands for standard output, as the table of predictions alone may go there, as CSV."""

WRITTEN = Written()
"""The type of an option that names a file or folder to write."""

TABLE = WrittenTable()
"""The type of an option that names a table to write."""


def write_table(table: pl.DataFrame, output: Path, *, force: bool) -> None:
    """Write the shortest numbers that read back as what the model computed, which is Float32.

    A message that a spreadsheet would take for a formula begins with an apostrophe in CSV; names
    stay what they are, since tables are joined by them. Standard output is CSV.
    """
    import polars as pl

    from gale.plumbing.frames import CSV, frame_bytes, write_frame

    written, texts = table.cast({pl.Float64: pl.Float32}), ["message"]
    if output == STANDARD_OUTPUT:
        echo(frame_bytes(written, CSV, texts).decode(), nl=False)
    else:
        write_frame(written, output, force=force, texts=texts)
