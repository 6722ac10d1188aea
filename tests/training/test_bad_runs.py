"""Runs that are bad, or odd and legitimate, through the commands that a user gives them to."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.cli.wording import in_options
from gale.errors import CampaignError
from helpers.commands import error_of, invoke, succeed
from helpers.training import Trained

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
Spoil = Callable[[Path, str], object]


def rows_of(text: str) -> tuple[str, list[str]]:
    header, *rows = text.splitlines(keepends=True)
    return header, rows


def with_cell(column: int, cell: str) -> Spoil:
    """Put a cell into the third row of ions."""

    def spoil(path: Path, text: str) -> None:
        header, rows = rows_of(text)
        cells = rows[2].rstrip("\n").split(",")
        cells[column] = cell
        rows[2] = ",".join(cells) + "\n"
        path.write_text(header + "".join(rows), "utf-8")

    return spoil


def with_header(header: str) -> Spoil:
    return lambda path, text: path.write_text(
        text.replace("time,mass,intensity", header, 1), "utf-8"
    )


def without_last_column(path: Path, text: str) -> None:
    pl.read_csv(text.encode()).drop("intensity").write_csv(path)


def one_scan(path: Path, text: str) -> None:
    header, rows = rows_of(text)
    time = rows[0].partition(",")[0]
    same = [row for row in rows if row.startswith(f"{time},")]
    path.write_text(header + "".join(same), "utf-8")


def cut_within_a_row(path: Path, text: str) -> None:
    path.write_text(text[: text.rindex(",")], "utf-8")


def cut_gzip(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode())[:-200])


BAD: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "missing": (lambda path, _: None, ("does not exist",)),
    "empty": (lambda path, _: path.touch(), ("is empty",)),
    "folder": (lambda path, _: path.mkdir(), ("is a folder",)),
    "column missing": (without_last_column, ("intensity", "time, mass")),
    "column misnamed": (with_header("time,what,intensity"), ("mass", "time, what, intensity")),
    "header only": (
        lambda path, text: path.write_text(rows_of(text)[0], "utf-8"),
        ("header", "no ions"),
    ),
    "no header": (
        lambda path, text: path.write_text("".join(rows_of(text)[1]), "utf-8"),
        ("time, mass, intensity",),
    ),
    "text for a number": (with_cell(1, "high"), ("row 3", "line 4", "mass", "'high'")),
    "blank cell": (with_cell(2, ""), ("row 3", "line 4", "intensity", "blank")),
    "decimal comma": (with_cell(0, "1,5"), ("row 3", "line 4", "4 fields", "3")),
    "NaN": (with_cell(2, "NaN"), ("intensity", "row 3", "nan", "finite")),
    "infinite": (with_cell(1, "inf"), ("m/z", "row 3", "inf", "finite")),
    "minus infinite": (with_cell(0, "-inf"), ("time", "row 3", "-inf", "finite")),
    "negative time": (with_cell(0, "-1.5"), ("time", "-1.5 min")),
    "fill value": (with_cell(1, "9.97e36"), ("m/z", "9.97e+36")),
    "one scan": (one_scan, ("1 scan", "two")),
    "cut within a row": (cut_within_a_row, ("2 fields", "3")),
    "cut gzip": (cut_gzip, ("gzip", "cut short")),
    "binary": (lambda path, _: path.write_bytes(bytes(range(256))), ("CSV, Parquet",)),
    "prose": (
        lambda path, _: path.write_text("Dear lab,\nhere is the run.\n", "utf-8"),
        ("time, mass, intensity", "Dear lab"),
    ),
    "a label table": (
        lambda path, _: path.write_text("sample_id,aromatic\nS1,1\n", "utf-8"),
        ("time, mass, intensity", "sample_id, aromatic"),
    ),
    "UTF-16": (
        lambda path, _: path.write_text("Dear lab: here is the run.\n", "utf-16"),
        ("UTF-16", "CSV"),
    ),
    "Agilent folder": (
        lambda path, _: (path / "AcqData").mkdir(parents=True),
        ("Agilent", ".D folder"),
    ),
}
"""How a run is spoiled, and facts in the message about it."""


def scans_backwards(path: Path, text: str) -> None:
    frame = pl.read_csv(text.encode(), infer_schema=False)
    scans = frame.partition_by("time", maintain_order=True)
    pl.concat(scans[::-1]).write_csv(path)


ODD: dict[str, Spoil] = {
    "unsorted times": scans_backwards,
    "byte order mark": lambda path, text: path.write_text(BOM + text, "utf-8"),
    "Windows line ends": lambda path, text: path.write_bytes(text.replace("\n", "\r\n").encode()),
    "no last line end": lambda path, text: path.write_text(text.rstrip("\n"), "utf-8"),
    "semicolons": lambda path, text: path.write_text(text.replace(",", ";"), "utf-8"),
    "gzip": lambda path, text: path.write_bytes(gzip.compress(text.encode())),
    "a further column": lambda path, text: path.write_text(
        text.replace("\n", ",0\n").replace("intensity,0", "intensity,flag"), "utf-8"
    ),
}


@pytest.fixture(scope="module")
def good(campaign_folder: Path) -> list[Path]:
    return sorted((campaign_folder / "test_features").iterdir())[:3]


@pytest.fixture(scope="module")
def expected(good: list[Path], trained: Trained) -> pl.DataFrame:
    return trained.model.predict(good)


def predictions(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema_overrides={"message": pl.String})


def assert_same(written: pl.DataFrame, expected: pl.DataFrame) -> None:
    """All numbers are the same, to the decimals that are written."""
    assert written.columns == expected.columns
    found, wanted = (table.select(pl.col(pl.Float64)).to_numpy() for table in (written, expected))
    assert found.shape == wanted.shape == (len(expected), 19)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_run_between_good_ones(
    what: str, good: list[Path], expected: pl.DataFrame, trained: Trained, tmp_path: Path
) -> None:
    spoil, facts = BAD[what]
    bad, output = tmp_path / "bad.csv", tmp_path / "p.csv"
    spoil(bad, good[1].read_text("utf-8"))
    runs = (good[0], bad, good[2])
    result = invoke("predict", *runs, "--model", trained.path, "-o", output)
    assert result.exit_code == 1
    table = predictions(output)
    assert table["run"].to_list() == [str(run) for run in runs]
    assert table["status"].to_list() == ["ok", "failed", "ok"]
    assert table["message"].to_list()[::2] == expected["message"].to_list()[::2]
    message = table["message"][1]
    assert message.startswith(f"{bad}: ")
    assert all(fact in message for fact in facts)
    assert len(message.splitlines()) == 1
    assert set(table.drop("run", "status", "message").row(1)) == {None}
    assert_same(table[[0, 2]], expected[[0, 2]])
    assert result.stderr.splitlines()[-1] == f"failed: {in_options(message)}"


@pytest.mark.parametrize("what", BAD)
def test_the_same_run_by_itself(what: str, good: list[Path], tmp_path: Path) -> None:
    """The message is the same everywhere; a folder is looked at as a campaign."""
    spoil, facts = BAD[what]
    bad = tmp_path / "bad.csv"
    spoil(bad, good[1].read_text("utf-8"))
    error = error_of("inspect", bad)
    assert str(error).startswith(f"{bad}: ")
    if what == "folder":
        assert isinstance(error, CampaignError)
    else:
        assert all(fact in str(error) for fact in facts)


@pytest.mark.parametrize("what", ODD)
def test_an_odd_run_is_predicted(
    what: str, good: list[Path], expected: pl.DataFrame, trained: Trained, tmp_path: Path
) -> None:
    odd, output = tmp_path / "odd.csv", tmp_path / "p.csv"
    ODD[what](odd, good[1].read_text("utf-8"))
    succeed("predict", good[0], odd, good[2], "--model", trained.path, "-o", output)
    assert_same(predictions(output), expected)


def test_what_was_done_about_an_odd_run_is_said(good: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    scans_backwards(odd, good[1].read_text("utf-8"))
    (note,) = gale.read_run(odd).notes
    assert note in succeed("inspect", odd).output
    assert note not in succeed("inspect", good[1]).output
