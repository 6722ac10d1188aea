"""How objects show themselves in a notebook.

What draws them is a room above theirs, which is found by its name when something is shown: objects
know nothing of pages, and importing them stays cheap.
"""

from __future__ import annotations

from importlib import import_module

ROOM = "gale.notebook"
"""The room with a function ``html_of`` for everything that shows itself."""


class ShownInNotebooks:
    """An object that a notebook shows as HTML; elsewhere its ``repr`` counts."""

    def _repr_html_(self) -> str:
        drawn: str = import_module(ROOM).html_of(self)
        return drawn
