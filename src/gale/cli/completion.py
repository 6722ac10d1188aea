"""What a shell completes beside names of files: recipes, and libraries that were added."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from gale.errors import GaleError

Function = TypeVar("Function", bound=Callable[..., Any])


def complete_recipe(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Name the recipes that come with gale; without one, the shell names files."""
    folder = resources.files("gale") / "training" / "recipes"
    names = sorted(each.name.removesuffix(".toml") for each in folder.iterdir())
    return _items(names, begun)


def complete_library(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Name what comes with gale and the libraries that were added."""
    from gale.library.choice import FURTHER, OWN
    from gale.library.installed import installed_names

    try:
        added = installed_names()
    except GaleError:
        added = []
    return _items([OWN, FURTHER, *added], begun)


LIBRARY_NAMES: dict[str, Any] = {
    "metavar": "NAME | PATH",
    "shell_complete": complete_library,
}
"""What options of libraries have in common."""


def recipe_option(default: str, text: str) -> Callable[[Function], Function]:
    """Add ``--recipe``."""
    return click.option(
        "--recipe",
        default=default,
        show_default=True,
        shell_complete=complete_recipe,
        help=text,
    )


def _items(names: list[str], begun: str) -> list[CompletionItem]:
    found = [CompletionItem(name) for name in names if name.startswith(begun)]
    return found or [CompletionItem(begun, type="file")]
