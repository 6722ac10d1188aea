"""Changes to the structure of small inputs: tables, texts, nested values, XML, sets of files."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lxml import etree

T = TypeVar("T")

WORDS = (
    *("", " ", "0", "-0", "1", "-1", "1.0", "0,5", "1,234", "1e308", "1e999", "-1e-320", "nan"),
    *("99999999999999999999", "2147483648", "0x10", "1_000", "True", "null", "None", "-", "'", '"'),
    *("\0", "é", "\ud7ff", "\U0001f30b", "\u202e", "a" * 5000, "=1+1", "../x", "a\nb", "a\rb"),
    *("{", "[", "inf", "time", "mass", "intensity", "run", "status", "ok", "failed", "m/z 18"),
    *("alcohol", "name"),
)  # fmt: skip
"""Texts that a cell, an attribute or a key may have by accident."""

NUMBERS = (0, 1, -1, 2**31, 2**63, 10**30, 0.5, 1e308, 5e-324, float("nan"), float("inf"), True)

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp037")


def any_value(rng: random.Random) -> Any:
    """A value of any kind that JSON or TOML may have."""
    return rng.choice(
        [rng.choice(WORDS), rng.choice(NUMBERS), None, [], {}, [rng.choice(NUMBERS)],
         [[rng.choice(WORDS)]], {rng.choice(WORDS): rng.choice(NUMBERS)}]
    )  # fmt: skip


def several(rng: random.Random, change: Callable[[random.Random, T], T], value: T) -> T:
    """Apply a change once to five times; more are rare."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        value = change(rng, value)
    return value


def encode(rng: random.Random, text: str) -> bytes:
    """Encode text, mostly in UTF-8; now and then other bytes get into it, or an end is lost."""
    encoding = rng.choice(ENCODINGS) if rng.random() < 0.15 else "utf-8"
    data = text.encode(encoding, "replace")
    if rng.random() < 0.1:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice([b"\0", b"\xff", b"\xe9", b"\r", b"\x1a"]) + data[at:]
    if rng.random() < 0.05:
        data = data[: rng.randrange(len(data) + 1)]
    return data


Grid = list[list[str]]


def change_grid(rng: random.Random, grid: Grid) -> Grid:
    """Change the rows, columns or cells of a table."""
    grid = [list(row) for row in grid]
    if not grid or not any(grid):
        return [[rng.choice(WORDS)]]
    change = rng.choice([_change_cell, _change_cell, _change_rows, _change_columns])
    change(rng, grid)
    return grid


def _change_cell(rng: random.Random, grid: Grid) -> None:
    cells = rng.choice([grid[0], rng.choice(grid)])
    if cells:
        cells[rng.randrange(len(cells))] = rng.choice(WORDS)


def _change_rows(rng: random.Random, grid: Grid) -> None:
    row = rng.randrange(len(grid))
    match rng.choice(["drop", "repeat", "swap", "short", "long", "blank", "again"]):
        case "drop":
            del grid[row]
        case "repeat":
            grid.insert(row, list(grid[row]))
        case "swap":
            grid[row], grid[0] = grid[0], grid[row]
        case "short":
            grid[row] = grid[row][:-1]
        case "long":
            grid[row] = [*grid[row], *rng.choices(WORDS, k=3)]
        case "blank":
            grid.insert(row, [])
        case _:
            grid += [list(cells) for cells in grid]


def _change_columns(rng: random.Random, grid: Grid) -> None:
    width = max(map(len, grid))
    at, other, word = rng.randrange(width), rng.randrange(width), rng.choice(WORDS)
    change = rng.choice(["drop", "repeat", "swap", "fill"])
    for cells in grid:
        if max(at, other) >= len(cells):
            continue
        match change:
            case "drop":
                del cells[at]
            case "repeat":
                cells.insert(other, cells[at])
            case "swap":
                cells[at], cells[other] = cells[other], cells[at]
            case _:
                cells[at] = word


def table(rng: random.Random, grid: Grid) -> bytes:
    """Write a changed table, in one of the ways in which tables are written."""
    grid = several(rng, change_grid, grid)
    mark = rng.choice([",", ",", ",", ";", "\t", "|", " "])
    quoted = rng.random() < 0.1
    end = rng.choice(["\n", "\n", "\r\n", "\r"])
    rows = (mark.join(f'"{cell}"' if quoted else cell for cell in cells) for cells in grid)
    return encode(rng, end.join(rows) + rng.choice([end, end, ""]))


def change_lines(rng: random.Random, lines: list[str]) -> list[str]:
    """Change the lines of a text, or a word of one."""
    lines = list(lines) or [""]
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.choice(["drop", "repeat", "swap", "word", "word", "label", "insert", "again"]):
        case "drop":
            del lines[at]
        case "repeat":
            lines.insert(other, lines[at])
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
        case "word":
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            lines[at] = " ".join(words)
        case "label":
            label, colon, rest = lines[at].partition(rng.choice([":", "="]))
            lines[at] = rng.choice([rng.choice(WORDS) + colon + rest, label + colon, label, rest])
        case "insert":
            lines.insert(at, rng.choice(WORDS))
        case _:
            lines += lines
    return lines


def text(rng: random.Random, original: str) -> bytes:
    """Write a text with changed lines."""
    lines = several(rng, change_lines, original.split("\n"))
    return encode(rng, rng.choice(["\n", "\n", "\r\n"]).join(lines))


def change_nested(rng: random.Random, value: Any) -> Any:
    """Drop, add, rename or retype something at any depth of mappings and lists."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return any_value(rng)
    inside, key = rng.choice(places)
    match rng.choice(["drop", "retype", "retype", "rename", "wrap", "repeat", "grow"]):
        case "drop":
            del inside[key]
        case "rename" if isinstance(inside, dict):
            inside[rng.choice(WORDS)] = inside.pop(key)
        case "wrap":
            inside[key] = rng.choice([[inside[key]], {"a": inside[key]}, str(inside[key])])
        case "repeat" if isinstance(inside, list):
            inside.insert(key, inside[key])
        case "grow" if isinstance(inside[key], dict):
            inside[key][rng.choice(WORDS)] = any_value(rng)
        case _:
            inside[key] = any_value(rng)
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every item of every mapping and list."""
    if not isinstance(value, dict | list):
        return []
    found: list[tuple[Any, Any]] = []
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found += [(value, key), *_places(each)]
    return found


def toml(value: Any) -> str:
    """Write nested values as TOML, as far as it can hold them."""
    if not isinstance(value, dict):
        return _inline(value)
    return "".join(f"{json.dumps(str(key))} = {_inline(each)}\n" for key, each in value.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(key))} = {_inline(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf").replace("null", '""')


def change_xml(rng: random.Random, root: etree._Element) -> etree._Element:
    """Drop, repeat, move or rename an element, or change an attribute or a text."""
    root = copy.deepcopy(root)
    elements = [each for each in root.iter() if isinstance(each.tag, str)]
    element, other = rng.choice(elements), rng.choice(elements)
    parent = element.getparent()
    word = "".join(sign for sign in rng.choice(WORDS) if sign.isprintable())
    match rng.choice(
        ["drop", "repeat", "move", "rename", "attribute", "attribute", "text", "lose"]
    ):
        case "drop" if parent is not None:
            parent.remove(element)
        case "repeat" if parent is not None:
            parent.append(copy.deepcopy(element))
        case "move" if parent is not None and element not in other.iterancestors():
            if other is not element:
                other.append(element)
        case "rename":
            element.tag = other.tag
        case "text":
            element.text = word
        case "lose" if element.attrib:
            del element.attrib[rng.choice(list(element.attrib))]
        case _ if element.attrib:
            key = rng.choice(list(element.attrib))
            element.attrib[key] = rng.choice([word, *other.attrib.values()])
        case _:
            element.text = word
    return root


def xml(rng: random.Random, data: bytes) -> bytes:
    """Write XML with a changed tree."""
    root = several(rng, change_xml, etree.fromstring(data))
    return etree.tostring(root, xml_declaration=rng.random() < 0.5, encoding="utf-8")


def change_files(rng: random.Random, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Drop, rename, exchange, empty, cut or copy a file of a folder."""
    files = dict(files) or {"a": b""}
    name, other = rng.choice(list(files)), rng.choice(list(files))
    match rng.choice(["drop", "rename", "swap", "empty", "cut", "copy", "case", "into", "fill"]):
        case "drop":
            del files[name]
        case "rename":
            files[rng.choice(["a", "b.d", "_FUNC002.DAT", "MSProfile.bin", "x.ms"])] = files.pop(
                name
            )
        case "swap":
            files[name], files[other] = files[other], files[name]
        case "empty":
            files[name] = b""
        case "cut":
            files[name] = files[name][: rng.randrange(len(files[name]) + 1)]
        case "copy":
            files[f"copy of {name}"] = files[name]
        case "case":
            files[name.swapcase()] = files.pop(name)
        case "into":
            files[f"folder/{name}"] = files.pop(name)
        case _:
            files[name] = rng.choice(
                [b"\0" * 200, b"\xff" * 200, b"<a/>", b"\n", rng.randbytes(300)]
            )
    return files
