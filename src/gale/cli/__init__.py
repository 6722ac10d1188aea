"""The command line: one thin module per verb (parse, call, print)."""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from pathlib import Path

import click

from gale.cli.interruption import signals_interrupt, status_of
from gale.cli.logs import logged
from gale.cli.outputs import WRITTEN_HERE
from gale.cli.printing import echo
from gale.cli.wording import error_text
from gale.errors import GaleError, GaleWarning
from gale.plumbing.remote import STORAGE

VERBS = (
    "ablate",
    "cache",
    "convert",
    "crate",
    "demo",
    "evaluate",
    "export",
    "features",
    "inspect",
    "labels",
    "library",
    "peaks",
    "plot",
    "predict",
    "recalibrate",
    "report",
    "serve",
    "simulate",
    "train",
    "watch",
)


class LazyGroup(click.Group):
    """A group that imports the module of a verb only when the verb is used or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the verbs, sorted."""
        return sorted(VERBS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import ``gale.cli.<verb>`` and return its ``command``."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"gale.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gale-ms", prog_name="gale")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Say on standard error what is read and written, and how long it took.",
)
@click.option(
    "--log-file",
    type=WRITTEN_HERE,
    help="Append that, and all that is said on standard error, to this file, with times.",
)
@click.pass_context
def group(context: click.Context, verbose: bool, log_file: Path | None) -> None:
    """Predict which compound families are in a GC-MS run, and how probable each is.

    -v and --log-file come before the verb: gale -v predict run.cdf
    """
    context.with_resource(logged(sys.argv[1:], verbose=verbose, file=log_file))
    # verbs print what the library warns of in Python
    context.with_resource(warnings.catch_warnings())
    warnings.simplefilter("ignore", GaleWarning)


def main() -> None:
    """Run the command line.

    A GaleError is one line on standard error and exit status 2, and so is a disk that is full or
    cannot be written. Ctrl-C is exit status 130, SIGTERM 143. Any other exception is a bug and
    keeps its traceback.
    """
    _accept_all_characters()
    try:
        with signals_interrupt():
            status = group.main(standalone_mode=False)
            sys.stdout.flush()
        sys.exit(status)
    except GaleError as error:
        echo(f"gale: {error_text(error)}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        echo(shown.getvalue(), err=True, nl=False)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        echo("gale: interrupted", err=True)
        interruption = error.__cause__ if isinstance(error, click.Abort) else error
        sys.exit(status_of(interruption or error))
    except OSError as error:
        if error.errno not in STORAGE:
            raise
        echo(f"gale: {error.filename or 'output'}: cannot be written ({error.strerror})", err=True)
        sys.exit(2)


def _accept_all_characters() -> None:
    """Print what a console cannot show as question marks; what is redirected is UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=None if stream.isatty() or stream is sys.stderr else "utf-8",
                errors="replace",
            )
