"""Remedies of the library in words of the command line: options that exist, and verbs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import gale
from gale.cli import VERBS, group
from gale.cli.wording import error_text, in_options
from gale.errors import GaleError

PACKAGE = Path(gale.__file__).parent
SOURCES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "cli"
)
PASS = re.compile(r"\bpass \w+=")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OTHERS = ("msconvert", "nccopy")
"""Programs whose options the library may name."""


def literals(tree: ast.AST) -> Iterator[str]:
    """The texts in a piece of source; what is put into one is an ellipsis, as what is unknown."""
    docstrings = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    formatted = [each for each in ast.walk(tree) if isinstance(each, ast.JoinedStr)]
    for each in formatted:
        yield "".join(str(p.value) if isinstance(p, ast.Constant) else "..." for p in each.values)
    no_text = docstrings | {id(part) for each in formatted for part in each.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in no_text:
            yield str(node.value)


def texts() -> list[str]:
    return [text for path in SOURCES for text in literals(ast.parse(path.read_text("utf-8")))]


def options() -> set[str]:
    """All options of the command line."""
    found: set[str] = set()
    for verb in VERBS:
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        below = command.commands.values() if isinstance(command, click.Group) else [command]
        found.update(*(parameter.opts for each in below for parameter in each.params))
    return found


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ("pass force=True", "use --force"),
        ("choose another name or pass force=True", "choose another name or use --force"),
        (
            "pass resume=True to continue, or pass restart=True to begin anew",
            "use --resume to continue, or use --force to begin anew",
        ),
        ("pass strict=False", "leave out --strict"),
        ("pass workers=1.", "use --workers 1."),
        ("pass centroid=True", "use gale convert --centroid"),
        ("pass labels=..., a table", "use --labels ..., a table"),
        ("pass families=…", "use --families ..."),
        ("pass device='cpu'", "use --device cpu"),
        ("pass columns={'time_min': 'RT'}", "use --column time_min=RT"),
        (
            "pass columns={'mz': 'm/z {a}', 'time_s': \"it's\"} or pass workers=2",
            "use --column 'mz=m/z {a}' --column 'time_s=it'\"'\"'s' or use --workers 2",
        ),
        ("pass prevalence={'alcohol': 0.5}", "use --prevalence alcohol=0.5"),
        ("pass time_range=(1.5, 2)", "use --time 1.5 2"),
        ("gale.read_run says why", "gale inspect says why"),
        ("gale.read_run('a (1).csv') says why", "gale inspect 'a (1).csv' says why"),
        ("load a model with gale.Model.load", "give a model as --model"),
        ("see gale.installed_libraries()", "see gale library list"),
        ("export it again", "export it again"),
    ],
)
def test_remedies(remedy: str, said: str) -> None:
    assert in_options(remedy) == said


def test_only_remedies_are_changed() -> None:
    error = GaleError("pass a=1", "has pass b=2", "pass c=3", "pass force=True")
    assert error_text(error) == "pass a=1: has pass b=2; expected pass c=3; use --force"
    assert error.remedy == "pass force=True", "the error is as it was"
    several = GaleError.of_several([error, GaleError("x", "is odd")])
    assert error_text(several).splitlines()[1:] == [error_text(error), "x: is odd"]


@pytest.mark.slow
def test_every_remedy_of_the_library_has_an_option() -> None:
    for text in texts():
        if PASS.search(text):
            said = in_options(text)
            assert not PASS.search(said), text
            assert set(OPTION.findall(said)) <= options(), text


@pytest.mark.slow
def test_the_library_names_no_option() -> None:
    found = [text for text in texts() if OPTION.search(text)]
    assert [text for text in found if not any(name in text for name in OTHERS)] == []


@pytest.mark.slow
def test_errors_of_the_library_name_no_verb() -> None:
    verb = re.compile(rf"\bgale ({'|'.join(VERBS)})\b")
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise):
                found += [text for text in literals(node) if verb.search(text)]
    assert found == []
