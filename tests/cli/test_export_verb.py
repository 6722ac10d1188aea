"""`gale export`: what it writes and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

import gale
from gale.errors import ModelError, OutputError
from gale.portable.whole import whole_graph
from helpers.commands import error_of, invoke, succeed

MODEL = Path(__file__).parents[1] / "model" / "models" / "elution.onnx"


def test_a_whole_graph(tmp_path: Path) -> None:
    path = tmp_path / "whole.onnx"
    words = ("export", MODEL, "--whole", "-o", path)
    output = succeed(*words).stdout
    assert output == f"{path}: 9 families, 0.08 MB\n"
    assert path.read_bytes() == whole_graph(gale.Model.load(MODEL))
    assert isinstance(error_of(*words), OutputError)
    output = succeed(*words, "--int8", "--force").stdout
    assert output == f"{path}: 9 families, 0.06 MB\n"
    assert path.read_bytes() == whole_graph(gale.Model.load(MODEL), int8=True)
    assert isinstance(error_of("inspect", path), ModelError)


def test_the_model_that_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "whole.onnx"
    succeed("export", "--whole", "-o", path)
    assert path.read_bytes() == whole_graph(gale.bundled_model())
    monkeypatch.setenv("GALE_MODEL", str(MODEL))
    succeed("export", "--whole", "-o", path, "--force")
    assert path.read_bytes() == whole_graph(gale.Model.load(MODEL))


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    result = invoke("export", MODEL, "-o", path)
    assert result.exit_code == 2
    assert "--whole" in result.output
    path.write_bytes(MODEL.read_bytes())
    assert isinstance(error_of("export", path, "--whole", "-o", path, "--force"), OutputError)
    assert isinstance(error_of("export", __file__, "--whole", "-o", tmp_path / "y"), ModelError)
    assert not (tmp_path / "y").exists()
