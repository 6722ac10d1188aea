"""Parts of HTML; values are escaped, and only what is made here is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from gale.plumbing.text import escaped

MOST_LISTED = 12
"""Items of a list; the others are counted."""

_LINE = "border-bottom:1px solid rgba(128,128,128,.35)"
_CELL = f"padding:2px 14px 2px 0;white-space:nowrap;{_LINE}"


def block(title: str, facts: Iterable[str], *parts: Markup) -> str:
    """Put parts below a title and a line of facts."""
    head = Markup('<div style="font-weight:600">{}</div><div style="opacity:.75">{}</div>').format(
        escaped(title), escaped(" · ".join(facts))
    )
    style = "max-width:900px;line-height:1.45"
    return str(Markup('<div style="{}">{}</div>').format(style, head + Markup("").join(parts)))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Make a table: the first column is of names, the others of numbers."""

    def row(tag: str, cells: Sequence[str]) -> Markup:
        made = [
            Markup('<{0} style="text-align:{1};{2}">{3}</{0}>').format(
                tag, "left" if at == 0 else "right", _CELL, escaped(cell)
            )
            for at, cell in enumerate(cells)
        ]
        return Markup('<tr style="background:none">{}</tr>').format(Markup("").join(made))

    body = Markup("").join(row("td", cells) for cells in rows)
    head = row("th", header)
    style = "border-collapse:collapse;margin:8px 0;font-size:13px;font-variant-numeric:tabular-nums"
    return Markup(
        '<div style="overflow-x:auto"><table style="{}"><thead>{}</thead><tbody>{}</tbody></table>'
        "</div>"
    ).format(style, head, body)


def sentences(title: str, items: Sequence[str], none: str = "") -> Markup:
    """List sentences below a title; `none` stands for an empty list, which else is nothing."""
    if not items:
        return Markup("<div>{}</div>").format(none) if none else Markup("")
    shown = list(map(escaped, items[:MOST_LISTED]))
    if (more := len(items) - MOST_LISTED) > 0:
        shown.append(f"and {more:,} more")
    lines = Markup("").join(Markup("<li>{}</li>").format(each) for each in shown)
    return Markup('<div>{}<ul style="margin:2px 0 4px">{}</ul></div>').format(title, lines)


def folded(title: str, part: Markup) -> Markup:
    """Hide a part until it is asked for."""
    return Markup("<details><summary>{}</summary>{}</details>").format(title, part)
