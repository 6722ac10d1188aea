"""Where `gale convert` writes each run."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.errors import OutputError
from gale.plumbing.batches import Item, hash_of, twice
from gale.plumbing.places import names_in
from gale.plumbing.reading import is_folder
from gale.plumbing.remote import address_of

if TYPE_CHECKING:
    from gale.cli.listings import Listing

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

    named = None if is_folder(output) else format_of(output)
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

    there = [
        each
        for number, each in enumerate(map(target_of, listing.paths))
        if number == 0 or os.path.lexists(each)
    ]
    if there and address_of(there[0]) is not None:
        names = set(names_in(there[0].parent, there[0].suffix))
        there += [each for each in map(target_of, listing.paths[1:]) if each.name in names]
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
