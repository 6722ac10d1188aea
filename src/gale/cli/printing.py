"""What the command line prints, without control characters that names or contents of files have."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import click

from gale.errors import CONTROLS
from gale.plumbing.text import listed, shown

LOG = logging.getLogger("gale.cli")

_SIGN = re.compile(rf"(?![\n\t]){CONTROLS.pattern}")


def printable(text: str) -> str:
    r"""Escape control characters but ends of lines and tabs, as JSON does, which stays JSON.

    Examples
    --------
    >>> print(printable("a\x1b[2J"))
    a\u001b[2J
    """
    return _SIGN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def echo(text: str, *, err: bool = False, nl: bool = True, bold: bool = False) -> None:
    """Print a text: the only way in which the command line does.

    What goes to standard error is logged, too.
    """
    if err:
        LOG.info(text.rstrip("\n"))
    click.echo(click.style(printable(text), bold=True) if bold else printable(text), err=err, nl=nl)


SHOWN = 3
"""Names that are shown of those that a spreadsheet takes for formulas."""


def formulas_note(names: Sequence[str], number: int) -> str:
    """Warn of names that a spreadsheet computes, of which there are so many."""
    more = number - len(names[:SHOWN])
    said = listed(map(shown, names[:SHOWN])) + (f" and {more:,} more" if more else "")
    return f"a spreadsheet takes {said} for a formula; import these columns as text"
