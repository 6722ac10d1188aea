"""Looking into pages."""

from __future__ import annotations

from typing import Any

from lxml import html


def parsed(page: str) -> Any:
    """The tree of a page."""
    return html.fromstring(page)


def text(element: Any) -> str:
    """The words of an element, with single spaces."""
    return " ".join(element.text_content().split())
