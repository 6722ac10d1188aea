"""The runs that a verb goes through, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.sources import is_run, open_runs
from gale.plumbing.reading import is_folder

if TYPE_CHECKING:
    import gale
    from gale.cli.batch import Asked
    from gale.plumbing.batches import Item


@dataclass(frozen=True)
class Listing:
    """The runs that a verb goes through, in their order.

    Parameters
    ----------
    paths : sequence of str
    campaign : Campaign, optional
        What they are of; it names them.
    """

    paths: Sequence[str]
    campaign: gale.Campaign | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Item]:
        from gale.plumbing.batches import Item
        from gale.plumbing.text import display_name

        names = map(display_name, self.paths) if self.campaign is None else self.campaign.runs
        return map(Item, names, self.paths)

    @property
    def columns(self) -> Mapping[str, str] | None:
        """Names of columns in the tables of the campaign."""
        return None if self.campaign is None else self.campaign.columns

    @property
    def files(self) -> Iterator[Path]:
        """The files of the runs, and those of their campaign."""
        return map(Path, self.paths) if self.campaign is None else iter(self.campaign.files)


def open_listing(
    paths: tuple[Path, ...],
    splits: tuple[str, ...],
    columns: Mapping[str, str] | None,
    model: gale.Model | None = None,
    *,
    asked: Asked,
    submission: bool = False,
) -> Listing:
    """List the runs of a verb: those of its arguments, then those of a list; or a campaign.

    Raises
    ------
    UsageError
        As :func:`open_runs`, or if nothing is given.
    ReadError, CampaignError
        If a list cannot be read, names a file twice or none, or a pattern fits no file.
    """
    from gale.cli.listing import expanded
    from gale.plumbing.batches import in_shard

    if submission and asked.shard:
        raise click.UsageError("--submission asks for all its runs; leave out --shard")
    if asked.files_from is not None:
        if splits or submission or any(is_folder(path) and not is_run(path) for path in paths):
            raise click.UsageError("--files-from lists files of runs; leave out the campaign")
        return open_paths(paths, asked)
    _check_given(paths, asked)
    sources = open_runs(expanded(paths), splits, columns, model, submission=submission)
    if isinstance(sources, tuple):
        return open_paths(sources, asked)
    if asked.shard:
        number, shards = asked.shard
        sources = sources.select([in_shard(run, number, shards) for run in sources.runs])
    return Listing(list(map(str, sources.paths)), sources)


def open_paths(paths: tuple[Path, ...], asked: Asked, name: str = "RUNS") -> Listing:
    """List the paths of the argument `name`, then those of a list.

    Raises
    ------
    UsageError, ReadError
        As :func:`open_listing`.
    """
    from gale.cli.listing import expanded, listed_paths
    from gale.plumbing.batches import in_shard
    from gale.plumbing.text import display_name

    _check_given(paths, asked, name)
    found: Iterator[str] = map(str, expanded(paths))
    if asked.files_from is not None:
        found = listed_paths(tuple(found), asked.files_from)
    number, shards = asked.shard or (1, 1)
    return Listing([path for path in found if in_shard(display_name(path), number, shards)])


def _check_given(paths: tuple[Path, ...], asked: Asked, name: str = "RUNS") -> None:
    if not paths and asked.files_from is None:
        raise click.UsageError(f"Missing argument '{name}...'.")
