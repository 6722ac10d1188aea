"""Measure the structure of a package: its rooms, who imports whom, and what has become large.

    python tools/structure.py [ROOT]
    python tools/structure.py ROOT_BEFORE ROOT_AFTER
    python tools/structure.py [ROOT] --drawing docs/architecture.svg

ROOT is a checkout with a package below src/; the layers are those of import-linter's contract in
its pyproject.toml. A room is what lies directly below the package: a package, or a module. Imports
are pairs: of files, or of rooms. The drawing shows rooms on their layers and who imports whom, in
lines that are as wide as there are imports between files. Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

LONG_FILE, LONG_FUNCTION = 300, 40
"""Lines; those of a function are counted without its docstring."""

SIGNATURES = {
    "train": ("train",),
    "pretrain": ("pretrain",),
    "what fits members": ("MemberFitter", "Trainer"),
}
"""What the parameters of are counted, and its names over time."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Edge = tuple[str, str]


@dataclass(frozen=True)
class Tree:
    """The package of a checkout.

    Parameters
    ----------
    package : Path
        Its folder.
    layers : sequence of sequences of str
        Its rooms from top to bottom, as the contract has them; empty without one.
    """

    package: Path
    layers: Sequence[Sequence[str]]

    @classmethod
    def read(cls, root: Path) -> Tree:
        """Find the package of a checkout, and its contract."""
        packages = sorted(path.parent for path in (root / "src").glob("*/__init__.py"))
        if len(packages) != 1:
            sys.exit(f"{root}/src: expected one package, found {len(packages)}")
        project = root / "pyproject.toml"
        tools = (
            tomllib.loads(project.read_text("utf-8")).get("tool", {}) if project.exists() else {}
        )
        contracts = tools.get("importlinter", {}).get("contracts", [])
        layers: list[str] = next(
            (each["layers"] for each in contracts if each["type"] == "layers"), []
        )
        return cls(packages[0], [_siblings(layer) for layer in layers])

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """The syntax of every file, by the name of its module."""
        found = {}
        for path in sorted(self.package.rglob("*.py")):
            parts = path.relative_to(self.package.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text("utf-8"))
        return found

    @cached_property
    def lines(self) -> dict[str, int]:
        """The length of every file."""
        paths = sorted(self.package.rglob("*.py"))
        return {str(path): len(path.read_text("utf-8").splitlines()) for path in paths}

    @cached_property
    def edges(self) -> set[Edge]:
        """Pairs of modules of which the first imports the second."""
        return {
            (name, imported)
            for name, tree in self.modules.items()
            for imported in map(self._module_of, _imports(name, tree, self._is_package(name)))
            if imported and imported != name
        }

    @cached_property
    def rooms(self) -> list[str]:
        """What lies directly below the package."""
        return sorted({self.room(name) for name in self.modules} - {"", "__main__"})

    @cached_property
    def room_edges(self) -> Counter[Edge]:
        """Pairs of rooms of which the first imports the second, and how many files do so."""
        pairs = ((self.room(importer), self.room(imported)) for importer, imported in self.edges)
        known = set(self.rooms)
        return Counter(pair for pair in pairs if pair[0] != pair[1] and set(pair) <= known)

    @property
    def upward(self) -> list[Edge]:
        """Imports of rooms on a higher layer, or of others on the same one."""
        level = {room: n for n, layer in enumerate(self.layers) for room in layer}
        return sorted(
            (importer, imported)
            for importer, imported in self.edges
            if self.room(importer) != self.room(imported)
            and {self.room(importer), self.room(imported)} <= level.keys()
            and level[self.room(importer)] >= level[self.room(imported)]
        )

    @property
    def functions(self) -> Iterator[tuple[str, int]]:
        """Every function with its length."""
        for name, tree in self.modules.items():
            for node in ast.walk(tree):
                if isinstance(node, Function):
                    yield f"{name}.{node.name}", _length(node)

    def parameters(self, name: str) -> int | None:
        """Count the parameters of a function or class outside the command line; None without it."""
        for module, tree in self.modules.items():
            for node in tree.body:
                if self.room(module) != "cli" and getattr(node, "name", "") == name:
                    return _count_parameters(node)
        return None

    def room(self, module: str) -> str:
        """Name the room of a module; empty for the package itself."""
        return module.split(".")[1] if "." in module else ""

    def _module_of(self, name: str) -> str:
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name

    def _is_package(self, module: str) -> bool:
        return (self.package.parent.joinpath(*module.split(".")) / "__init__.py").exists()


def _siblings(layer: str) -> list[str]:
    return [name.strip("() ") for name in layer.replace(":", "|").split("|")]


def _imports(module: str, tree: ast.Module, is_package: bool) -> Iterator[str]:
    """Give the dotted names that a file imports, with what it imports from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            base = parts[: len(parts) - node.level + is_package] if node.level else []
            base += [node.module] if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _length(node: Function) -> int:
    assert node.end_lineno is not None
    length = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        assert docstring.end_lineno is not None
        length -= docstring.end_lineno - docstring.lineno + 1
    return length


def _count_parameters(node: ast.AST) -> int:
    if isinstance(node, Function):
        of = node.args
        return len(of.posonlyargs) + len(of.args) + len(of.kwonlyargs)
    assert isinstance(node, ast.ClassDef)
    for each in node.body:
        if isinstance(each, Function) and each.name == "__init__":
            return _count_parameters(each) - 1
    return sum(isinstance(each, ast.AnnAssign) for each in node.body)


def circles(edges: Iterable[Edge]) -> list[list[str]]:
    """Give the groups of names that reach each other, by Tarjan's algorithm."""
    following: dict[str, list[str]] = {}
    for importer, imported in sorted(edges):
        following.setdefault(importer, []).append(imported)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in following.get(name, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            at = stack.index(name)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in following:
        if name not in index:
            visit(name)
    return sorted(found)


def measures(tree: Tree) -> dict[str, str]:
    """Measure a tree: the rows of the table."""
    top = [path for path in tree.package.iterdir() if path.name != "__pycache__"]
    lengths = dict(tree.functions)
    longest = max(lengths, key=lengths.__getitem__, default="")
    found = {
        f"entries at the top of src/{tree.package.name}": len(top),
        "rooms": len(tree.rooms),
        "files": len(tree.modules),
        "lines": sum(tree.lines.values()),
        "imports between files": len(tree.edges),
        "imports between rooms": len(tree.room_edges),
        "circles of files": len(circles(tree.edges)),
        "circles of rooms": len(circles(tree.room_edges)),
        "upward imports": len(tree.upward) if tree.layers else None,
        f"files over {LONG_FILE} lines": sum(n > LONG_FILE for n in tree.lines.values()),
        f"functions over {LONG_FUNCTION} lines": sum(n > LONG_FUNCTION for n in lengths.values()),
        "lines of the longest function": lengths.get(longest),
    }
    for what, names in SIGNATURES.items():
        counts = (tree.parameters(name) for name in names)
        found[f"parameters of {what}"] = next((n for n in counts if n is not None), None)
    return {name: "" if value is None else f"{value:,}" for name, value in found.items()}


def details(tree: Tree) -> Iterator[str]:
    """Name what should not be there: circles, and upward imports."""
    yield from (f"circle: {', '.join(each)}" for each in circles(tree.edges))
    yield from (f"upward: {importer} imports {imported}" for importer, imported in tree.upward)
    lengths = dict(tree.functions)
    if lengths:
        yield f"longest function: {max(lengths, key=lengths.__getitem__)}"


def table(columns: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Write measures side by side, one column per tree."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    first = max(map(len, names))
    widths = [max(len(title), *map(len, of.values())) for title, of in columns.items()]
    header = (title.rjust(width) for title, width in zip(columns, widths, strict=True))
    yield "  ".join(["".ljust(first), *header])
    for name in names:
        cells = (of.get(name, "").rjust(w) for of, w in zip(columns.values(), widths, strict=True))
        yield "  ".join([name.ljust(first), *cells]).rstrip()


BOX_WIDTH, BOX_HEIGHT = 118, 38
ROW, CLOSE_ROW = 104, 60
"""Distance from one layer to the next, with lines between them and without."""

GAP, TRUNK_GAP, MARGIN = 26, 30, 28
WIDTHS = ((10, 6.5), (5, 4.5), (2, 2.8), (1, 1.5))
"""Least number of imports of a line, and its width; few widths, so that few changes show."""

COLOURS = ("#4c78a8", "#e0812b", "#54a24b", "#a66a9c", "#3f9c96", "#c85a7c", "#9d755d", "#7377c9",
           "#96962e", "#3b93c6", "#7f8894", "#b5894a")  # fmt: skip

STYLE = """
  .paper { fill: #ffffff; } .layer { fill: #f4f5f7; } .box { fill: #ffffff; stroke-width: 1.6; }
  .slab { fill: #e6e9ee; stroke: #b9c0ca; } .plain { stroke: #8a929e; }
  text { fill: #1d232b; font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .name { font-weight: 600; text-anchor: middle; } .note { font-size: 12px; fill: #59626e; }
  .end { text-anchor: end; }
  .line { fill: none; stroke-linecap: round; }
  .upward { fill: none; stroke: #d62728; stroke-width: 2; stroke-dasharray: 6 4; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14181d; } .layer { fill: #1b2027; } .box { fill: #14181d; }
    .slab { fill: #29313b; stroke: #48525f; } .plain { stroke: #7d8794; }
    text { fill: #e8ecf1; } .note { fill: #a3adb9; }
  }
"""

Node = tuple[str, int]
"""A room and a row: its own row, or one that lines to it pass through."""


def drawing(tree: Tree) -> str:
    """Draw the rooms on their layers, and who imports whom, as SVG."""
    if not tree.layers:
        sys.exit(
            f"{tree.package}: no contract of layers in pyproject.toml, which the drawing needs"
        )
    return "\n".join(_svg(Layout.of(tree), tree)) + "\n"


@dataclass(frozen=True)
class Layout:
    """Where everything is drawn.

    Parameters
    ----------
    rows : list of list of Node
        From top to bottom, and from left to right.
    x : mapping of Node to its centre
    y : list of the top of each row
    links : mapping of two Nodes in neighbouring rows to a number of imports
    slabs : mapping of a room to its note
        Rooms that import nearly all others, or that nearly all others import: they are as wide as
        the drawing, and have a note in place of lines.
    upward : list of pairs of rooms
    """

    rows: list[list[Node]]
    x: dict[Node, int]
    y: list[int]
    links: Counter[tuple[Node, Node]]
    slabs: dict[str, str]
    upward: list[Edge]

    @classmethod
    def of(cls, tree: Tree) -> Layout:
        """Lay a tree out."""
        level = {room: n for n, layer in enumerate(tree.layers) for room in layer}
        slabs = _slabs(tree, level)
        links: Counter[tuple[Node, Node]] = Counter()
        upward = []
        for (importer, imported), count in sorted(tree.room_edges.items()):
            if not {importer, imported} <= level.keys():
                continue
            if level[importer] >= level[imported]:
                upward.append((importer, imported))
            elif not {importer, imported} & slabs.keys():
                begin = (importer, level[importer])
                for row in range(level[importer] + 1, level[imported] + 1):
                    links[begin, (imported, row)] += count
                    begin = (imported, row)
        rows: list[list[Node]] = [
            [(room, n) for room in layer] for n, layer in enumerate(tree.layers)
        ]
        for _, node in links:
            if node not in rows[node[1]]:
                rows[node[1]].append(node)
        rows = _ordered(rows, links)
        x = _placed([[each for each in row if each[0] not in slabs] for row in rows], links, level)
        y, linked = [MARGIN], {a[1] for a, _ in links}
        for n in range(len(rows) - 1):
            y.append(y[-1] + (ROW if n in linked else CLOSE_ROW))
        return cls(rows, x, y, links, slabs, upward)


def _slabs(tree: Tree, level: Mapping[str, int]) -> dict[str, str]:
    """Find the rooms at the top that import two thirds of all below, and at the bottom likewise."""
    slabs: dict[str, str] = {}
    for layers, verb, side in (
        (tree.layers, "imports", "below"),
        (tree.layers[::-1], "imported by", "above"),
    ):
        for layer in layers[: len(layers) // 2]:
            sign = 1 if side == "below" else -1
            beyond = [each for each in level if sign * level[each] > sign * level[layer[0]]]
            pairs = [(layer[0], each)[::sign] for each in beyond]
            count = sum(pair in tree.room_edges for pair in pairs)
            if len(layer) > 1 or count < 2 / 3 * len(beyond):
                break
            slabs[layer[0]] = f"{verb} {count} of the {len(beyond)} rooms {side}"
    return slabs


def _ordered(rows: list[list[Node]], links: Counter[tuple[Node, Node]]) -> list[list[Node]]:
    """Order each row by the middle of its neighbours, and keep the order with fewest crossings."""
    best, fewest = rows, _crossings(rows, links)
    for sweep in range(40):
        rows = [list(row) for row in rows]
        downward = sweep % 2 == 0
        for n in range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1):
            place = {node: i / len(row) for row in rows for i, node in enumerate(row, start=1)}
            rows[n].sort(key=lambda node: _middle(node, links, place, downward))
        if (crossings := _crossings(rows, links)) < fewest:
            best, fewest = rows, crossings
    return best


def _middle(
    node: Node, links: Counter[tuple[Node, Node]], place: Mapping[Node, float], downward: bool
) -> float:
    pairs = ((a, b) if downward else (b, a) for a, b in links)
    places = [place[other] for other, here in pairs if here == node]
    return sum(places) / len(places) if places else place[node]


def _crossings(rows: list[list[Node]], links: Counter[tuple[Node, Node]]) -> int:
    at = {node: i for row in rows for i, node in enumerate(row)}
    ends = [(a[1], at[a], at[b]) for a, b in links]
    return sum(r == s and (a - c) * (b - d) < 0 for r, a, b in ends for s, c, d in ends) // 2


def _placed(
    rows: list[list[Node]], links: Counter[tuple[Node, Node]], level: Mapping[str, int]
) -> dict[Node, int]:
    """Place nodes beneath their neighbours, as far as those beside them leave room."""

    def half(node: Node) -> float:
        return (BOX_WIDTH + GAP) / 2 if level[node[0]] == node[1] else TRUNK_GAP / 2

    x: dict[Node, float] = {
        node: i * (BOX_WIDTH + GAP) for row in rows for i, node in enumerate(row)
    }
    near: dict[Node, list[tuple[Node, int]]] = {node: [] for node in x}
    for a, b in links:
        weight = 4 if level[a[0]] != a[1] and level[b[0]] != b[1] else 1
        near[a].append((b, weight))
        near[b].append((a, weight))
    for _ in range(60):
        for row in (*rows, *rows[-2::-1]):
            wanted = [
                sum(x[other] * weight for other, weight in near[node])
                / sum(weight for _, weight in near[node])
                if near[node]
                else x[node]
                for node in row
            ]
            x |= dict(zip(row, _apart(wanted, [half(node) for node in row]), strict=True))
    left = min(at - half(node) for node, at in x.items())
    return {node: round(at - left + MARGIN) for node, at in x.items()}


def _apart(wanted: Sequence[float], half: Sequence[float]) -> list[float]:
    """Move places as little as can be until each has its room, in the same order.

    Pool adjacent violators: the least squares among places in order.
    """
    offset = [0.0] if half else []
    for one, other in pairwise(half):
        offset.append(offset[-1] + one + other)
    pools: list[tuple[float, int]] = []
    for place, needed in zip(wanted, offset, strict=True):
        mean, count = place - needed, 1
        while pools and pools[-1][0] > mean:
            other, number = pools.pop()
            mean, count = (mean * count + other * number) / (count + number), count + number
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + needed for mean, needed in zip(means, offset, strict=True)]


def _svg(layout: Layout, tree: Tree) -> Iterator[str]:
    own = {room: (room, n) for n, layer in enumerate(tree.layers) for room in layer}
    width = round(max(layout.x.values()) + BOX_WIDTH / 2 + MARGIN)
    height = layout.y[-1] + BOX_HEIGHT + MARGIN + 22
    imported = dict.fromkeys(b[0] for row in layout.rows for b in row if _enters(b, layout))
    colour = {room: COLOURS[n % len(COLOURS)] for n, room in enumerate(imported)}
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="The rooms of {tree.package.name}">'
    )
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="paper" width="{width}" height="{height}" rx="10"/>'
    for n, row in enumerate(layout.rows):
        if row[0][0] not in layout.slabs:
            yield (
                f'<rect class="layer" x="12" y="{layout.y[n] - 9}" width="{width - 24}" '
                f'height="{BOX_HEIGHT + 18}" rx="8"/>'
            )
    yield from _lines(layout, own, colour)
    for room, node in own.items():
        y, slab = layout.y[node[1]], layout.slabs.get(room)
        middle, wide = (width // 2, width - 24) if slab else (layout.x[node], BOX_WIDTH)
        kind = "slab" if slab else "box" if room in colour else "box plain"
        line = "" if slab or room not in colour else f' style="stroke: {colour[room]}"'
        yield (
            f'<rect class="{kind}" x="{middle - wide // 2}" y="{y}" width="{wide}" '
            f'height="{BOX_HEIGHT}" rx="7"{line}/>'
        )
        yield f'<text class="name" x="{middle}" y="{y + 24}">{room}</text>'
        if slab:
            yield f'<text class="note end" x="{width - 28}" y="{y + 24}">{slab}</text>'
    yield (
        f'<text class="note" x="16" y="{height - 16}">An arrow goes from a room to one that it '
        "imports; the wider, the more imports.</text>"
    )
    yield "</svg>"


def _enters(node: Node, layout: Layout) -> bool:
    return any(b == node for _, b in layout.links)


def _lines(layout: Layout, own: Mapping[str, Node], colour: Mapping[str, str]) -> Iterator[str]:
    """Draw the lines; those to the same room join on their way, and end in one arrow."""
    for (a, b), count in sorted(layout.links.items(), key=lambda link: -link[1]):
        leaving = sorted(
            (end for begin, end in layout.links if begin == a), key=lambda end: layout.x[end]
        )
        port = (leaving.index(b) - (len(leaving) - 1) / 2) * min(16, 84 / len(leaving))
        ends = own[b[0]] == b
        x, y = round(layout.x[a] + port), layout.y[a[1]] + BOX_HEIGHT
        to, end = layout.x[b], layout.y[b[1]] - (9 if ends else 0)
        bend = (end - y) // 2
        path = f"M{x} {y}C{x} {y + bend} {to} {end - bend} {to} {end}"
        path += "" if ends else f"v{BOX_HEIGHT}"
        wide = next(width for least, width in WIDTHS if count >= least)
        yield f'<path class="line" d="{path}" stroke="{colour[b[0]]}" stroke-width="{wide}"/>'
    for room, shade in colour.items():
        x, y = layout.x[own[room]], layout.y[own[room][1]]
        yield f'<path d="M{x - 7} {y - 11}h14l-7 11z" fill="{shade}"/>'
    for importer, imported in layout.upward:
        (x, row), (to, other) = (
            (layout.x[own[room]], own[room][1]) for room in (importer, imported)
        )
        y, end = layout.y[row], layout.y[other] + (BOX_HEIGHT if other < row else 0)
        yield f'<path class="upward" d="M{x} {y}C{x} {y - 60} {to} {end + 60} {to} {end}"/>'


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write the drawing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "roots", type=Path, nargs="*", default=[Path()], metavar="ROOT", help="a checkout"
    )
    parser.add_argument("--drawing", type=Path, metavar="FILE", help="write an SVG instead")
    asked = parser.parse_args(arguments)
    trees = [Tree.read(root) for root in asked.roots]
    if asked.drawing is not None:
        asked.drawing.write_text(drawing(trees[-1]), "utf-8")
        return
    titles = ("before", "after") if len(trees) == 2 else map(str, asked.roots)
    columns = {title: measures(tree) for title, tree in zip(titles, trees, strict=True)}
    print("\n".join(table(columns)))
    print("", *details(trees[-1]), sep="\n")


if __name__ == "__main__":
    main()
