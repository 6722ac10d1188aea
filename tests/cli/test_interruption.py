"""Ctrl-C, whichever verb it meets."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

import gale.cli
from helpers.training import Trained


@pytest.mark.parametrize("verb", ["predict", "evaluate", "inspect"])
def test_ctrl_c_is_one_line_and_status_130(
    verb: str,
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gale.model.Model.load", interrupt)
    monkeypatch.setattr("gale.evaluation.read_label_tables", interrupt)
    arguments = {
        "predict": ["run.csv", "--model", "m.onnx", "-o", str(tmp_path / "p.csv")],
        "evaluate": ["p.csv", "--labels", "labels.csv"],
        "inspect": [str(trained.path)],
    }[verb]
    monkeypatch.setattr(sys, "argv", ["gale", verb, *arguments])
    with pytest.raises(SystemExit) as caught:
        gale.cli.main()
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip() == "gale: interrupted"


def test_usage_errors_are_those_of_click(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gale", "train"])
    with pytest.raises(SystemExit) as caught:
        gale.cli.main()
    assert caught.value.code == 2
    assert "Missing argument 'CAMPAIGN'" in capsys.readouterr().err


def test_a_disk_that_cannot_be_written_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = [errno.ENOSPC, errno.EROFS, errno.ECHILD]

    def fail(*_: object, **__: object) -> None:
        raise OSError(numbers.pop(0), "says the disk", "report.html")

    monkeypatch.setattr("gale.model.Model.load", fail)
    monkeypatch.setattr(sys, "argv", ["gale", "predict", "run", "--model", "m", "-o", "p.csv"])
    for _ in range(2):
        with pytest.raises(SystemExit) as caught:
            gale.cli.main()
        assert caught.value.code == 2
        line = "gale: report.html: cannot be written (says the disk)"
        assert capsys.readouterr().err.strip() == line
    with pytest.raises(OSError, match="says the disk"):  # a bug
        gale.cli.main()
