"""`gale simulate`: options, and what the command says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import gale
from gale.errors import OutputError, ReadError, SimulationError, TableError
from gale.simulation import Physics
from gale.simulation.writing import RunWriter
from helpers.commands import error_of, invoke, start, succeed, without
from helpers.errors import check_error

FAST = """
[instrument.column]
ramp_c_per_min = 25
[instrument.scan]
rate_hz = 0.4
last_mz = 350
"""
SMALL = ("--runs", "4,2,3", "--ions", "4000", "--workers", "1")


@pytest.fixture
def physics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of physical parameters for small runs; the folder is this test's own."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "fast.toml"
    path.write_text(FAST)
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the library was asked for, in place of a simulation."""
    calls: list[dict[str, Any]] = []

    def remember(folder: Path, **options: Any) -> None:
        calls.append({"folder": folder, **options})

    monkeypatch.setattr("gale.simulation.simulate", remember)
    return calls


@pytest.mark.slow
def test_a_campaign(physics: Path) -> None:
    result = succeed("simulate", "-o", "c", *SMALL, "--physics", physics, "--seed", 3)
    assert result.output.splitlines()[-1].startswith("c: simulated in ")
    assert result.output.splitlines()[-1].endswith("look at it with: gale inspect c")
    campaign = gale.Campaign.open("c")
    assert [campaign.split.count(split) for split in ("train", "val", "test")] == [4, 2, 3]
    succeed("inspect", "c")


@pytest.mark.slow
def test_what_it_reads_it_can_be_made_of(physics: Path) -> None:
    Path("x.msp").write_text(
        "".join(
            f"Name: alkane {n}\nRI: {100 * n}\nFamilies: hydrocarbon\n"
            f"Num Peaks: 2\n43 80\n57 100\n\n"
            for n in range(9, 16)
        )
    )
    others = [
        option
        for family in (
            "aromatic",
            "carboxylic_acid",
            "nitrogen_bearing_compound",
            "chlorine_bearing_compound",
            "sulfur_bearing_compound",
            "alcohol",
            "other_oxygen_bearing_compound",
        )
        for option in ("--prevalence", f"{family}=0")
    ]
    succeed(
        "simulate", "-o", "c", *SMALL, "--physics", physics, "--library", "x.msp",
        "--compounds", 7, *others,
    )  # fmt: skip
    truth = pl.read_parquet("c/truth.parquet").filter(role="compound")
    assert truth["compound"].str.starts_with("alkane").all()


def test_options_reach_the_library(physics: Path, asked: list[dict[str, Any]]) -> None:
    succeed(
        "simulate", "-o", "c", "--runs", "30,10,20", "--ions", 500, "--compounds", 70,
        "--instruments", 2, "--new-instrument", "test", "--new-compounds", "test",
        "--new-compounds", "val", "--label-noise", 0.1, "--prevalence", "alcohol=0.2",
        "--physics", physics, "--without", "bleed", "--without", "air", "--seed", 5,
        "--workers", 3, "--design", "different",
    )  # fmt: skip
    (call,) = asked
    assert call["folder"] == Path("c")
    assert call["library"] is None
    assert call["families"] is None
    assert call["design"] == "different"
    assert call["runs"] == {"train": 30, "val": 10, "test": 20}
    assert (call["ions"], call["compounds"], call["instruments"]) == (500, 70, 2)
    assert call["new_instrument"] == ("test",)
    assert call["new_compounds"] == ("test", "val")
    assert call["label_noise"] == 0.1
    assert call["prevalence"] == {"alcohol": 0.2}
    assert call["physics"] == Physics.load(physics).without("bleed", "air")
    assert (call["seed"], call["work"].workers) == (5, 3)


def test_defaults_are_those_of_the_library(asked: list[dict[str, Any]], tmp_path: Path) -> None:
    succeed("simulate", "-o", tmp_path / "c")
    (call,) = asked
    assert (call["runs"], call["ions"], call["seed"], call["label_noise"]) == (1584, 80_000, 0, 0)
    assert call["physics"] == Physics.default()
    assert call["design"] == "mars"
    assert call["prevalence"] == {}


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("--runs", "some", "'some' is not a number"),
        ("--runs", "1,2", "'1,2' is not a number"),
        ("--prevalence", "alcohol", "'alcohol' is not FAMILY=SHARE"),
        ("--prevalence", "alcohol=much", "'alcohol=much' is not FAMILY=SHARE"),
        ("--new-compounds", "later", "'later'"),
        ("--ions", "0", "--ions"),
        ("--label-noise", "1", "--label-noise"),
        ("--design", "venus", "'venus' is not one of 'mars', 'different'"),
    ],
)
def test_options_that_make_no_sense(
    asked: list[dict[str, Any]], option: str, value: str, found: str
) -> None:
    result = invoke("simulate", "-o", "c", option, value)
    assert result.exit_code == 2
    assert found in result.output
    assert asked == []


def test_errors_of_the_library(physics: Path) -> None:
    def complaint(*options: object) -> gale.GaleError:
        error = error_of("simulate", "-o", "c", *SMALL, *options)
        assert sorted(path.name for path in Path().iterdir()) == before
        return error

    def check(kind: type[gale.GaleError], *options: object, has: str) -> None:
        error = complaint(*options)
        assert isinstance(error, kind)
        assert has in str(error)

    def check_simulation(*options: object, source: str, **facts: str) -> None:
        check_error(complaint(*options), source, kind=SimulationError, **facts)

    Path("families.toml").write_text('[alcohol]\nany = ["[OX2"]\n')
    Path("empty.msp").write_text("")
    Path("thing.msp").write_text("Name: thing\nRI: 900\nNum Peaks: 1\n43 100\n")
    Path("bled.toml").write_text("[instrument.bled]\nlevel = 1\n")
    before = sorted(path.name for path in Path().iterdir())
    check(TableError, "--families", "families.toml", has="'[OX2'")
    check(ReadError, "--library", "empty.msp", has="empty.msp")
    check(ReadError, "--library", "no.msp", has="no.msp")
    check_simulation("--library", "thing.msp", source="thing.msp", found="1 of 1")
    bled = "bled.toml: instrument.bled"
    check_simulation("--physics", "bled.toml", source=bled, remedy="bleed")
    check_simulation("--without", "gravity", source="effect 'gravity'")
    alcool = "prevalence: family 'alcool'"
    check_simulation("--prevalence", "alcool=0.1", source=alcool, remedy="alcohol")
    check_simulation("--compounds", "99999", source="compounds", found="99,999")
    check_simulation("--runs", "0,0,0", source="runs", found="0 train")
    Path("c").mkdir()
    before = sorted([*before, "c"])
    check(OutputError, has="c: ")


@pytest.mark.slow
def test_it_needs_neither_training_nor_structures(tmp_path: Path, physics: Path) -> None:
    result = start(
        "simulate", "-o", "c", *SMALL, "--physics", physics, "-q",
        cwd=tmp_path, env=without(tmp_path, "torch", "rdkit", "pydantic", "sklearn", "onnx"),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert gale.Campaign.open(tmp_path / "c").verify_checksums() == 9


def files_of(folder: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_interrupted_and_resumed(physics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["simulate", *SMALL, "--physics", physics, "-q", "-o"]
    succeed(*words, "whole")
    write, calls = RunWriter.write, []

    def interrupted(self: RunWriter, path: str, plan: Any) -> Any:
        calls.append(path)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return write(self, path, plan)

    monkeypatch.setattr("gale.simulation.writing.RUNS_OF_A_CHUNK", 1)
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "write", interrupted)
        result = invoke(*words, "c")
    assert result.exit_code == 130
    assert "8 finished runs are kept in c.partial" in result.stderr
    assert not Path("c").exists()
    error = error_of(*words, "c")
    check_error(error, "c.partial", remedy="resume=True", kind=OutputError)
    assert "repeat the command" not in error.remedy  # it says what is kept once
    error = error_of(*words, "c", "--seed", 1, "--resume")
    check_error(error, "c.partial", found="seed ('0', not '1')", kind=OutputError)
    Path("c.partial/made/train_features/S0000.csv").write_text("torn")
    again: list[str] = []

    def counted(self: RunWriter, path: str, plan: Any) -> Any:
        again.append(path)
        return write(self, path, plan)

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "write", counted)
        succeed(*words, "c", "--resume")
    assert again == ["train_features/S0000.csv", calls[-1]]
    assert files_of("c") == files_of("whole")
    assert not Path("c.partial").exists()
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]
