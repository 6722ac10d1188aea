"""Saying what is kept of work that is interrupted, or fails, and how to go on with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gale.cli.progress import ConsoleProgress
from gale.errors import GaleError
from gale.training.journal import count_fits


@contextmanager
def telling_what_is_kept(partial: Path, progress: ConsoleProgress) -> Iterator[None]:
    """Close the progress at the end; on Ctrl-C and on errors, say what finished fits are kept.

    Ctrl-C ends the process with status 130.

    Parameters
    ----------
    partial : Path
        The folder of the journal.
    progress : ConsoleProgress
    """
    fits_before = count_fits(partial)
    try:
        yield
    except (KeyboardInterrupt, GaleError) as error:
        progress.close()
        n_fits = count_fits(partial)
        kept = (
            f"; {n_fits} finished fits are kept in {partial}; "
            "go on with the same command and --resume"
        )
        if isinstance(error, KeyboardInterrupt):
            nothing = "; no fit had finished, so nothing is kept"
            click.echo(f"gale: interrupted{kept if n_fits else nothing}", err=True)
            sys.exit(130)
        raise type(error)(f"{error}{kept if n_fits > fits_before else ''}") from error
    finally:
        progress.close()
