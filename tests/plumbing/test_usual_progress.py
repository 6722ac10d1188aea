"""Progress: nothing but notes as warnings, and a bar in a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from gale.errors import GaleWarning
from gale.plumbing.progress import NotebookProgress, Progress, usual_progress


class ZMQInteractiveShell:
    """Named as the shell of a notebook."""


class TerminalInteractiveShell:
    """Named as the shell of IPython at a terminal."""


@pytest.mark.parametrize(
    ("shell", "kind"),
    [
        (ZMQInteractiveShell(), NotebookProgress),
        (TerminalInteractiveShell(), Progress),
        (None, Progress),
    ],
)
def test_only_a_notebook_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch, shell: object, kind: type[Progress]
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert type(usual_progress()) is kind


def test_without_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert type(usual_progress()) is Progress


@pytest.mark.parametrize("kind", [Progress, NotebookProgress])
def test_notes_are_warnings(kind: type[Progress]) -> None:
    with pytest.warns(GaleWarning, match="^run 3 is left out$") as given:
        kind().note("run 3 is left out")
    assert given[0].filename == __file__


def test_the_plain_one_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.begin("reading runs", 1)
    progress.status("run 1")
    progress.step("done")
    progress.close()
    assert capsys.readouterr() == ("", "")


def test_a_bar_moves_and_closes_when_it_is_full(capsys: pytest.CaptureFixture[str]) -> None:
    progress = NotebookProgress()
    progress.status("nothing yet")
    progress.step()
    assert capsys.readouterr() == ("", "")
    progress.begin("reading runs", 2)
    progress.status("run 1")
    progress.step()
    text = capsys.readouterr().err
    assert "reading runs:   0%" in text
    assert "run 1" in text
    assert "\n" not in text
    progress.step()
    text = capsys.readouterr().err
    assert "2/2" in text
    assert text.endswith("\n"), "closed"
    progress.step()
    progress.close()
    assert capsys.readouterr() == ("", "")


def test_a_new_bar_closes_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    progress = NotebookProgress()
    progress.begin("reading runs", 5)
    progress.begin("training", 5)
    progress.close()
    first, second = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert "reading runs" in first
    assert "reading runs" not in second
    assert "training" in second
