"""Write docs/commands.md: the help of every command, as the commands print it.

python docs/commands.py > docs/commands.md
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from gale.cli import VERBS, group

WIDTH = 100


def page() -> str:
    """The whole page."""
    parts = [
        "# Commands",
        "Made by `docs/commands.py`; every command also answers to `--help`.",
        "Exit status: 0 when all went well; 1 when some runs of a batch could not be read, and the "
        "others\nwere done; 2 for an error, which is one line on standard error; 130 after Ctrl-C, "
        "143 after\nSIGTERM ([outputs.md](outputs.md)).",
    ]
    for verb in sorted(VERBS):
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        parts += sections(f"gale {verb}", command)
    return "\n\n".join(parts)


def sections(name: str, command: click.Command) -> Iterator[str]:
    """The help of a command, and of those below it."""
    context = click.Context(command, info_name=name, max_content_width=WIDTH)
    context.terminal_width = WIDTH
    yield f"## {name}"
    yield f"```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for word, below in sorted(command.commands.items()):
            yield from sections(f"{name} {word}", below)


if __name__ == "__main__":
    click.echo(page())
