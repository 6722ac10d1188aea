"""Write docs/commands.md: the help of every command, as the commands print it.

python docs/commands.py > docs/commands.md
"""

from __future__ import annotations

import click

from gale.cli import VERBS, group

WIDTH = 100


def page() -> str:
    """The whole page."""
    parts = [
        "# Commands",
        "Made by `docs/commands.py`; every command also answers to `--help`.",
        "Exit status: 0 when all went well; 1 when some runs of a batch could not be read, and the "
        "others\nwere done; 2 for an error, which is one line on standard error; 130 after Ctrl-C.",
    ]
    for verb in sorted(VERBS):
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        context = click.Context(command, info_name=f"gale {verb}", max_content_width=WIDTH)
        context.terminal_width = WIDTH
        parts += [f"## gale {verb}", f"```text\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts)


if __name__ == "__main__":
    click.echo(page())
