"""How work is done where nothing is said."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import pytest

from gale.plumbing.progress import NotebookProgress, Progress
from gale.plumbing.work import Work


def test_by_default_one_process_stores_nothing_and_leaves_out_what_fails() -> None:
    work = Work()
    assert (work.executor, work.workers, work.cache, work.device) == (None, 1, None, None)
    assert (work.strict, work.columns) == (False, None)
    assert type(work.progress) is Progress


def test_each_work_looks_for_a_notebook_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert type(Work().progress) is NotebookProgress
    assert type(Work(progress=Progress()).progress) is Progress


def test_it_is_handed_on_unchanged() -> None:
    with pytest.raises(FrozenInstanceError):
        Work().workers = 2  # type: ignore[misc]
