"""What `gale convert` does with a chunk of runs, and where each of them is written."""

from __future__ import annotations

import errno
import json
import os
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.batch import software
from gale.cli.wording import error_text
from gale.errors import GaleError, OutputError
from gale.plumbing.batches import Chunk, Item, Part, hash_of, identity, twice
from gale.plumbing.progress import Progress

if TYPE_CHECKING:
    from gale.cli.sources import Listing

STORAGE = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}
"""Errors of a disk, after which no further run can be written."""


@dataclass(frozen=True)
class ConvertTask:
    """Writes the runs of a chunk to their targets.

    Parameters
    ----------
    columns, centroid
        How runs are read.
    format : str
    force : bool
        Whether targets that exist are overwritten.
    """

    columns: Mapping[str, str] | None
    centroid: bool
    format: str
    force: bool

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Write every run that can be read, and say which cannot."""
        import gale

        failed, written = [], []
        for item in chunk:
            try:
                run = gale.read_run(item.path, columns=self.columns, centroid=self.centroid)
                gale.write_run(run, item.target, format=self.format, force=self.force)
                written.append(identity(item.target))
            except GaleError as error:
                if getattr(error.__cause__, "errno", None) in STORAGE:
                    raise
                failed.append(error_text(error))
                written.append("")
            progress.step()
        return Part({"failed": failed, "written": written})

    def made_with(self) -> dict[str, str]:
        """Say what the result depends on besides the runs."""
        return {
            **software(),
            "column": json.dumps(self.columns and dict(self.columns)),
            "centroid": str(self.centroid),
            "format": self.format,
        }


def is_written(chunk: Chunk, facts: Mapping[str, Any]) -> bool:
    """Whether the targets of a finished chunk are there as they were written."""
    return all(
        not was or was == identity(item.target)
        for item, was in zip(chunk, facts["written"], strict=True)
    )


Target = Callable[[str], Path]
"""Gives the file to write of the path of a run."""


def targets_of(listing: Listing, output: Path, format_: str | None) -> tuple[str, Target]:
    """Give the format, and for each run the file to write.

    Raises
    ------
    UsageError
        If output and format do not fit each other, or the number of runs.
    OutputError
        If a file would be made of two runs.
    """
    from gale.writers import FORMATS, format_of

    named = None if output.is_dir() else format_of(output)
    if named and len(listing) > 1:
        raise click.UsageError(f"several runs need a folder, but {output} is the name of a file")
    if named and format_ not in (None, named):
        raise click.UsageError(f"--to is {format_}, but {output} is the name of a {named} file")
    if named:
        return named, lambda _: output
    if format_ is None:
        found = f"{output} ends with none of {', '.join(each.suffix for each in FORMATS.values())}"
        raise click.UsageError(f"{found}; to write into a folder, give the format with --to")
    suffix = FORMATS[format_].suffix
    names = array("Q", (hash_of(_stem(path).casefold()) for path in listing.paths))
    if found_twice := twice(names):
        one, other = (listing.paths[at] for at in found_twice)
        target, found = output / f"{_stem(other)}{suffix}", f"written from both {one} and {other}"
        remedy = "convert into different folders"
        raise OutputError(target, f"would be {found}", "different names", remedy)
    return format_, lambda path: output / f"{_stem(path)}{suffix}"


def check_targets(listing: Listing, target_of: Target, *, force: bool) -> None:
    """Check that the files may be written, and none of them is read.

    Raises
    ------
    OutputError
    """
    from gale.plumbing.files import check_free
    from gale.plumbing.outputs import check_no_input

    targets = map(target_of, listing.paths)
    there = [each for number, each in enumerate(targets) if number == 0 or os.path.lexists(each)]
    for each in there:
        check_free(each, force=force)
    check_no_input(there, listing.files)


def with_targets(listing: Listing, target_of: Target) -> Iterator[Item]:
    """Give the runs with the files to write."""
    for item in listing:
        yield item._replace(target=str(target_of(item.path)))


def _stem(path: str) -> str:
    """The name of a run without the endings of its format and packing."""
    return Path(Path(path).name.removesuffix(".gz").removesuffix(".zip")).stem
