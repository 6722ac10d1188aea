"""tools/structure.py, on a tiny tree with a known circle and a known upward import."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.structure import Tree, circles, details, drawing, measures, table

ROOT = Path(__file__).parents[2]

FILES = {
    "__init__.py": "from tiny import ground\n",
    "__main__.py": "from tiny.top import run\n",
    "ground.py": '"""Nothing."""\n',
    "left/__init__.py": "from . import deep\nfrom ..right import thing\n",
    "left/deep.py": "def pretrain(a, b, *, c):\n    import tiny.right.thing\n",
    "right/__init__.py": "from tiny.ground import x\n",
    "right/thing.py": "from tiny.right.other import y\n",
    "right/other.py": "from tiny.right import thing\nfrom tiny.top import run\n",
    "top.py": "from tiny.left.deep import pretrain\nimport tiny.left\n",
    "cli.py": "def train(): ...\n",
}
CONTRACT = """
[tool.importlinter]
root_package = "tiny"

[[tool.importlinter.contracts]]
type = "layers"
containers = ["tiny"]
layers = ["cli", "top", "(left) | right", "ground"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "src" / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "pyproject.toml").write_text(CONTRACT, "utf-8")
    return tmp_path


def long_function(lines: int) -> str:
    body = "\n".join(f"    x{n} = {n}" for n in range(lines - 1))
    return f'def train(a, b=1, *args, c=2, **more):\n    """Say\n\n    more.\n    """\n{body}\n'


def test_imports_are_those_of_files(root: Path) -> None:
    tree = Tree.read(root)
    assert tree.edges == {
        ("tiny", "tiny.ground"),
        ("tiny.__main__", "tiny.top"),
        ("tiny.left", "tiny.left.deep"),
        ("tiny.left", "tiny.right.thing"),
        ("tiny.left.deep", "tiny.right.thing"),
        ("tiny.right", "tiny.ground"),
        ("tiny.right.thing", "tiny.right.other"),
        ("tiny.right.other", "tiny.right.thing"),
        ("tiny.right.other", "tiny.top"),
        ("tiny.top", "tiny.left.deep"),
        ("tiny.top", "tiny.left"),
    }
    assert tree.rooms == ["cli", "ground", "left", "right", "top"]
    assert tree.room_edges == {
        ("left", "right"): 2,
        ("right", "ground"): 1,
        ("right", "top"): 1,
        ("top", "left"): 2,
    }


def test_circles_and_upward_imports_are_found(root: Path) -> None:
    tree = Tree.read(root)
    found = "\n".join(details(tree))
    assert "tiny.right.other imports tiny.top" in found
    # two rooms that the contract keeps apart count like a higher one
    assert {("tiny.right.other", "tiny.top"), ("tiny.left", "tiny.right.thing")} < set(tree.upward)
    assert circles(tree.room_edges) == [["left", "right", "top"]]
    (circle,) = circles(tree.edges)
    assert {"tiny.right.thing", "tiny.right.other", "tiny.top", "tiny.left.deep"} <= set(circle)
    assert circles([("a", "b"), ("b", "c"), ("a", "c")]) == []
    assert circles([("d", "e"), ("e", "d"), ("a", "b"), ("b", "a")]) == [["a", "b"], ["d", "e"]]


def test_lengths_and_parameters(root: Path) -> None:
    package = root / "src" / "tiny"
    assert measures(Tree.read(root))["parameters of train"] == ""
    (package / "ground.py").write_text(long_function(40), "utf-8")
    (package / "top.py").write_text(
        "class Trainer:\n    a: int\n    b: int = 1\n    def fit(self, x): ...\n", "utf-8"
    )
    found = measures(Tree.read(root))
    assert found["parameters of train"] == "3"  # that of the command line is another
    assert found["parameters of pretrain"] == "3"
    assert found["parameters of what fits members"] == "2"
    assert found["lines of the longest function"] == "40"
    assert found["functions over 40 lines"] == "0"
    (package / "ground.py").write_text(long_function(41) + "\n" * 300, "utf-8")
    found = measures(Tree.read(root))
    assert found["functions over 40 lines"] == "1"
    assert found["files over 300 lines"] == "1"
    assert "tiny.ground.train" in "\n".join(details(Tree.read(root)))


def test_without_a_contract_layers_are_blank(root: Path) -> None:
    assert measures(Tree.read(root))["upward imports"] == "3"
    (root / "pyproject.toml").unlink()
    tree = Tree.read(root)
    assert measures(tree)["upward imports"] == ""
    with pytest.raises(SystemExit, match="contract"):
        drawing(tree)


def test_trees_stand_side_by_side() -> None:
    lines = list(table({"before": {"files": "1,000", "upward": ""}, "after": {"files": "9"}}))
    assert [line.split() for line in lines] == [["before", "after"], ["files", "1,000", "9"],
                                                ["upward"]]  # fmt: skip
    assert lines[0].index("after") + len("after") == lines[1].index("9") + 1


@pytest.fixture
def tidy(root: Path) -> Path:
    """The tree without its circle and its upward imports."""
    package = root / "src" / "tiny"
    (package / "right" / "other.py").write_text("", "utf-8")
    (package / "left" / "__init__.py").write_text("from tiny import ground\n", "utf-8")
    (package / "left" / "deep.py").write_text("", "utf-8")
    return root


def test_a_drawing_has_every_room_and_a_line_for_each_pair(tidy: Path) -> None:
    svg = drawing(Tree.read(tidy))
    names = re.findall(r'<text class="name"[^>]*>(\w+)<', svg)
    assert sorted(names) == ["cli", "ground", "left", "right", "top"]
    assert len(re.findall('<rect class="box', svg)) == 5
    assert 'class="upward"' not in svg
    widths = re.findall(r'class="line" .*stroke-width="([\d.]+)"', svg)
    assert len(widths) == 3  # top to left, which two imports make, left and right to ground
    assert float(widths[0]) > float(widths[1]) == float(widths[2])


def test_what_nearly_all_rooms_import_has_a_note_in_place_of_lines(tidy: Path) -> None:
    (tidy / "src/tiny/cli.py").write_text("from tiny import ground\n", "utf-8")
    svg = drawing(Tree.read(tidy))
    assert "imported by 3 of the 4 rooms above" in svg
    assert len(re.findall('<rect class="slab"', svg)) == 1
    assert svg.count('class="line"') == 1


def test_an_upward_import_is_drawn(root: Path) -> None:
    assert drawing(Tree.read(root)).count('<path class="upward"') == 2


def test_the_script_needs_nothing_else(root: Path, tmp_path: Path) -> None:
    script = [sys.executable, "-I", str(ROOT / "tools" / "structure.py")]
    done = subprocess.run(
        [*script, str(root), str(root)], capture_output=True, text=True, check=True
    )
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["before", "after"]
    assert rows[0].split()[-2:] == ["7", "7"]
    file = tmp_path / "drawing.svg"
    subprocess.run([*script, str(root), "--drawing", str(file)], check=True)
    assert file.read_text("utf-8") == drawing(Tree.read(root))


@pytest.mark.slow
def test_the_drawing_in_the_docs_is_of_this_tree() -> None:
    assert (ROOT / "docs" / "architecture.svg").read_text("utf-8") == drawing(Tree.read(ROOT)), (
        "draw it again: python tools/structure.py --drawing docs/architecture.svg"
    )
