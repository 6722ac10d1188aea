"""`gale -v` and `gale --log-file`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import gale
from gale.cli import group
from gale.errors import OutputError
from helpers.commands import error_of, invoke, start, succeed
from helpers.errors import check_error
from helpers.run_files import csv, small_run

RECIPES = sorted(each.stem for each in (Path(gale.__file__).parent / "training").rglob("*.toml"))
"""Those that come with gale."""

STAMPED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} "


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(small_run()))
    return path


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Nothing is left of a log when a command ends."""
    yield
    log = logging.getLogger("gale")
    assert (log.handlers, log.level) == ([], logging.NOTSET)


def test_without_options_nothing_is_logged(run: Path, tmp_path: Path) -> None:
    result = invoke("convert", run, "-o", tmp_path / "a.mzML", "-q")
    assert result.stderr == ""


def test_what_is_said_on_a_terminal(run: Path, tmp_path: Path) -> None:
    result = invoke("-v", "convert", run, "-o", tmp_path / "a.mzML")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("gale 0.")
    assert any(re.match(rf"read {re.escape(str(run))}: csv, 40 scans, .* s$", x) for x in lines)
    assert f"wrote {tmp_path / 'a.mzML'}" in lines
    assert lines[-1].endswith("exit status 0")
    assert lines.count("converting (1)") == 1  # printed anyway


def test_a_file_keeps_what_several_commands_say(run: Path, tmp_path: Path) -> None:
    log = tmp_path / "gale.log"
    for at in range(2):
        said = invoke("--log-file", log, "convert", run, "-o", tmp_path / f"{at}.csv", "-q")
        assert said.stderr == ""
    (tmp_path / "bad.csv").write_text("time\n1\n")
    result = invoke("--log-file", log, "convert", tmp_path / "bad.csv", "-o", tmp_path / "x.csv")
    assert result.exit_code == 1
    lines = log.read_text("utf-8").splitlines()
    assert [line for line in lines if not re.match(STAMPED, line)] == []
    assert len([line for line in lines if ": called as: gale" in line]) == 3
    assert len([line for line in lines if "exit status 0" in line]) == 2
    assert any(" gale.cli: failed: " in line and "bad.csv" in line for line in lines)
    assert lines[-1].endswith("exit status 1")


def test_errors_and_bugs(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "gale.log"
    error_of("--log-file", log, "convert", run, "-o", run)
    assert "ERROR gale: ended after" in log.read_text("utf-8").splitlines()[-1]
    invoke("--log-file", log, "convert", run, "-o", tmp_path / "a.zzz")
    assert "ends with none of" in log.read_text("utf-8").splitlines()[-1]

    def fail(*_: object, **__: object) -> None:
        raise KeyError("a bug\x1b[2J")

    monkeypatch.setattr("gale.write_run", fail, raising=False)
    result = invoke("--log-file", log, "convert", run, "-o", tmp_path / "b.csv")
    assert isinstance(result.exception, KeyError)
    text = log.read_text("utf-8")
    assert "by a bug\nTraceback (most recent call last):" in text
    assert "KeyError" in text


def test_what_is_no_log_is_not_appended_to(run: Path, tmp_path: Path) -> None:
    before = run.read_bytes()
    error = error_of("--log-file", run, "inspect", run)
    check_error(error, run, found="not a log", kind=OutputError)
    assert run.read_bytes() == before
    place = tmp_path / "no" / "gale.log"
    check_error(error_of("--log-file", place, "inspect", run), place, kind=OutputError)
    check_error(error_of("--log-file", tmp_path, "inspect", run), tmp_path, kind=OutputError)
    (tmp_path / "empty.log").touch()
    succeed("--log-file", tmp_path / "empty.log", "inspect", run)
    assert (tmp_path / "empty.log").stat().st_size > 0


def completions(*words: str) -> list[str]:
    """What a shell is told for the last of the words."""
    from click.shell_completion import ShellComplete

    shell = ShellComplete(group, {}, "gale", "_GALE_COMPLETE")
    return [each.value for each in shell.get_completions(list(words[:-1]), words[-1])]


def test_what_shells_complete() -> None:
    assert "predict" in completions("pre")
    assert completions("train", "--recipe", "") == RECIPES
    assert completions("train", "--recipe", "q") == ["quick"]
    assert completions("ablate", "--recipe", "pub") == ["published"]
    assert completions("peaks", "--library", "g") == ["gale"]
    assert completions("simulate", "--library", "") == ["gale", "further"]
    assert completions("convert", "--to", "m") == ["mzml"]
    assert "--recipe" in completions("train", "--re")


def test_files_are_completed_where_no_name_fits() -> None:
    from gale.cli.completion import complete_recipe

    context = click.Context(group)
    (item,) = complete_recipe(context, group.params[0], "my_")
    assert (item.value, item.type) == ("my_", "file")


def test_the_installed_command_completes(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "gale train --recipe ", "COMP_CWORD": "3"}
    done = start(cwd=tmp_path, env={"_GALE_COMPLETE": "bash_complete", **words})
    assert done.stdout.split() == [f"plain,{name}" for name in RECIPES]
    done = start(cwd=tmp_path, env={"_GALE_COMPLETE": "zsh_source"})
    assert "compdef" in done.stdout
