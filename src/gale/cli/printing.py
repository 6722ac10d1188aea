"""What the command line prints, without control characters that names or contents of files have."""

from __future__ import annotations

import logging
import re

import click

from gale.errors import CONTROLS

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
