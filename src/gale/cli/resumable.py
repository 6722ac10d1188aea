"""Verbs that train for long: their options, and what they say when they stop early."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gale.cli.interruption import status_of
from gale.cli.options import Function, device_option, force_option, reading_options, seed_option
from gale.cli.printing import echo
from gale.errors import GaleError
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted


def training_options(work: str, result: str) -> Callable[[Function], Callable[..., Any]]:
    """Add the options of a verb that trains.

    Parameters
    ----------
    work : str
        What may be interrupted, as ``training``.
    result : str
        What comes out of it, as ``the same model``.
    """

    def add(function: Function) -> Callable[..., Any]:
        added: Callable[..., Any] = function
        for option in (
            reading_options,
            force_option(f"Overwrite the output; discard an interrupted {work}."),
            click.option("--resume", is_flag=True, help=f"Continue an interrupted {work}."),
            device_option,
            seed_option(
                f"The same seed, runs and recipe give {result} on the same machine (to rounding, "
                "after an interruption)."
            ),
        ):
            added = option(added)
        return added

    return add


def sleep_when_idle() -> None:
    """Make threads of torch sleep while they wait, unless the user says otherwise.

    Waiting threads that do not sleep are very slow where other work runs beside. This counts only
    before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def resumable(journal: Path, progress: Progress) -> Iterator[None]:
    """After an interruption or an error, say how many finished fits are kept, and how to resume.

    Ctrl-C ends the process with status 130, SIGTERM with 143.

    Parameters
    ----------
    journal : Path
        The folder with the finished fits.
    progress : Progress
        It is closed in any case.
    """
    from gale.training.journal import count_fits

    fits_before = count_fits(journal)
    try:
        yield
    except KeyboardInterrupt as error:
        progress.close()
        n_fits = count_fits(journal)
        kept = _kept(n_fits, journal) if n_fits else "no fit had finished, so nothing is kept"
        echo(f"gale: interrupted; {kept}", err=True)
        sys.exit(status_of(error))
    except GaleError as error:
        if (n_fits := count_fits(journal)) > fits_before:
            error.remedy = "; ".join(filter(None, (error.remedy, _kept(n_fits, journal))))
        raise
    finally:
        progress.close()


def _kept(n_fits: int, journal: Path) -> str:
    return kept_text(counted(n_fits, "finished fit is", "finished fits are"), journal)


def kept_text(finished: str, folder: Path | str) -> str:
    """Say what is kept where, and how to go on."""
    return f"{finished} kept in {folder}; repeat the command with --resume to continue"
