"""Workflows of continuous integration run what is there."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_there(path: Path) -> None:
    workflow = read(path)
    assert workflow["name"]
    assert workflow[True]  # what YAML makes of "on"
    assert workflow["permissions"] == {"contents": "read"}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    names = set(workflow["jobs"])
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] if "environment" not in job else True
        assert {job["needs"]} <= names if "needs" in job else True
        for step in job["steps"]:
            assert len({"uses", "run"} & set(step)) == 1
            assert re.fullmatch(r"[\w/-]+@[\w./-]+", step.get("uses", "a@b"))
            for script in re.findall(r"(?:^|\s)(\.ci/\w+)", step.get("run", "")):
                assert os.access(ROOT / script, os.X_OK), script
            for script in re.findall(r"(tools/\w+\.py)", step.get("run", "")):
                assert (ROOT / script).is_file()
            for target in re.findall(r"\bmake ([\w-]+)", step.get("run", "")):
                assert target in targets


def test_every_platform_and_version_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = {
        found[1]
        for each in project["classifiers"]
        if (found := re.fullmatch(r".*:: (3\.\d+)", each))
    }
    assert f">={min(versions, key=lambda each: int(each[2:]))}" == project["requires-python"]
    check = read(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["check"]
    matrix = check["strategy"]["matrix"]
    assert {each.split("-")[0] for each in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert {*matrix["python"], *(each["python"] for each in matrix["include"])} == versions
    release = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["install"]["strategy"]
    assert set(release["matrix"]["python"]) == versions


def test_the_lowest_versions_are_those_of_the_project() -> None:
    """What the script installs are extras of the project."""
    text = (ROOT / ".ci" / "lowest").read_text("utf-8")
    extras = re.findall(r"--extra (\w+)", text)
    assert extras
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    for each in project["dependencies"]:
        assert ">=" in each, each
    for folder in re.findall(r"\btests/\w+", text):
        assert (ROOT / folder).is_dir()
