"""Notebooks executed cell by cell, without Jupyter."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

FORMS = ("_repr_html_", "_repr_png_")
"""How the last value of a cell may show itself."""


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return cells


def execute(path: Path) -> list[Any]:
    """Run the code cells one after the other, show the last value of each, and return these."""
    names: dict[str, Any] = {"__name__": "__main__"}
    values = []
    for number, cell in enumerate(cells_of(path), start=1):
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]), f"{path.name}: cell {number}")
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), path.name, "eval"), names)
            shown = [getattr(value, form)() for form in FORMS if hasattr(value, form)]
            assert any(shown) or not shown, f"{path.name}: cell {number} shows nothing"
            values.append(value)
    return values
