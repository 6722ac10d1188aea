"""The command as a whole: its verbs, its version, its errors."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

import gale.cli
from gale.cli import VERBS, group, main
from gale.errors import GaleError
from helpers.commands import invoke, printed_error, start, succeed

SHARED = {
    "__init__", "answer_table", "answers", "asked", "batch", "calls", "completion",
    "compound_options", "convert_targets", "evaluations", "interruption", "kept", "listing",
    "listings", "logs", "models", "options", "outputs", "peak_lines", "peak_options",
    "peaks_of_runs", "predictions", "printing", "progress", "report_pages", "report_run",
    "report_training", "result", "resumable", "sidecars", "simulation_options", "sources",
    "spectra", "summary", "times", "typed", "wording", "workers",
    "working",
}  # fmt: skip
"""Modules that are not a verb."""

SHORT = 60
"""Letters of a short help."""


def commands_of(verb: str) -> list[tuple[list[str], click.Command]]:
    """A verb, or those below it, and the words that name each."""
    command = group.get_command(click.Context(group), verb)
    assert command is not None
    if isinstance(command, click.Group):
        return [([verb, name], each) for name, each in command.commands.items()]
    return [([verb], command)]


def test_every_module_of_a_verb_is_a_verb() -> None:
    modules = {path.stem for path in Path(gale.cli.__file__).parent.glob("*.py")}
    assert set(VERBS) == modules - SHARED
    assert group.list_commands(click.Context(group)) == sorted(VERBS)


def test_help_is_whole() -> None:
    for words in ((), ("report",)):
        usage, *lines = succeed(*words, "--help").output.splitlines()
        assert usage.startswith("Usage: ")
        assert not [line for line in lines if line.endswith("...")]
    for verb in VERBS:
        command = group.get_command(click.Context(group), verb)
        below = command.commands.values() if isinstance(command, click.Group) else ()
        for each in (command, *below):
            assert each is not None
            assert each.short_help
            assert len(each.short_help) <= SHORT
            assert each.short_help.count(".") == each.short_help.endswith(".") == 1


def test_help() -> None:
    output = succeed("--help").output
    for verb in VERBS:
        assert re.search(rf"^  {verb} +\S", output, flags=re.MULTILINE)
    assert succeed("-h").output == output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_explained(verb: str) -> None:
    for words, command in commands_of(verb):
        output = succeed(*words, "--help").output
        assert f"gale {' '.join(words)} " in output[output.index("Example") :]
        assert command.help
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert [each.name for each in options if not each.help] == []


def test_version() -> None:
    assert succeed("--version").output == f"gale, version {version('gale-ms')}\n"


def test_version_of_the_module() -> None:
    words = [sys.executable, "-m", "gale", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"gale, version {version('gale-ms')}\n", "")


def test_an_unknown_verb() -> None:
    result = invoke("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.stderr
    assert invoke().exit_code == 2


def test_the_installed_command(tmp_path: Path) -> None:
    done = start("--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"gale, version {version('gale-ms')}\n"


@pytest.mark.parametrize(
    ("error", "shown"),
    [(GaleError("x.csv", "is odd", remedy="pass force=True"), True), (KeyError(), False)],
)
def test_only_errors_of_gale_are_made_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception,
    shown: bool,
) -> None:  # fmt: skip
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(group, "main", fail)
    with pytest.raises(SystemExit if shown else KeyError) as caught:
        gale.cli.main()
    if isinstance(caught.value, SystemExit):
        assert caught.value.code == 2
        assert printed_error(capsys.readouterr().err) == ("x.csv", "is odd; use --force")


@pytest.mark.parametrize("redirected", [True, False])
def test_characters_that_a_console_does_not_have(
    redirected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console shows a question mark; a pipe or a file gets UTF-8 on every platform."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(out, "isatty", lambda: not redirected, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "argv", ["gale"])
    monkeypatch.setattr(group, "main", lambda **_: click.echo("α-pinene \udce9"))
    with pytest.raises(SystemExit):
        main()
    out.flush()
    written = out.buffer.getvalue()
    assert written.decode("utf-8" if redirected else "cp1252").split() == (
        ["α-pinene", "?"] if redirected else ["?-pinene", "?"]
    )
