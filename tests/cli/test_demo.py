"""`gale demo`: every step is a command that a user can repeat."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest

from gale.cli import demo, group
from gale.errors import OutputError
from helpers.commands import error_of, invoke, printed_error, start, succeed, without
from helpers.errors import check_error

Steps = list[list[str]]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "RUNS", "60,20,20")
    monkeypatch.setattr(demo, "IONS", "1500")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """The commands that the demo runs, in place of running them."""
    ran: Steps = []
    main: Callable[..., Any] = group.main

    def remember(args: list[str], **options: Any) -> Any:
        if args[0] == "demo":
            return main(args, **options)
        assert options["standalone_mode"] is False, "an error must stop the demo"
        ran.append(list(args))
        if args[0] == "simulate":
            some_runs(Path(args[args.index("-o") + 1]))
        return None

    monkeypatch.setattr(group, "main", remember)
    return ran


def some_runs(campaign: Path) -> None:
    (campaign / "test_features").mkdir(parents=True)
    for number in range(5):
        (campaign / "test_features" / f"S{number}.csv").touch()


def shown(output: str) -> Steps:
    lines = [line for line in output.splitlines() if line.startswith("$ gale ")]
    return [shlex.split(line)[2:] for line in lines]


def test_commands_that_are_shown_are_those_that_run(steps: Steps) -> None:
    result = succeed("demo", "-o", "a demo", "--seed", 4)
    assert shown(result.output) == steps
    assert [step[0] for step in steps] == [
        "simulate", "train", "predict", "train", "predict", "evaluate", "predict", "report"
    ]  # fmt: skip
    simulate = steps[0]
    assert simulate[simulate.index("--runs") + 1] == "60,20,20"
    assert simulate[simulate.index("--seed") + 1] == "4"
    assert not any("--force" in step for step in steps)
    assert steps[-1][2:5] == [f"a demo/campaign/test_features/S{number}.csv" for number in range(3)]


def test_commands_that_are_shown_make_sense(steps: Steps) -> None:
    succeed("demo")
    parent = group.make_context("gale", [], resilient_parsing=True)
    for name, *options in steps:
        command = import_module(f"gale.cli.{name}").command
        if isinstance(command, click.Group):
            command = command.commands[options.pop(0)]
        command.make_context(name, list(options), parent=parent)


def test_a_folder_that_exists(steps: Steps) -> None:
    Path("gale-demo").mkdir()
    error = error_of("demo")
    check_error(error, "gale-demo", remedy="--force", kind=OutputError)
    assert steps == []


def test_force_uses_the_campaign_again(steps: Steps) -> None:
    some_runs(Path("gale-demo/campaign"))
    result = succeed("demo", "--force")
    assert [step[0] for step in steps] == [
        "train", "predict", "train", "predict", "evaluate", "predict", "report"
    ]  # fmt: skip
    assert ["--force" in step for step in steps] == [True] * 4 + [False, False, True]
    assert shown(result.output) == steps


def test_force_makes_a_campaign_that_is_missing(steps: Steps) -> None:
    Path("gale-demo").mkdir()
    succeed("demo", "--force")
    assert steps[0][0] == "simulate"


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torch", "pydantic"])
def test_a_missing_extra_is_told_at_once(tmp_path: Path, package: str) -> None:
    missing = without(tmp_path, package)
    result = start("demo", "-o", "d", cwd=tmp_path, env=missing)
    assert result.returncode == 2
    source, rest = printed_error(result.stderr)
    assert source == "gale.train"
    assert package in rest
    assert "pip install 'gale-ms[train]'" in rest
    assert result.stdout == ""
    assert not (tmp_path / "d").exists()


def test_a_step_that_fails_stops_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "IONS", "0")
    result = invoke("demo")
    assert result.exit_code == 2
    assert len(shown(result.output)) == 1
    assert list(Path("gale-demo").iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("few_epochs", "few_listed")
def test_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "RECIPES", ("logistic",))
    monkeypatch.setattr(demo, "RUNS", "60,20,10")
    result = succeed("demo", "--seed", 1)
    table = pl.read_csv("gale-demo/logistic.csv")
    assert len(table) == 10
    assert set(table["status"]) == {"ok"}
    assert "logistic.csv" in result.output
    assert len(list(Path("gale-demo/pages").iterdir())) == 4
    assert Path("gale-demo/logistic.report.html").exists()
    assert "log loss" in result.output
    assert "they say nothing about real samples" in result.output
    assert "gale-demo/quick.report.html" in result.output
