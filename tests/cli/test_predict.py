"""`gale predict`: tables, sidecars, and what is refused."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gale
from gale.errors import ModelError, OutputError
from gale.evidence import no_evidence
from gale.evidence.table import evidence_of_sources
from helpers.commands import (
    error_of,
    invoke,
    printed_error,
    printed_failures,
    start,
    succeed,
    without,
)
from helpers.errors import check_error
from helpers.training import Trained

Arguments = Callable[..., list[object]]


def test_the_table_is_that_of_the_model(
    predict: Arguments, trained: Trained, runs: list[Path]
) -> None:
    result = succeed(*predict(*runs))
    written = pl.read_csv("p.csv", schema_overrides={"message": pl.String})
    expected = trained.model.predict(runs)
    assert written.schema == expected.schema
    assert written.select("run", "status", "message").equals(
        expected.select("run", "status", "message"), null_equal=True
    )
    single = pl.col(pl.Float64).cast(pl.Float32)
    assert_frame_equal(
        written.with_columns(single), expected.with_columns(single), check_exact=True
    )
    with Path("p.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.reader(file))[1]
    assert max(map(len, cells[3:])) <= len("1.2345678e-10")
    first, *more = result.stdout.splitlines()
    assert first == "p.csv: 3 runs predicted, 0 failed"
    *odd, last = more
    n_odd = expected["message"].count()
    (odd_line,) = odd
    assert odd_line.startswith(f"{n_odd} run")
    assert "message says what is odd" in odd_line
    assert "not calibrated" in last
    assert result.stderr == "predicting (3)\n"
    assert succeed(*predict(*runs, "--quiet", "--force")).stderr == ""


def test_the_sidecar(predict: Arguments, trained: Trained, runs: list[Path]) -> None:
    Path("bad.csv").touch()
    assert invoke(*predict(runs[0], "bad.csv")).exit_code == 1
    sidecar = json.loads(Path("p.json").read_text("utf-8"))
    facts = trained.model.facts
    assert sidecar.pop("created").endswith("+00:00")
    assert sidecar == {
        "gale_version": facts["gale_version"],
        "model": "model.onnx",
        "model_sha256": hashlib.sha256(trained.path.read_bytes()).hexdigest(),
        "table_sha256": hashlib.sha256(Path("p.csv").read_bytes()).hexdigest(),
        "recipe": "tiny",
        "families": list(trained.model.families),
        "prevalence": facts["prevalence"],
        "calibrated": False,
        "notes": [],
        "runs": 2,
        "doubtful": [],
        "trained_on": [],
        "failed": ["bad.csv"],
        "content": [
            {
                "run": str(runs[0]),
                "file": runs[0].name,
                "sha256": hashlib.sha256(runs[0].read_bytes()).hexdigest()[:16],
            }
        ],
    }


@pytest.mark.slow
def test_several_workers_give_the_same_table(
    predict: Arguments, campaign_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", os.environ.get("POLARS_MAX_THREADS", "2"))
    Path("bad.csv").touch()
    runs = [*sorted((campaign_folder / "test_features").iterdir()), "bad.csv"]
    assert invoke(*predict(*runs)).exit_code == 1
    arguments = predict(*runs, "-o", "pooled.csv", "--workers", "2", "--no-cache")
    assert invoke(*arguments).exit_code == 1
    assert Path("pooled.csv").read_bytes() == Path("p.csv").read_bytes()


def test_bad_runs_are_named_once(predict: Arguments, runs: list[Path]) -> None:
    Path("bad.csv").touch()
    result = invoke(*predict(runs[0], "bad.csv", "absent.csv"))
    assert result.exit_code == 1
    assert result.stdout.startswith("p.csv: 1 run predicted, 2 failed\n")
    failures = printed_failures(result.stderr)
    assert list(failures) == ["bad.csv", "absent.csv"]
    assert "empty" in failures["bad.csv"]
    assert "not exist" in failures["absent.csv"]


@pytest.mark.parametrize("there", ["p.csv", "p.json"])
def test_an_output_that_exists(predict: Arguments, runs: list[Path], there: str) -> None:
    Path(there).write_text("old", "utf-8")
    error = error_of(*predict(*runs))
    check_error(error, there, found="exists", remedy="pass force=True", kind=OutputError)
    assert Path(there).read_text("utf-8") == "old"
    assert [path.name for path in Path().iterdir()] == [there]
    succeed(*predict(*runs, "--force"))
    assert pl.read_csv("p.csv").height == 3
    assert json.loads(Path("p.json").read_text("utf-8"))["runs"] == 3


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("nowhere/p.csv", "the folder nowhere"),
        (".", "does not say how to write a table"),
        ("p", "does not say how to write a table"),
        ("p.txt", "ends in .txt"),
        ("p.csv.gz", "ends in .gz"),
    ],
)
def test_an_output_that_cannot_be(
    predict: Arguments, runs: list[Path], output: str, found: str
) -> None:
    error = error_of(*predict(*runs, "-o", output, "--force"))
    check_error(error, output, found=found, kind=OutputError)
    assert list(Path().iterdir()) == []


def test_names_of_columns(predict: Arguments, runs: list[Path]) -> None:
    text = runs[0].read_text("utf-8").replace("time,mass,intensity", "RT,m/z,counts")
    Path("renamed.csv").write_text(text, "utf-8")
    names = ("time_min=RT", "mz=m/z", "intensity=counts")
    columns = [word for name in names for word in ("--column", name)]
    succeed(*predict("renamed.csv", *columns))
    succeed(*predict(runs[0], "-o", "plain.csv"))
    assert_frame_equal(pl.read_csv("p.csv").drop("run"), pl.read_csv("plain.csv").drop("run"))


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        ("run.csv", "run.csv"),
        ("./link.csv", "run.csv"),
        ("model.onnx", "model.onnx"),
        ("run2.csv", "run2.json"),
        ("folder/a.csv", "folder/a.csv"),
    ],
)
def test_an_input_is_never_overwritten(
    predict: Arguments, trained: Trained, runs: list[Path], output: str, kept: str
) -> None:
    Path("folder").mkdir()
    for name in ("run.csv", "run2.json", "folder/a.csv"):
        shutil.copy(runs[0], name)
    Path("link.csv").symlink_to("run.csv")
    shutil.copy(trained.path, "model.onnx")
    inputs = ["folder"] if output.startswith("folder") else ["none.csv", "run.csv", "run2.json"]
    before = Path(kept).read_bytes()
    error = error_of(*predict(*inputs, "--model", "model.onnx", "-o", output, "--force"))
    there = str(Path(output)) if output.startswith("./") else kept
    check_error(error, there, kind=OutputError)
    assert Path(kept).read_bytes() == before


def test_outputs_of_any_name_have_sidecars_of_their_own(
    predict: Arguments, runs: list[Path]
) -> None:
    for name in ("m.1.csv", "m.2.parquet"):
        succeed(*predict(runs[0], "-o", name))
    names = {"m.1.csv", "m.1.json", "m.2.parquet", "m.2.parquet.json"}
    assert {path.name for path in Path().iterdir()} == names


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_names_that_are_formulas(predict: Arguments, runs: list[Path]) -> None:
    """They are joined by, so they stay; what a spreadsheet would compute of a message does not."""
    for name in ("=1+1.csv", "-20C.csv", "@bad.csv"):
        shutil.copy(runs[0], name)
    Path("@bad.csv").write_text("no run")
    result = invoke(*predict("--", "=1+1.csv", "-20C.csv", "@bad.csv"))
    assert "import these columns as text" in result.output
    table = pl.read_csv("p.csv")
    assert table["run"].to_list() == ["=1+1.csv", "-20C.csv", "@bad.csv"]
    assert table["message"][2].startswith("'@bad.csv")
    assert gale.read_predictions("p.csv").runs == ("=1+1.csv", "-20C.csv", "@bad.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux only")
def test_names_that_are_not_utf8(predict: Arguments, runs: list[Path]) -> None:
    names = [os.fsdecode(b"a\xe9.csv"), os.fsdecode(b"b\xe9.csv")]
    shutil.copy(runs[0], names[0])
    Path(names[1]).touch()
    for inputs in (names, ["."]):
        result = invoke(*predict(*inputs, "-o", os.fsdecode(b"../\xe9.csv"), "--force"))
        assert result.exit_code == 1
        assert list(printed_failures(result.stderr)) == ["b\\xe9.csv"]
        table = pl.read_csv(Path(os.fsdecode(b"../\xe9.csv")).read_bytes())
        assert table.select("run", "status").rows() == [
            ("a\\xe9.csv", "ok"), ("b\\xe9.csv", "failed")
        ]  # fmt: skip


def test_the_folder_of_an_instrument_is_a_run(predict: Arguments, runs: list[Path]) -> None:
    Path("blank.D/AcqData").mkdir(parents=True)
    for more in ([], [runs[0]]):
        result = invoke(*predict("blank.D", *more, "--force"))
        assert result.exit_code == 1
        assert "Agilent" in printed_failures(result.stderr)["blank.D"]
        table = pl.read_csv("p.csv")
        assert table["run"].to_list() == ["blank.D", *map(str, more)]


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ([".", "--split", "test", "--submission"], "--split"),
        (["run.csv", "--split", "test"], "--split needs one campaign folder"),
        (["run.csv", "--submission"], "--submission needs one campaign folder"),
        (["--split", "exam", "."], "'exam'"),
        ([], "'RUNS...'"),
        (["run.csv", "--column", "m/z"], "time_min, time_s, time_ms, mz or intensity"),
        (["run.csv", "--workers", "0"], "--workers"),
        (["run.csv", "--library", "l.msp"], "--evidence"),
    ],
)
def test_usage_errors(predict: Arguments, arguments: list[str], fact: str) -> None:
    result = invoke(*predict(*arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert fact in " ".join(result.stderr.split())
    assert list(Path().iterdir()) == []


def test_a_full_disk(predict: Arguments, runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        path.write_text("run,sta", "utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    error = error_of(*predict(*runs, "--no-cache"))
    check_error(error, "p.csv", found="No space left on device", kind=OutputError)
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_without_what_training_needs(
    predict: Arguments, trained: Trained, runs: list[Path], tmp_path: Path
) -> None:
    """The installed command, where torch and the rest of the extra cannot be imported."""
    succeed(*predict(*runs))
    (tmp_path / "site").mkdir()
    env = without(tmp_path / "site", "torch", "sklearn", "onnx", "pydantic")
    done = start(*predict(*runs, "-o", "bare.csv"), cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert Path("bare.csv").read_bytes() == Path("p.csv").read_bytes()
    done = start("inspect", trained.path, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{trained.path}: a model (format 1, gale ")


@pytest.mark.slow
def test_a_gale_error_is_one_line_and_status_2(
    predict: Arguments, runs: list[Path], tmp_path: Path
) -> None:
    done = start(*predict(runs[0], "--model", "absent.onnx"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    source, rest = printed_error(done.stderr)
    assert source == "absent.onnx"
    assert "No such file or directory" in rest
    error = error_of(*predict(runs[0], "--model", "absent.onnx"))
    check_error(error, "absent.onnx", kind=ModelError)


@pytest.mark.slow
def test_remedies_are_options(predict: Arguments, runs: list[Path], tmp_path: Path) -> None:
    Path("p.csv").touch()
    done = start(*predict(runs[0]), cwd=tmp_path)
    source, rest = printed_error(done.stderr)
    assert source == "p.csv"
    assert "use --force" in rest
    Path("renamed.csv").write_text("minutes,mass,intensity\n1,2,3\n", "utf-8")
    done = start(*predict("renamed.csv", "--force"), cwd=tmp_path)
    assert "--column time_min=" in printed_failures(done.stderr)["renamed.csv"]


def test_evidence_is_a_second_table(
    predict: Arguments, trained: Trained, campaign_folder: Path, runs: list[Path]
) -> None:
    Path("bad.csv").touch()
    result = invoke(*predict(runs[0], "bad.csv", runs[1], "--evidence", "e.csv", "-q"))
    assert result.exit_code == 1
    table = pl.read_csv("e.csv", schema=no_evidence(trained.model).schema)
    assert set(table["run"]) <= {str(run) for run in runs[:2]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gale.GaleWarning)
        expected = gale.evidence_table(trained.model, runs[:2])
    assert_frame_equal(table, expected, abs_tol=1e-4, rel_tol=0)
    assert "no elution network: its evidence is features" in result.stderr
    succeed(*predict(campaign_folder, "--split", "test", "--evidence", "e.csv", "--force", "-q"))
    assert set(pl.read_csv("e.csv")["run"]) <= set(pl.read_csv("p.csv")["run"])
    error = error_of(*predict(runs[0], "--force", "--evidence", "e.csv", "--library", "no.msp"))
    check_error(error, str(trained.path), kind=ModelError)


@pytest.mark.parametrize("change", ["other content", "gone"])
def test_a_run_that_changes_meanwhile_costs_its_own_evidence(
    predict: Arguments, runs: list[Path], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    shutil.copy(runs[0], "changing.csv")
    look_for = evidence_of_sources

    def change_it(*given: Any, **named: Any) -> pl.DataFrame:
        Path("changing.csv").unlink()
        if change == "other content":
            shutil.copy(runs[1], "changing.csv")
        return look_for(*given, **named)

    monkeypatch.setattr("gale.evidence.table.evidence_of_sources", change_it)
    result = succeed(*predict("changing.csv", runs[2], "--evidence", "e.csv"))
    assert "run changing.csv is left out: " in result.stderr
    assert pl.read_csv("p.csv")["status"].to_list() == ["ok", "ok"]
    assert pl.read_csv("e.csv")["run"].unique().to_list() == [str(runs[2])]


def test_calls(predict: Arguments, trained: Trained, campaign_folder: Path) -> None:
    folder = campaign_folder, "--split", "test"
    succeed(*predict(*folder))
    plain = Path("p.csv").read_text("utf-8").splitlines()
    assert "cutoffs" not in json.loads(Path("p.json").read_text("utf-8"))
    result = succeed(*predict(*folder, "--at", "f1", "--force"))
    cutoffs = trained.model.cutoffs("f1")
    for note in cutoffs.notes():
        assert note in result.stdout.splitlines()
    called = Path("p.csv").read_text("utf-8").splitlines()
    for before, after in zip(plain, called, strict=True):
        assert after.startswith(f"{before},")
        assert after.count(",") == before.count(",") + 9
    assert called[0].endswith("_call")
    assert json.loads(Path("p.json").read_text("utf-8"))["cutoffs"] == cutoffs.to_dict()
    scored = succeed("evaluate", "p.csv", "--labels", campaign_folder / "test_labels.csv")
    assert "p.csv: calls\n" in scored.stdout


def test_calls_of_ones_own(predict: Arguments, runs: list[Path]) -> None:
    Path("own.toml").write_text("alcohol = 0\nmineral = { recall = 1 }\n", "utf-8")
    result = succeed(*predict(runs[0], "--at", "own.toml"))
    table = pl.read_csv("p.csv")
    assert table.row(0, named=True)["alcohol_call"] == "yes"
    assert table["aromatic_call"].null_count() == 1
    assert "no threshold in own.toml" in result.stdout
    error = error_of(*predict(runs[0], "--at", "own.toml", "-o", "own.toml", "--force"))
    check_error(error, "own.toml", kind=OutputError)


def test_calls_that_cannot_be_made(predict: Arguments, campaign_folder: Path) -> None:
    error = error_of(*predict("absent.csv", "--at", "often"))
    check_error(error, "at", found="'often'", expected="precision=0.9")
    refused = invoke(*predict(campaign_folder, "--submission", "--at", "f1"))
    assert refused.exit_code == 2
    assert "--at" in refused.stderr
