"""`gale predict`: tables, submissions, sidecars, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gale
from commands import error_of, invoke, start, succeed, without
from gale.errors import ModelError, OutputError
from training import Trained

Arguments = Callable[..., list[object]]


@pytest.fixture
def predict(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arguments:
    """Arguments of a prediction in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def arguments(*more: object) -> list[object]:
        return ["predict", "--model", trained.path, "-o", "p.csv", *more]

    return arguments


@pytest.fixture
def runs(campaign: gale.Campaign) -> list[Path]:
    return list(campaign.of_split("test").paths[:3])


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
    numbers = pl.col(pl.Float64)
    np.testing.assert_allclose(written.select(numbers), expected.select(numbers), atol=1e-6)
    assert result.stdout.splitlines() == [
        "p.csv: 3 runs predicted, 0 failed",
        "the numbers are scores from 0 to 1, not calibrated probabilities: trained to be read as "
        "probabilities, but not corrected on runs held out",
    ]
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
        "recipe": "tiny",
        "families": list(trained.model.families),
        "prevalence": facts["prevalence"],
        "calibrated": False,
        "runs": 2,
        "failed": ["bad.csv"],
    }


def test_a_campaign_and_its_splits(
    predict: Arguments, campaign: gale.Campaign, campaign_folder: Path
) -> None:
    succeed(*predict(campaign_folder, "-o", "all.csv"))
    succeed(*predict(campaign_folder, "--split", "val", "--split", "test"))
    everything = pl.read_csv("all.csv")
    assert everything["run"].to_list() == list(campaign.runs)
    assert_frame_equal(pl.read_csv("p.csv"), everything[60:])


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


def test_a_submission_has_the_format_of_the_competition(
    predict: Arguments, campaign_folder: Path, trained: Trained, campaign: gale.Campaign
) -> None:
    result = succeed(*predict(campaign_folder, "--submission"))
    with (campaign_folder / "submission_format.csv").open(newline="") as file:
        asked = list(csv.reader(file))
    with Path("p.csv").open(newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == asked[0]
    assert [row[0] for row in written] == [row[0] for row in asked]
    numbers = np.array([row[1:] for row in written[1:]], dtype=float)
    table = trained.model.predict(campaign.of_split("val", "test"))
    np.testing.assert_allclose(numbers, table.select(asked[0][1:]).to_numpy(), atol=6e-7)
    assert result.stdout.startswith("p.csv: 48 runs predicted, 0 failed\n")


@pytest.fixture
def rearranged(campaign_folder: Path, tmp_path: Path) -> Path:
    """A campaign that asks for its runs backwards, for its families too, and has a bad run."""
    folder = tmp_path / "rearranged"
    folder.mkdir()
    asked = pl.read_csv(campaign_folder / "submission_format.csv").reverse()[:5]
    families = asked.columns[:0:-1]
    asked.select(pl.col("sample_id").alias("run"), *families).write_csv(
        folder / "submission_format.csv"
    )
    metadata = pl.read_csv(campaign_folder / "metadata.csv", schema_overrides={
        "derivatized": pl.String})  # fmt: skip
    metadata.filter(split="test").write_csv(folder / "metadata.csv")
    shutil.copytree(campaign_folder / "test_features", folder / "test_features")
    (folder / "test_features" / f"{asked['sample_id'][1]}.csv").write_text("", "utf-8")
    return folder


def test_a_submission_in_another_order_and_with_a_failed_run(
    predict: Arguments, rearranged: Path, trained: Trained
) -> None:
    result = invoke(*predict(rearranged, "--submission"))
    assert result.exit_code == 1
    asked, written = pl.read_csv(rearranged / "submission_format.csv"), pl.read_csv("p.csv")
    assert written.columns == asked.columns
    assert written["run"].to_list() == asked["run"].to_list()
    families = asked.columns[1:]
    prevalence = dict(zip(trained.model.families, trained.model.prevalence, strict=True))
    assert written.select(families).row(1) == pytest.approx([prevalence[each] for each in families])
    paths = [rearranged / "test_features" / f"{run}.csv" for run in asked["run"]]
    expected = trained.model.predict(paths).select(families).to_numpy()
    found = written.select(families).to_numpy()
    np.testing.assert_allclose(found[[0, 2, 3, 4]], expected[[0, 2, 3, 4]], atol=6e-7)
    assert "the training prevalence stands in for the runs that failed" in result.stdout
    failed = written["run"][1]
    assert f"failed: {failed}: " in result.stderr


def test_a_submission_of_other_families(predict: Arguments, rearranged: Path) -> None:
    path = rearranged / "submission_format.csv"
    path.write_text(path.read_text("utf-8").replace("mineral", "metal"), "utf-8")
    result = invoke(*predict(rearranged, "--submission"))
    assert result.exit_code == 2
    assert "asks for other families than" in result.stderr
    assert not Path("p.csv").exists()


def test_bad_runs_are_named_once(predict: Arguments, runs: list[Path]) -> None:
    Path("bad.csv").touch()
    result = invoke(*predict(runs[0], "bad.csv", "absent.csv"))
    assert result.exit_code == 1
    assert result.stdout.startswith("p.csv: 1 runs predicted, 2 failed\n")
    assert result.stderr.splitlines()[1:] == [
        "failed: bad.csv: is empty; expected a run; copy or export it again",
        "failed: absent.csv: does not exist; expected a file; check the path",
    ]


@pytest.mark.parametrize("there", ["p.csv", "p.json"])
def test_an_output_that_exists(predict: Arguments, runs: list[Path], there: str) -> None:
    Path(there).write_text("old", "utf-8")
    error = error_of(*predict(*runs))
    assert isinstance(error, OutputError)
    assert str(error) == f"{there}: exists already; choose another name or use --force"
    assert Path(there).read_text("utf-8") == "old"
    assert [path.name for path in Path().iterdir()] == [there]
    succeed(*predict(*runs, "--force"))
    assert pl.read_csv("p.csv").height == 3
    assert json.loads(Path("p.json").read_text("utf-8"))["runs"] == 3


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("p.json", "p.json: found the name of the JSON file that is written beside the table"),
        ("nowhere/p.csv", "the folder nowhere does not exist; create it first"),
        (".", "is a folder; expected the name of a file to write"),
    ],
)
def test_an_output_that_cannot_be(
    predict: Arguments, runs: list[Path], output: str, message: str
) -> None:
    error = error_of(*predict(*runs, "-o", output, "--force"))
    assert isinstance(error, OutputError)
    assert message in str(error)
    assert list(Path().iterdir()) == []


def test_names_of_columns(predict: Arguments, runs: list[Path]) -> None:
    text = runs[0].read_text("utf-8").replace("time,mass,intensity", "RT,m/z,counts")
    Path("renamed.csv").write_text(text, "utf-8")
    names = ("time_min=RT", "mz=m/z", "intensity=counts")
    columns = [word for name in names for word in ("--column", name)]
    succeed(*predict("renamed.csv", *columns))
    succeed(*predict(runs[0], "-o", "plain.csv"))
    assert_frame_equal(pl.read_csv("p.csv").drop("run"), pl.read_csv("plain.csv").drop("run"))


def test_the_folder_of_an_instrument_is_a_run(predict: Arguments, runs: list[Path]) -> None:
    Path("blank.D/AcqData").mkdir(parents=True)
    for more in ([], [runs[0]]):
        result = invoke(*predict("blank.D", *more, "--force"))
        assert result.exit_code == 1
        assert "failed: blank.D: is an Agilent .D folder; expected CSV" in result.stderr
        table = pl.read_csv("p.csv")
        assert table["run"].to_list() == ["blank.D", *map(str, more)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run.csv", "--split", "test"], "need one campaign folder"),
        (["run.csv", "--submission"], "need one campaign folder"),
        (["--split", "exam", "."], "'exam' is not one of"),
        ([], "Missing argument 'RUNS...'"),
        (["run.csv", "--column", "m/z"], "expected time_min or time_s or mz or intensity = a name"),
        (["run.csv", "--workers", "0"], "--workers"),
    ],
)
def test_usage_errors(predict: Arguments, arguments: list[str], message: str) -> None:
    result = invoke(*predict(*arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert message in result.stderr
    assert list(Path().iterdir()) == []


def test_a_folder_without_a_submission_format(predict: Arguments, runs: list[Path]) -> None:
    Path("folder").mkdir()
    shutil.copy(runs[0], "folder")
    result = invoke(*predict("folder", "--submission"))
    assert result.exit_code == 2
    assert "folder has no submission_format.csv" in result.stderr


def test_a_model_and_an_output_are_required(runs: list[Path]) -> None:
    assert "Missing option '--model'" in invoke("predict", runs[0], "-o", "p.csv").stderr
    assert "Missing option '-o'" in invoke("predict", runs[0], "--model", "m.onnx").stderr


def test_a_full_disk(predict: Arguments, runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(frame: pl.DataFrame, path: Path, **_: object) -> None:
        path.write_text("run,sta", "utf-8")
        raise OSError("No space left on device (os error 28)")

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    error = error_of(*predict(*runs))
    assert str(error).startswith("p.csv: cannot be written (No space left on device (os error 28))")
    assert list(Path().iterdir()) == []


def test_without_what_training_needs(
    predict: Arguments, trained: Trained, runs: list[Path], tmp_path: Path
) -> None:
    """The installed command, where torch and the rest of the extra cannot be imported."""
    succeed(*predict(*runs))
    (tmp_path / "site").mkdir()
    env = without(tmp_path / "site", "torch", "sklearn", "onnx", "onnxscript", "pydantic")
    done = start(*predict(*runs, "-o", "bare.csv"), cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert Path("bare.csv").read_bytes() == Path("p.csv").read_bytes()
    done = start("inspect", trained.path, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{trained.path}: a model (format 1, gale ")


def test_a_gale_error_is_one_line_and_status_2(
    predict: Arguments, runs: list[Path], tmp_path: Path
) -> None:
    done = start(*predict(runs[0], "--model", "absent.onnx"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "gale: absent.onnx: cannot be read (No such file or directory); "
        "expected a model file (.onnx)\n"
    )
    assert isinstance(error_of(*predict(runs[0], "--model", "absent.onnx")), ModelError)
