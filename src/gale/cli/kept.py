"""What is kept of an output while a verb makes it, and what is said of it when it stops early."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.interruption import status_of
from gale.cli.outputs import STANDARD_OUTPUT
from gale.cli.printing import echo
from gale.cli.resumable import kept_text
from gale.errors import GaleError, OutputError
from gale.plumbing.locks import MORE_SPACE
from gale.plumbing.remote import STORAGE, AddressError
from gale.plumbing.text import counted

if TYPE_CHECKING:
    from gale.cli.batch import Asked
    from gale.plumbing.batches import Partial


def software() -> dict[str, str]:
    """Say which gale makes a result, as a part of what it is made with."""
    from gale.readers import VERSION

    return {"version of gale": f"{version('gale-ms')}, readers {VERSION}"}


@contextmanager
def partial_output(
    output: Path | None,
    made_with: Mapping[str, str],
    what: str,
    asked: Asked,
    *,
    force: bool,
    outputs: Iterable[Path] | None = None,
) -> Iterator[Partial]:
    """Keep what is finished of an output beside it until the output is whole.

    After Ctrl-C, SIGTERM or an error, say how much is kept, and how to go on. What only goes to the
    terminal is kept in a temporary folder, and not after the end.

    Parameters
    ----------
    output, made_with, what
        See `gale.plumbing.batches.Partial`.
    asked : Asked
    outputs : iterable of Path
        All that is made of what is kept, by default `output`.
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
    outputs = [output] if outputs is None else list(outputs)
    partial = Partial.open(
        output, made_with, what, resume=asked.resume, restart=force, outputs=outputs
    )
    with telling(partial):
        yield partial
    partial.finish(outputs)


def replacing(output: Path | None, outputs: Iterable[Path], asked: Asked, *, force: bool) -> bool:
    """Whether outputs that exist are replaced: by force, or since an interrupted call left them."""
    from gale.plumbing.batches import left_by_interrupted

    if force or not asked.resume or output is None or output == STANDARD_OUTPUT:
        return force
    return left_by_interrupted(output, outputs)


@contextmanager
def telling(partial: Partial) -> Iterator[None]:
    """After Ctrl-C, SIGTERM or an error, say how much is kept, and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        echo(f"gale: interrupted; {_kept(partial) or 'nothing was finished'}", err=True)
        sys.exit(status_of(error))
    except GaleError as error:
        if error.source == str(partial.where):  # it says so itself
            raise
        error.remedy = "; ".join(filter(None, (error.remedy, _kept(partial))))
        raise
    except OSError as error:
        if error.errno not in STORAGE and not isinstance(error, AddressError):
            raise
        remedy = getattr(error, "remedy", MORE_SPACE)
        remedy = "; ".join(filter(None, (remedy, _kept(partial))))
        found = f"cannot be written ({error.strerror})"
        raise OutputError(partial.output, found, remedy=remedy) from error


def _kept(partial: Partial) -> str:
    """Say what is kept; if it is nothing, leave nothing."""
    if n_runs := partial.count():
        runs = counted(n_runs, "finished run is", "finished runs are")
        return kept_text(runs, partial.where)
    partial.discard()
    return ""
