"""The command that is running, as a reader could type it again."""

from __future__ import annotations

import os
import shlex

import click
from click.core import ParameterSource

from gale.plumbing.text import display_name


def typed_command() -> str:
    """Write the command that is running, with every option that differs from its default."""
    context = above = click.get_current_context()
    words: list[str] = []
    while above.parent is not None:
        words.insert(0, above.info_name or "")
        above = above.parent
    words.insert(0, "gale")  # however it was started
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        value = context.params[name]
        if isinstance(parameter, click.Argument):
            words += map(_word, value if parameter.nargs != 1 else [value])
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[-1])
        else:
            values = value if parameter.multiple else [value]
            words += [word for each in values for word in (parameter.opts[-1], _word(each))]
    return shlex.join(words)


def _word(value: object) -> str:
    return display_name(value) if isinstance(value, str | os.PathLike) else str(value)
