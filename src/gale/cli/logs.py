"""What `gale -v` says and `gale --log-file` keeps: what is read and written, in what time."""

from __future__ import annotations

import logging
import platform
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import click

from gale.cli.printing import printable
from gale.cli.wording import error_text
from gale.errors import GaleError, OutputError
from gale.plumbing.files import check_free
from gale.plumbing.reading import open_file

LOG = logging.getLogger("gale")
SAID = "gale.cli"
"""The logger of what the command line prints in any case."""

STAMP = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OURS = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ gale")


class _Terminal(logging.Handler):
    """Prints on standard error, beside a bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record that was not printed anyway."""
        from tqdm import tqdm

        if record.name != SAID:
            tqdm.write(printable(self.format(record)), file=sys.stderr)


@contextmanager
def logged(words: list[str], *, verbose: bool, file: Path | None) -> Iterator[None]:
    """Log to the terminal, to a file, both or neither, until the end of the block.

    An error that ends the block is logged, with its traceback if it is a bug.

    Parameters
    ----------
    words : list of str
        The command line, for the log.
    verbose : bool
        Whether to log on standard error.
    file : Path, optional
        The file to append to.

    Raises
    ------
    OutputError
        If the file is something else than a log of gale, or cannot be written.
    """
    handlers: list[logging.Handler] = [_Terminal()] if verbose else []
    if file is not None:
        handlers.append(_appending(file))
    if not handlers:
        yield
        return
    before, started = LOG.level, time.monotonic()
    for each in handlers:
        LOG.addHandler(each)
    LOG.setLevel(logging.DEBUG)
    try:
        LOG.info("gale %s, Python %s, %s", version("gale-ms"), platform.python_version(),
                 platform.platform())  # fmt: skip
        LOG.info("called as: gale %s", " ".join(words))
        yield
    finally:
        _log_end(sys.exc_info()[1], time.monotonic() - started)
        LOG.setLevel(before)
        for each in handlers:
            LOG.removeHandler(each)
            each.close()


def _log_end(error: BaseException | None, seconds: float) -> None:
    """Say how it ended."""
    status = error.code if isinstance(error, SystemExit) else 0
    if isinstance(error, GaleError):
        LOG.error("ended after %.1f s by an error: %s", seconds, error_text(error))
    elif isinstance(error, (KeyboardInterrupt, click.Abort)):
        LOG.error("interrupted after %.1f s", seconds)
    elif isinstance(error, click.ClickException):
        LOG.error("ended after %.1f s: %s", seconds, error.format_message())
    elif isinstance(error, Exception) and not isinstance(error, click.exceptions.Exit):
        LOG.error("ended after %.1f s by a bug", seconds, exc_info=error)
    else:
        LOG.info("ended after %.1f s, exit status %s", seconds, status or 0)


def _appending(file: Path) -> logging.Handler:
    """Open a log to append to; what is no log of gale stays as it is."""
    check_free(file, force=True)
    try:
        if file.exists() and file.stat().st_size:
            with open_file(file) as existing:
                if not _OURS.match(existing.read(40)):
                    raise OutputError(file, "is not a log of gale", remedy="choose another name")
        handler = logging.FileHandler(file, "a", "utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            file, f"cannot be written ({error.strerror})", remedy="choose another place"
        ) from error
    handler.setFormatter(logging.Formatter(STAMP))
    return handler
