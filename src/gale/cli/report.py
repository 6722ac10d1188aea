"""`gale report`: pages that people look at."""

from __future__ import annotations

import click

from gale.cli import report_run, report_training


@click.group(short_help="Make HTML pages of runs or of a training.")
def command() -> None:
    """Make HTML pages of runs or of a training, to open offline in a browser."""


command.add_command(report_run.command)
command.add_command(report_training.command)
