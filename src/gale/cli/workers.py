"""The options that say who works on runs: processes, or workers of Dask."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource


def workers_options(
    text: str = "Processes that work on runs.", **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--workers`` and ``--dask``: the parameter ``workers`` is a number or an address.

    :func:`gale.cli.working.executor_of` makes an executor of it.

    Parameters
    ----------
    text : str
        Help of ``--workers``.
    **more
        Other settings of it, such as its default.
    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(workers: int, dask: str | None, **others: Any) -> Any:
            asked = click.get_current_context().get_parameter_source("workers")
            if dask is not None and asked is ParameterSource.COMMANDLINE:
                raise click.UsageError("--workers and --dask both say who works; leave one out")
            return function(workers=workers if dask is None else dask, **others)

        settings = {"default": 1, "show_default": True, **more}
        of_dask = click.option(
            "--dask",
            metavar="ADDRESS",
            help="Let workers of Dask work on runs: ADDRESS is that of a scheduler, its scheduler "
            "file, or local:4 for four processes here.",
        )
        return click.option("--workers", type=click.IntRange(1), help=text, **settings)(
            of_dask(call)
        )

    return add
