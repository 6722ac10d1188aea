"""The examples that predict without Python: built, run, and compared with `gale predict`."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import polars as pl
import pytest

import gale

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
MODEL = ROOT / "tests" / "model" / "models" / "elution.onnx"
RUN = ROOT / "tests" / "portable" / "format1" / "run.csv"

Reader = Callable[..., subprocess.CompletedProcess[str]]
"""Runs a reader with these arguments."""


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def cpp(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The reader in C++, with the library that the Python package of ONNX Runtime has."""
    folder = tmp_path_factory.mktemp("cpp")
    compiler = shutil.which("c++")
    headers = Path(os.environ.get("ONNXRUNTIME_INCLUDE", "/usr/include/onnxruntime"))
    if compiler is None:
        pytest.skip("there is no C++ compiler (c++)")
    if not (headers / "onnxruntime_cxx_api.h").is_file():
        pytest.skip("ONNXRUNTIME_INCLUDE names no folder with the headers of ONNX Runtime")
    shared = Path(onnxruntime.__file__).parent / "capi"
    found = sorted(shared.glob("libonnxruntime.so.*"))
    if not found:
        pytest.skip("the package onnxruntime has no shared library here")
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).symlink_to(found[0])
    source = EXAMPLES / "cpp" / "predict.cpp"
    built = run(
        *(compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", source, "-o", "predict"),
        *("-isystem", headers, folder / "libonnxruntime.so", f"-Wl,-rpath,{folder}"),
        cwd=folder,
    )
    assert built.returncode == 0, built.stderr
    return lambda *words, cwd: run(folder / "predict", *words, cwd=cwd)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The reader in JavaScript."""
    own = EXAMPLES / "node" / "node_modules"
    modules = Path(os.environ.get("GALE_NODE_MODULES", own))
    if (program := shutil.which("node")) is None:
        pytest.skip("there is no Node.js (node)")
    if not any((modules / f"onnxruntime-{kind}").is_dir() for kind in ("node", "web")):
        pytest.skip("neither onnxruntime-node nor -web in GALE_NODE_MODULES or beside the example")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(EXAMPLES / "node" / "predict.mjs", folder)
    (folder / "node_modules").symlink_to(modules.resolve(), target_is_directory=True)
    return lambda *words, cwd: run(program, folder / "predict.mjs", *words, cwd=cwd)


@pytest.fixture(params=["cpp", "node"])
def reader(request: pytest.FixtureRequest) -> Reader:
    reader: Reader = request.getfixturevalue(request.param)
    return reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole graph, and runs: one as it is, one far from the training runs, and some faulty."""
    gale.export_whole(gale.Model.load(MODEL), tmp_path / "whole.onnx")
    shutil.copy(RUN, tmp_path / "a run.csv")
    rows = [
        f"{at / 20},{mz},{10 + 1e8 * math.exp(-((at / 20 - (mz - 30) / 8) ** 2) / 0.02)}"
        for at in range(160)
        for mz in range(30, 90)
    ]
    lines = ['\ufeff"time",mass,intensity', *rows, ""]
    (tmp_path / "far.csv").write_text("\r\n".join(lines), "utf-8")
    (tmp_path / "outside.csv").write_text("time,mass,intensity\n1,500,1\n2,0,0\n3,501,-7\n")
    (tmp_path / "broken.csv").write_text("time,mass,intensity\n1,50,1\n2,50,1e\n")
    (tmp_path / "columns.csv").write_text("time,mass\n1,50\n")
    return tmp_path


@pytest.mark.slow
def test_the_table_is_that_of_gale_predict(reader: Reader, folder: Path) -> None:
    names = ["a run.csv", "far.csv", "outside.csv", "broken.csv", "columns.csv", "none.csv"]
    done = reader("whole.onnx", *names, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    found = pl.read_csv(done.stdout.encode())
    with pytest.warns(gale.GaleWarning):
        expected = gale.Model.load(MODEL).predict([folder / name for name in names])
    assert found.columns == expected.columns
    assert found["run"].to_list() == names
    assert found["status"].to_list() == expected["status"].to_list()
    assert found["status"].to_list() == ["ok", "doubtful", *["failed"] * 4]
    assert found["message"].is_null().to_list() == [True, *[False] * 5]
    assert "line 3 has '1e'" in found["message"][3]
    for name in expected.columns[3:]:
        theirs, own = (table[name].cast(pl.Float64).to_list() for table in (expected, found))
        assert own[2:] == [None] * 4
        tolerance = 1e-5 if name != "unlike" else 1e-4
        assert own[:2] == pytest.approx(theirs[:2], abs=tolerance), name


@pytest.mark.slow
def test_a_good_run_alone_is_exit_status_0(reader: Reader, folder: Path) -> None:
    done = reader("whole.onnx", "a run.csv", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_what_is_no_whole_graph_is_refused(reader: Reader, folder: Path) -> None:
    shutil.copy(MODEL, folder)
    for words in ((MODEL.name, "a run.csv"), ("whole.onnx",)):
        done = reader(*words, cwd=folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
