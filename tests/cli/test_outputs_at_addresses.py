"""Outputs and models at addresses: those on this machine, never in the place of others."""

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
from gale.errors import OutputError, TableError
from gale.evaluation.predictions import sidecar_facts
from gale.plumbing.batches import Partial
from gale.plumbing.remote import AddressError
from helpers.commands import error_of, invoke, succeed
from helpers.errors import check_error, refused
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
    facts = sidecar_facts(Path("memory://x/there.csv"))
    assert facts is not None
    assert facts["prevalence"] == there["prevalence"]
    store.pipe_file("/x/there.csv", b"run,status,message\n")
    with refused(TableError, "memory://x/there.json", found="changed"):
        sidecar_facts(Path("memory://x/there.csv"))


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
    store.pipe_file("/x/run.csv", runs[0].read_bytes())
    succeed("peaks", "memory://x/run.csv", "--mztab", "memory://x/p.mztab", "-q")
    assert b"ms_run[1]-location\tmemory://x/run.csv" in store.cat_file("/x/p.mztab")
    succeed("inspect", *runs, "-o", "memory://x/i.jsonl")
    succeed("inspect", *runs, "-o", "i.jsonl")
    assert store.cat_file("/x/i.jsonl") == Path("i.jsonl").read_bytes()
    words = ("convert", *runs, "-o", "memory://x/runs", "--to", "parquet", "-q")
    succeed(*words)
    assert len(names(store)) == 5 + len(runs)
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
        ("train", "campaign", "-o"),
        ("ablate", "campaign", "-o"),
        ("demo", "-o"),
        ("serve", "--data"),
        ("watch", "folder", "-o"),
        pytest.param(("watch", "-o", "results"), marks=pytest.mark.slow),
        ("crate",),
        ("--log-file",),
    ],
)
def test_verbs_whose_output_is_of_this_machine(
    words: tuple[str, ...], store: MemoryFileSystem
) -> None:
    last = ["inspect", "campaign"] if words == ("--log-file",) else []
    error = error_of(*words, "memory://x/out", *last)
    check_error(error, "memory://x/out", found="address", expected="this machine", remedy="copy")
    assert names(store) == []


def test_a_model(
    trained: Trained,
    predict: Arguments,
    runs: list[Path],
    store: MemoryFileSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    succeed(*predict(*runs, "-q"))
    store.pipe_file("/m/model.onnx", trained.path.read_bytes())
    there = ["predict", *runs, "-q", "-o"]
    succeed(*there, "there.csv", "--model", "memory://m/model.onnx")
    assert Path("there.csv").read_bytes() == Path("p.csv").read_bytes()
    monkeypatch.setenv("GALE_MODEL", "memory://m/model.onnx")
    succeed(*there, "named.csv")
    assert Path("named.csv").read_bytes() == Path("p.csv").read_bytes()
    result = succeed("export", "--whole", "-o", "memory://m/whole.onnx")
    assert result.stdout.startswith("memory://m/whole.onnx: 9 families")
    error = error_of(*there, "memory://m/model.onnx", "--force")
    check_error(error, "memory://m/model.onnx", kind=OutputError)
    error = error_of("export", "--whole", "-o", "memory://m/model.onnx", "--force")
    check_error(error, "memory://m/model.onnx", found="input", kind=OutputError)
    assert gale.Model.load("memory://m/model.onnx").source == "memory://m/model.onnx"


@pytest.mark.slow
def test_a_model_with_what_lies_beside_it(
    stack_file: Path, campaign: gale.Campaign, store: MemoryFileSystem
) -> None:
    for path in stack_file.parent.glob("stack.*"):
        store.pipe_file(f"/m/{path.name}", path.read_bytes())
    words = ("report", "training", campaign.root, "--model", "memory://m/stack.onnx", "-q")
    succeed(*words)
    assert "/m/stack.report.html" in names(store)
    assert b"Learning curves" in store.cat_file("/m/stack.report.html")
    check_error(error_of(*words), "memory://m/stack.report.html", found="exists")
    store.pipe_file("/m/stack.out_of_fold.csv", b"run,status,message\n")
    error = error_of(*words, "--force")
    check_error(error, "memory://m/stack.out_of_fold.csv", found="not the file", kind=TableError)
    store.rm("/m/stack.out_of_fold.csv")
    error = error_of(*words, "--force")
    check_error(error, "memory://m/stack.out_of_fold.csv", found="not exist", kind=TableError)


SIMULATE = ("simulate", "--runs", "4,1,1", "--ions", "500", "--seed", "1", "--workers", "1", "-q")


@pytest.mark.slow
def test_a_simulated_campaign(
    store: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeed(*SIMULATE, "-o", "here")
    result = succeed(*SIMULATE, "-o", "memory://x/there")
    assert result.stdout.startswith("memory://x/there: simulated in ")
    files = sorted(each for each in Path("here").rglob("*") if each.is_file())
    there = [f"/x/there/{each.relative_to('here').as_posix()}" for each in files]
    assert names(store) == there
    assert [store.cat_file(name) for name in there] == [each.read_bytes() for each in files]
    for more in ((), ("--resume",), ("--force",)):
        error = error_of(*SIMULATE, *more, "-o", "memory://x/there")
        check_error(error, "memory://x/there", found="exists", kind=OutputError)
    gale.simulate("memory://y/c", runs={"train": 1}, ions=500, seed=1)
    assert "/y/c/metadata.csv" in names(store)
    store.rm("/y", recursive=True)
    # what is copied when the process is killed, while finished runs are still kept
    store.rm("/x/there/metadata.csv")
    store.pipe_file("/x/there.partial/made_with.json", b'{"made_with": {}, "begun": "now"}')
    succeed(*SIMULATE, "--resume", "-o", "memory://x/there")
    assert names(store) == there


@pytest.mark.slow
def test_a_simulation_that_is_killed_is_resumed(tmp_path: Path) -> None:
    runs = ("--runs", "20,10,10")
    output = f"{tmp_path.as_uri()}/new/campaign"
    partial = Partial(Path(output), {}, "")
    process = subprocess.Popen([sys.executable, "-m", "gale", *SIMULATE, *runs, "-o", output])
    while process.poll() is None and partial.count() < 5:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < partial.count() < 40
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["campaign.partial"]
    error = error_of(*SIMULATE, *runs, "-o", output)
    check_error(error, f"{output}.partial", found="finished run", remedy="resume=True")
    succeed(*SIMULATE, *runs, "-o", output, "--resume")
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["campaign"]
    assert gale.Campaign.open(output).verify_checksums() == 40


@pytest.mark.slow
def test_features_and_a_training_from_them(
    campaign: gale.Campaign,
    recipe_file: Path,
    store: MemoryFileSystem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("features", campaign.root, "--recipe", recipe_file, "-q", "-o", "memory://x/f")
    result = succeed(*words)
    assert result.stdout.startswith("memory://x/f: features of 108 runs")
    parts = names(store)
    assert {name.rpartition("/")[0] for name in parts} == {"/x/f"}
    check_error(error_of(*words), "memory://x/f", found="exists", kind=OutputError)
    succeed(*words, "--force")
    assert names(store) == parts
    train = ["train", campaign.root, "--recipe", recipe_file, "--no-report", "-q", "-o"]
    succeed(*train, "runs.onnx")
    succeed(*train, "there.onnx", "--features", "memory://x/f")
    of_runs, there = gale.Model.load("runs.onnx"), gale.Model.load("there.onnx")
    assert there.facts["scores"] == of_runs.facts["scores"]
    store.rm(parts[-1])
    error = error_of(*train, "other.onnx", "--features", "memory://x/f")
    check_error(error, "memory://x/f", found="too few", kind=TableError)
    error = error_of(*train, "other.onnx", "--features", "memory://x/none")
    check_error(error, "memory://x/none", found="folder", kind=TableError)


@pytest.mark.slow
def test_pages(stack_file: Path, runs: list[Path], store: MemoryFileSystem) -> None:
    model = ("--model", stack_file, "-q", "-o", "memory://x/pages")
    words = ("report", "run", *runs[:2], *model)
    result = succeed(*words)
    assert result.stdout.startswith("memory://x/pages/index.html: pages of 2 runs")
    pages = [f"/x/pages/{name}.html" for name in ("S0084.csv", "S0085.csv", "index")]
    assert names(store) == pages
    assert runs[0].name.encode() in store.cat_file(pages[-1])
    check_error(error_of(*words), "memory://x/pages", found="exists", remedy="force=True")
    succeed("report", "run", runs[0], *model, "--force")
    assert names(store) == [pages[0], pages[2]]
    store.pipe_file("/x/pages/mine.html", b"<html>")
    error = error_of(*words, "--force")
    check_error(error, "memory://x/pages", found="mine.html", kind=OutputError)
    assert len(names(store)) == 3


@pytest.mark.slow
def test_a_store_that_fails_on_the_way(
    trained: Trained,
    runs: list[Path],
    store: MemoryFileSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(address: str, _: bytes) -> None:
        raise AddressError(address, "AccessDenied", "check your rights")

    words = ("report", "run", *runs, "--model", trained.path, "-q", "-o", "memory://x/pages")
    monkeypatch.setattr("gale.plumbing.files.write_at", fail)
    error = error_of(*words)
    check_error(
        error, "memory://x/pages", found="AccessDenied", remedy="your rights", kind=OutputError
    )
    assert names(store) == []


def test_a_store_that_is_not_there(predict: Arguments, runs: list[Path]) -> None:
    error = error_of(*predict(*runs, "-o", "nowhere://x/p.csv"))
    check_error(error, "nowhere://x/p.csv", found="nowhere", kind=OutputError)
    result = invoke(*predict(*runs, "-o", "nowhere://x/p/"))
    assert isinstance(result.exception, OutputError)


@pytest.mark.parametrize("output", ["file://p.csv", "FILE://folder/p.csv", "file://folder/"])
def test_an_address_of_this_machine_with_two_slashes(
    predict: Arguments, runs: list[Path], output: str
) -> None:
    error = error_of(*predict(*runs, "-o", output))
    check_error(error, repr(output), found="names no file", remedy="file://", kind=OutputError)
    error = error_of("export", "--whole", "-o", output)
    check_error(error, repr(output), found="names no file", remedy="file://", kind=OutputError)
