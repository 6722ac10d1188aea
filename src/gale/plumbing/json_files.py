"""JSON files whose lists need not be in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any


def write_json(file: IO[str], facts: Mapping[str, Any]) -> None:
    """Write a mapping as ``json.dumps(facts, indent=1)`` does; an iterator in it is a list.

    Examples
    --------
    >>> import sys
    >>> write_json(sys.stdout, {"runs": 2, "failed": iter(["a.csv", "b.csv"]), "odd": iter([])})
    {
     "runs": 2,
     "failed": [
      "a.csv",
      "b.csv"
     ],
     "odd": []
    }
    """
    file.write("{")
    for number, (key, value) in enumerate(facts.items()):
        file.write(f"{',' if number else ''}\n {json.dumps(key)}: ")
        if not isinstance(value, Iterator):
            file.write(_indented(value, 1))
            continue
        has_items = False
        for each in value:
            file.write(f"{',' if has_items else '['}\n  {_indented(each, 2)}")
            has_items = True
        file.write("\n ]" if has_items else "[]")
    file.write("\n}\n" if facts else "}\n")


def _indented(value: Any, depth: int) -> str:
    return json.dumps(value, indent=1).replace("\n", "\n" + " " * depth)
