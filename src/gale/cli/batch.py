"""Verbs that go through many runs: their options, and what is kept when they stop early."""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.interruption import status_of
from gale.cli.options import PATH, Function
from gale.cli.outputs import STANDARD_OUTPUT
from gale.cli.printing import echo
from gale.cli.resumable import kept_text
from gale.errors import GaleError
from gale.plumbing.text import counted

if TYPE_CHECKING:
    from gale.plumbing.batches import Partial


@dataclass(frozen=True)
class Asked:
    """How a verb is to go through its runs, see :func:`batch_options`."""

    files_from: Path | None = None
    shard: tuple[int, int] | None = None
    resume: bool = False
    allow_failed: bool = False

    @property
    def files_read(self) -> list[Path]:
        """The list of runs, if it is a file."""
        return [] if self.files_from in (None, STANDARD_OUTPUT) else [self.files_from]

    def of_shard(self, output: Path) -> Path:
        """Name what is finished of an output that several shards may write into at a time."""
        if self.shard is None:
            return output
        number, shards = self.shard
        return output.with_name(f"{output.name}.{number}-of-{shards}")

    def end(self, n_failed: int, n_runs: int) -> None:
        """End the process with status 1 if runs failed, unless that is allowed."""
        if not n_failed:
            return
        if not self.allow_failed:
            sys.exit(1)
        echo(f"{n_failed:,} of {counted(n_runs, 'run')} failed, which is allowed", err=True)


def _parse_shard(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    number, _, shards = value.partition("/")
    if not (number.isdecimal() and shards.isdecimal() and 1 <= int(number) <= int(shards)):
        raise click.BadParameter(f"{value!r} is not K/N, with K from 1 to N")
    return int(number), int(shards)


def batch_options(result: str = "the output") -> Callable[[Function], Callable[..., Any]]:
    """Add the options of a verb that goes through many runs; it gets them as one `Asked`.

    Parameters
    ----------
    result : str
        What goes on with ``--resume``.
    """

    def add(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(
            files_from: Path | None,
            shard: tuple[int, int] | None,
            resume: bool,
            allow_failed: bool,
            **others: Any,
        ) -> Any:
            return function(asked=Asked(files_from, shard, resume, allow_failed), **others)

        for option in (
            click.option(
                "--allow-failed",
                is_flag=True,
                help="End with status 0 even if runs failed; their number is on standard error.",
            ),
            click.option(
                "--resume",
                is_flag=True,
                help=f"Continue {result} after an interruption; finished runs are kept.",
            ),
            click.option(
                "--shard",
                metavar="K/N",
                callback=_parse_shard,
                help="Take only the runs of part K of N; which ones depends on their names alone.",
            ),
            click.option(
                "--files-from",
                type=PATH,
                metavar="FILE | -",
                help="Take the paths of runs from a file with one per line, or standard input.",
            ),
        ):
            call = option(call)
        return call

    return add


def software() -> dict[str, str]:
    """Say which gale makes a result, as a part of what it is made with."""
    from gale.readers import VERSION

    return {"version of gale": f"{version('gale-ms')}, readers {VERSION}"}


@contextmanager
def partial_output(
    output: Path | None, made_with: Mapping[str, str], what: str, asked: Asked, *, force: bool
) -> Iterator[Partial]:
    """Keep what is finished of an output beside it until the output is whole.

    After Ctrl-C, SIGTERM or an error, say how much is kept, and how to go on. What only goes to the
    terminal is kept in a temporary folder, and not after the end.

    Parameters
    ----------
    output, made_with, what
        See `gale.plumbing.batches.Partial`.
    asked : Asked
    force : bool
        Whether what is left of an interrupted call is discarded, unless it is to go on.

    Raises
    ------
    OutputError
        See `gale.plumbing.batches.Partial.open`.
    """
    from gale.plumbing.batches import Partial

    if output is None or output == STANDARD_OUTPUT:
        with tempfile.TemporaryDirectory(prefix="gale-") as folder:
            yield Partial.open(Path(folder) / "output", made_with, what)
        return
    partial = Partial.open(output, made_with, what, resume=asked.resume, restart=force)
    try:
        yield partial
    except KeyboardInterrupt as error:
        echo(f"gale: interrupted; {_kept(partial) or 'nothing was finished'}", err=True)
        sys.exit(status_of(error))
    except GaleError as error:
        error.remedy = "; ".join(filter(None, (error.remedy, _kept(partial))))
        raise
    partial.discard()


def _kept(partial: Partial) -> str:
    """Say what is kept; if it is nothing, leave nothing."""
    if n_runs := partial.count():
        runs = counted(n_runs, "finished run is", "finished runs are")
        return kept_text(runs, partial.folder)
    partial.discard()
    return ""
