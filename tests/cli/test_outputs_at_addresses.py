"""Outputs at addresses: the bytes of those on this machine, never in the place of others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import gale
from gale.errors import OutputError
from gale.plumbing.batches import Partial
from helpers.commands import error_of, invoke, succeed
from helpers.errors import check_error
from helpers.training import Trained

Arguments = Callable[..., list[object]]


@pytest.fixture
def store() -> Iterator[MemoryFileSystem]:
    """A store in memory, which is empty."""
    system = MemoryFileSystem()
    system.store.clear()
    yield system
    system.store.clear()


def names(store: MemoryFileSystem) -> list[str]:
    return sorted(store.find("/"))


def test_a_table_with_what_lies_beside_it(
    predict: Arguments, runs: list[Path], store: MemoryFileSystem
) -> None:
    succeed(*predict(*runs, "-o", "here.csv", "--evidence", "e.csv", "-q"))
    words = predict(*runs, "-o", "memory://x/there.csv", "--evidence", "memory://x/e.csv", "-q")
    result = succeed(*words)
    assert result.stdout.startswith("memory://x/there.csv: ")
    assert names(store) == ["/x/e.csv", "/x/there.csv", "/x/there.json"]
    assert store.cat_file("/x/there.csv") == Path("here.csv").read_bytes()
    assert store.cat_file("/x/e.csv") == Path("e.csv").read_bytes()
    here, there = json.loads(Path("here.json").read_text()), json.loads(store.cat("/x/there.json"))
    assert {**here, "created": ""} == {**there, "created": ""}
    error = error_of(*words)
    check_error(error, "memory://x/there.csv", found="exists", kind=OutputError)
    succeed(*words, "--force")
    assert [*Path().glob("memory*")] == []


def test_a_dataset(predict: Arguments, runs: list[Path], store: MemoryFileSystem) -> None:
    succeed(*predict(*runs, "-o", "here/", "-q"))
    words = predict(*runs, "-o", "memory://x/there/", "-q")
    succeed(*words)
    assert names(store) == ["/x/there.json", "/x/there/part-00000.parquet"]
    part = Path("here/part-00000.parquet").read_bytes()
    assert store.cat_file("/x/there/part-00000.parquet") == part
    hashed = json.loads(store.cat("/x/there.json"))["table_sha256"]
    assert hashed == json.loads(Path("here.json").read_text())["table_sha256"]
    store.pipe_file("/x/there/part-00001.parquet", b"of a longer dataset")
    check_error(error_of(*words), "memory://x/there", found="exists", remedy="force=True")
    succeed(*words, "--force")
    assert names(store) == ["/x/there.json", "/x/there/part-00000.parquet"]
    store.pipe_file("/x/there/thesis.docx", b"")
    error = error_of(*words, "--force")
    check_error(error, "memory://x/there", found="thesis.docx", kind=OutputError)
    assert len(names(store)) == 3


@pytest.mark.slow
def test_a_process_that_is_killed_is_resumed(
    trained: Trained, campaign: gale.Campaign, tmp_path: Path
) -> None:
    runs = [*campaign.of_split("test").paths] * 12
    paths = [tmp_path / f"{number:03}.csv" for number in range(len(runs))]
    for run, path in zip(runs, paths, strict=True):
        path.symlink_to(run)
    words = ["predict", *paths, "--model", trained.path, "-q", "--no-cache"]
    succeed(*words, "-o", tmp_path / "whole.csv")
    output = f"{tmp_path.as_uri()}/new/p.csv"
    partial = Partial(Path(output), {}, "")
    command = [sys.executable, "-m", "gale", *map(str, words), "-o", output]
    process = subprocess.Popen(command)
    while process.poll() is None and partial.count() < 20:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < partial.count() < len(runs)
    assert os.listdir(tmp_path / "new") == ["p.csv.partial"]  # noqa: PTH208
    error = error_of(*words, "-o", output)
    check_error(error, f"{output}.partial", found="finished run", remedy="resume=True")
    before = partial.count()
    succeed(*words, "-o", output, "--resume")
    assert before
    assert Path(tmp_path, "new/p.csv").read_bytes() == Path(tmp_path, "whole.csv").read_bytes()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["p.csv", "p.json"]


@pytest.mark.slow
def test_other_verbs(
    runs: list[Path], store: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeed("peaks", *runs, "-o", "memory://x/p.parquet", "--msp", "memory://x/p.msp", "-q")
    succeed("peaks", *runs, "-o", "p.parquet", "--msp", "p.msp", "-q")
    assert store.cat_file("/x/p.parquet") == Path("p.parquet").read_bytes()
    assert store.cat_file("/x/p.msp") == Path("p.msp").read_bytes()
    succeed("inspect", *runs, "-o", "memory://x/i.jsonl")
    succeed("inspect", *runs, "-o", "i.jsonl")
    assert store.cat_file("/x/i.jsonl") == Path("i.jsonl").read_bytes()
    words = ("convert", *runs, "-o", "memory://x/runs", "--to", "parquet", "-q")
    succeed(*words)
    assert len(names(store)) == 3 + len(runs)
    before = gale.read_run(runs[0])
    after = gale.read_run(f"memory://x/runs/{runs[0].stem}.parquet")
    assert pl.DataFrame(before).equals(pl.DataFrame(after))
    error = error_of(*words)
    check_error(error, f"memory://x/runs/{runs[0].stem}.parquet", found="exists")


def test_an_input_is_not_overwritten(
    predict: Arguments, runs: list[Path], store: MemoryFileSystem
) -> None:
    store.pipe_file("/x/run.csv", runs[0].read_bytes())
    error = error_of(*predict("memory://x/run.csv", "-o", "memory://x/run.csv", "--force"))
    check_error(error, "memory://x/run.csv", found="input", kind=OutputError)
    assert store.cat_file("/x/run.csv") == runs[0].read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("report", "run", "run.csv", "-o"),
        ("train", "campaign", "-o"),
        ("features", "campaign", "-o"),
        ("simulate", "-o"),
        ("ablate", "campaign", "-o"),
        ("watch", "folder", "-o"),
    ],
)
def test_verbs_whose_output_is_of_this_machine(
    words: tuple[str, ...], store: MemoryFileSystem
) -> None:
    error = error_of(*words, "memory://x/out")
    check_error(error, "memory://x/out", found="address", expected="this machine")
    assert names(store) == []


def test_a_store_that_is_not_there(predict: Arguments, runs: list[Path]) -> None:
    error = error_of(*predict(*runs, "-o", "nowhere://x/p.csv"))
    check_error(error, "nowhere://x/p.csv", found="nowhere", kind=OutputError)
    result = invoke(*predict(*runs, "-o", "nowhere://x/p/"))
    assert isinstance(result.exception, OutputError)
