"""Packages for other systems: their facts are those of the project, their commands are gale's."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from lxml import etree

from gale.cli import group
from helpers.commands import succeed
from helpers.run_files import csv, small_run

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]

CONDA_NAMES = {"matplotlib": "matplotlib-base"}
"""Packages that conda calls otherwise."""


def parse(command: str, folder: Path) -> dict[str, Any]:
    """Let gale's own parser take a command line; an unknown option or value fails."""
    program, verb, *words = shlex.split(command)
    assert program == "gale"
    found = group.get_command(click.Context(group), verb)
    assert found is not None, verb
    return found.make_context(verb, words).params


def render(lines: list[str], choices: dict[str, bool]) -> str:
    """Take the lines of a template whose conditions hold."""
    taken, kept = [True], []
    for line in lines:
        word = line.strip()
        if word.startswith("#if "):
            taken.append(choices[word])
        elif word == "#end if":
            taken.pop()
        elif all(taken) and not word.startswith("#"):
            kept.append(line)
    return "\n".join(kept)


def test_conda_has_the_dependencies_of_the_project() -> None:
    recipe = yaml.safe_load((PACKAGING / "conda" / "recipe.yaml").read_text("utf-8"))
    expected = {"python": PROJECT["requires-python"]}
    for each in PROJECT["dependencies"]:
        name, bound = re.fullmatch(r"([\w-]+)(.*)", each).groups()  # type: ignore[union-attr]
        expected[CONDA_NAMES.get(name, name)] = bound
    found = dict(each.split(" ", 1) for each in recipe["requirements"]["run"])
    assert found == expected
    assert recipe["context"]["version"] == PROJECT["version"]
    assert recipe["package"]["name"] == PROJECT["name"]
    (entry,) = recipe["build"]["python"]["entry_points"]
    assert dict([entry.split(" = ")]) == PROJECT["scripts"]
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["about"]["license_file"] == PROJECT["license-files"]
    (build,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"][
        "requires"
    ]
    assert build.replace("setuptools", "setuptools ") in recipe["requirements"]["host"]


def test_conda_tests_with_commands_of_gale(tmp_path: Path) -> None:
    recipe = yaml.safe_load((PACKAGING / "conda" / "recipe.yaml").read_text("utf-8"))
    _, scripts = recipe["tests"]
    assert scripts["script"][0] == "gale --version"
    for command in scripts["script"][1:]:
        parse(command, tmp_path)


def test_the_galaxy_tool(tmp_path: Path) -> None:
    root = etree.parse(PACKAGING / "galaxy" / "gale_predict.xml").getroot()
    assert root.tag == "tool"
    tokens = {each.get("name"): each.text for each in root.iterfind("macros/token")}
    assert tokens["@TOOL_VERSION@"] == PROJECT["version"]
    (requirement,) = root.iterfind("requirements/requirement")
    assert requirement.text == PROJECT["name"]
    inputs = {each.get("name") for each in root.iterfind("inputs/param")}
    outputs = {each.get("name") for each in root.iterfind("outputs/data")}
    command = root.findtext("command")
    assert command is not None
    local = {"run", "name"}
    used = set(re.findall(r"\$\{?(\w+)", command))
    assert inputs | outputs <= used <= inputs | outputs | local
    assert len(root.findall("tests/test/output")) == len(outputs)

    begin, end = command.index("gale predict"), command.index("||")
    lines = command[begin:end].splitlines()
    conditions = [line.strip() for line in lines if line.strip().startswith("#if ")]
    assert len(conditions) == 2
    aims = [each.get("value") for each in root.iterfind("inputs/param[@name='aim']/option")]
    for values in product([False, True], repeat=len(conditions)):
        text = render(lines, dict(zip(conditions, values, strict=True)))
        for aim in aims[1:]:
            filled = text.replace("$aim", str(aim)).replace("$model", "m.onnx")
            assert "$" not in filled
            found = parse(filled.replace("\n", " "), tmp_path)
            assert found["runs"] == (Path("runs/*"),)
            assert found["output"].name == "predictions.csv"
            assert found["evidence_path"].name == "evidence.csv"
            assert (found["model_path"] is not None) == values[0]
            assert found["at"] == (aim if values[1] else None)
    moved = re.findall(r"mv (\S+) '\$(\w+)'", command)
    assert dict(moved) == {
        "predictions.csv": "predictions", "predictions.json": "provenance",
        "evidence.csv": "evidence",
    }  # fmt: skip


def test_the_nextflow_module(tmp_path: Path) -> None:
    folder = PACKAGING / "nextflow" / "gale" / "predict"
    text = (folder / "main.nf").read_text("utf-8")
    assert text.count("{") == text.count("}")
    meta = yaml.safe_load((folder / "meta.yml").read_text("utf-8"))
    emitted = re.findall(r"emit: (\w+)", text)
    assert [next(iter(each)) for each in meta["output"]] == emitted
    names = [next(iter(each)) for each in meta["input"]]
    inputs = re.search(r"input:(.*?)output:", text, re.S)
    assert inputs is not None
    assert re.findall(r"(?:val\(|path\(|path )(\w+)", inputs[1]) == names

    (line,) = re.findall(r"^ *(gale predict .*?) \|\|", text, re.M)
    for model in ("", "--model m.onnx"):
        values = {"runs": "runs/a.cdf runs/b.cdf", "prefix": "batch1", "model_option": model,
                  "task.cpus": "2", "args": "--at f1"}  # fmt: skip
        filled = line
        for name, value in values.items():
            filled = filled.replace(f"${{{name}}}", value)
        assert "$" not in filled
        found = parse(filled, tmp_path)
        assert [each.name for each in found["runs"]] == ["a.cdf", "b.cdf"]
        assert found["output"].name == "batch1.csv"
        assert (found["workers"], found["at"]) == (2, "f1")
    environment = yaml.safe_load((folder / "environment.yml").read_text("utf-8"))
    assert {"pip": [f"{PROJECT['name']}=={PROJECT['version']}"]} in environment["dependencies"]
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_what_is_recorded_is_written(tmp_path: Path) -> None:
    """The files that the tool and the module take are those that gale predict writes."""
    link = tmp_path / "runs" / "S1"
    link.parent.mkdir()
    (tmp_path / "1.dat").write_bytes(csv(small_run()))
    link.symlink_to(tmp_path / "1.dat")
    words = ["-o", tmp_path / "b.csv", "--evidence", tmp_path / "b.evidence.csv", "--at", "f1"]
    succeed("predict", link, *words, "--no-cache", "--quiet")
    written = {each.name for each in tmp_path.iterdir()} - {"runs", "1.dat"}
    assert written == {"b.csv", "b.json", "b.evidence.csv"}


@pytest.mark.parametrize("field", ["message", "title", "authors", "cff-version"])
def test_the_citation_has_what_its_schema_requires(field: str) -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))[field]


def test_the_citation() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["type"] in ("software", "dataset")
    for author in citation["authors"]:
        assert isinstance(author, dict)
        assert author.get("name") or author.get("family-names")
    assert [each["name"] for each in citation["authors"]] == [
        each["name"] for each in PROJECT["authors"]
    ]
    assert citation["repository-code"] == PROJECT["urls"]["Source"]
    assert len(set(citation["keywords"])) == len(citation["keywords"])
