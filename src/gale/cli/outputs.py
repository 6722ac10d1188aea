"""What a verb is going to write: checked before it works, claimed until it ends."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click


def plan(outputs: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool) -> None:
    """Check the files that the verb will write, and claim them until it ends.

    Parameters
    ----------
    outputs, inputs, force
        See :func:`gale.plumbing.outputs.planned`.
    """
    from gale.plumbing.outputs import planned

    click.get_current_context().with_resource(planned(outputs, inputs, force=force))


def plan_tables(
    tables: Iterable[Path], others: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool
) -> None:
    """Check and claim tables, which may be datasets, and other files beside them."""
    from gale.plumbing.frames import check_dataset_free, is_dataset
    from gale.plumbing.outputs import check_different, check_no_input

    tables, others = list(tables), list(others)
    folders = [each for each in tables if is_dataset(each)]
    for each in folders:
        check_dataset_free(each, force=force)
    check_different([*tables, *others])
    plan([*(each for each in tables if each not in folders), *others], force=force)
    for each in folders:
        claim(each)
    check_no_input([*tables, *others], inputs)  # goes through them only if an output exists


def claim(output: Path) -> None:
    """Claim an output that has been checked, such as a folder, until the verb ends."""
    from gale.plumbing.locks import claimed

    click.get_current_context().with_resource(claimed(output))


class Written(click.Path):
    """A path that is written to; ``-`` is refused where a result is more than one text.

    An address is refused, too, if the output is to be `here`, on this machine.
    """

    def __init__(self, *, here: bool = False) -> None:
        super().__init__(path_type=Path)
        self.here = here

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse ``-``, and addresses where they will not do."""
        from gale.plumbing.files import check_here, check_slashes

        if str(value) == "-":
            self.fail(NOT_PRINTED, param, ctx)
        check_slashes(os.fsdecode(value))
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if self.here:
            check_here(path)
        return path


class WrittenTable(click.Path):
    """The path of a table to write, whose name says in which format; ``-`` is standard output.

    A name that ends in a slash is that of a dataset, a folder of Parquet files.
    """

    def __init__(self, *, printed: bool = True) -> None:
        super().__init__(path_type=Path)
        self.printed = printed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse names that do not say how to write a table."""
        from gale.plumbing.files import check_slashes
        from gale.plumbing.frames import check_suffix, is_dataset

        text = os.fsdecode(value)
        if text == "-" and not self.printed:
            self.fail(NOT_PRINTED, param, ctx)
        check_slashes(text)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        is_folder = text.endswith(("/", os.sep)) and path.name not in ("", "..")
        if path != STANDARD_OUTPUT and not (is_folder and is_dataset(path)):
            check_suffix(path)
        return path


NOT_PRINTED = "only gale predict -o writes to standard output; name a file"
"""What is said of ``-`` elsewhere."""

STANDARD_OUTPUT = Path("-")
"""What stands for standard output, as the table of predictions alone may go there, as CSV."""

ADDRESS_TOO = "An address, such as s3://bucket/name, will do."
"""What the help says of outputs that may be elsewhere."""

WRITTEN = Written()
"""The type of an option that names a file or folder to write, here or at an address."""

WRITTEN_HERE = Written(here=True)
"""The same, on this machine alone: where locks are needed, or a file grows."""

TABLE = WrittenTable()
"""The type of an option that names a table to write."""

TABLE_FILE = WrittenTable(printed=False)
"""The same, where standard output is no place for it."""
