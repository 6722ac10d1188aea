"""`gale plot`: a picture of a run in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.errors import GaleError, OutputError, PlotError, ReadError
from helpers.commands import error_of, invoke, start, succeed
from helpers.eluting import Eluting, at_min, run_of
from helpers.errors import check_error
from helpers.run_files import csv, small_run

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(small_run()))
    return path


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.png", b"\x89PNG"),
        ("a.svg", b"<?xml"),
        ("a.html", b"<!DOCTYPE html>"),
        ("a.PNG", b"\x89PN"),
    ],
)
def test_every_kind(name: str, begins: bytes, run: Path) -> None:
    output = run.with_name(name)
    choices = ("--mz", 57, "--mz", 73, "--at", 3, "--time", 2.6, 4, "--mz-range", 45, 300, "--log")
    result = succeed("plot", run, "-o", output, *choices, "--theme", "dark")
    assert result.stdout == f"{output}: 40 scans drawn\n"
    assert output.read_bytes().startswith(begins)
    assert sorted(run.parent.iterdir()) == sorted([run, output])


@pytest.mark.parametrize("name", ["a.svg", "a.html"])
def test_the_largest_peaks_have_names(name: str, tmp_path: Path) -> None:
    toluene = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0}
    path = tmp_path / "run.csv"
    path.write_bytes(csv(run_of([Eluting(200, 5e4, toluene), Eluting(80, 2e4, {44: 9, 61: 5.0})])))
    output = path.with_name(name)
    succeed("plot", path, "-o", output)
    drawn = output.read_text("utf-8")
    assert "toluene" in drawn
    assert f"{at_min(80):.2f}" in drawn
    succeed("plot", path, "-o", output, "--no-names", "--force")
    assert "toluene" not in output.read_text("utf-8")
    other = path.with_name("other.msp")
    other.write_text("Name: another\nNum Peaks: 2\n91 999; 92 600;\n", "utf-8")
    succeed("plot", path, "-o", output, "--library", other, "--force")
    assert "toluene" not in output.read_text("utf-8")
    refused = invoke("plot", path, "-o", output, "--no-names", "--library", other)
    assert (refused.exit_code, "--no-names" in refused.stderr) == (2, True)


def test_nothing_is_overwritten_without_force(run: Path) -> None:
    output = run.with_name("a.png")
    output.write_text("mine", "utf-8")
    check_error(error_of("plot", run, "-o", output), output, kind=OutputError)
    assert output.read_text("utf-8") == "mine"
    succeed("plot", run, "-o", output, "--force")
    assert output.read_bytes().startswith(b"\x89PNG")


def test_the_run_is_never_overwritten(run: Path) -> None:
    svg = run.with_name("run.svg")
    run.rename(svg)
    check_error(error_of("plot", svg, "-o", svg, "--force"), svg, kind=OutputError)
    assert svg.read_bytes() == csv(small_run())


@pytest.mark.parametrize(
    ("arguments", "error", "facts"),
    [
        (("-o", "a.jpg"), OutputError, ["a.jpg", ".png, .svg, .html"]),
        (("-o", "a.png", "--at", 99), PlotError, ["99 min"]),
        (("-o", "a.html", "--time", 90, 99), PlotError, ["90", "99"]),
        (("-o", "a.svg", "--mz-range", 900, 999), PlotError, ["900", "999"]),
        (("-o", "no/a.png"), OutputError, ["no/a.png", "folder"]),
    ],
)
def test_errors(
    arguments: tuple[object, ...], error: type[GaleError], facts: list[str], run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(run.parent)
    found = error_of("plot", run.name, *arguments)
    check_error(found, kind=error)
    assert [fact for fact in facts if fact not in str(found)] == []
    assert list(run.parent.iterdir()) == [run]


def test_a_run_that_cannot_be_read(tmp_path: Path) -> None:
    assert isinstance(error_of("plot", tmp_path / "no.csv", "-o", tmp_path / "a.png"), ReadError)


def test_a_range_the_wrong_way_round(run: Path) -> None:
    result = invoke("plot", run, "-o", run.with_name("a.png"), "--time", 4, 3)
    assert result.exit_code == 2
    assert "from 4 to 3" in result.stderr


def test_the_installed_command(run: Path) -> None:
    done = start("plot", run.name, "-o", "a.svg", cwd=run.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.svg: 40 scans drawn\n", "")
