"""`gale peaks`: from runs to tables, spectra and what is printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.run import Run
from helpers.commands import invoke, succeed
from helpers.eluting import Eluting, at_min, run_of

TOLUENE = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0, 93: 40.0}
STRANGE = {111: 500.0, 157: 999.0, 199: 300.0, 239: 200.0}


def written(run: Run, path: Path) -> Path:
    gale.write_run(run, path)
    return path


def alkane(carbons: int) -> dict[int, float]:
    ions = {43: 900.0, 57: 999.0, 71: 650.0, 85: 450.0, 41: 350.0, 55: 250.0, 69: 120.0}
    return ions | {14 * n + 1: 450.0 * 0.75 ** (n - 6) for n in range(7, carbons - 1)} | {
        14 * carbons + 2: 30.0
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    peaks = [Eluting(100, 5e4, TOLUENE), Eluting(250, 2e4, STRANGE)]
    return written(run_of(peaks), tmp_path / "run.csv")


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    peaks = [Eluting(20 + 40 * (n - 6), 4e4, alkane(n)) for n in range(6, 16)]
    return written(run_of(peaks), tmp_path / "ladder.csv")


def test_tables_and_spectra(run: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("peaks.csv", "matches.parquet", "spectra.msp")]
    words = ["-o", outputs[0], "--matches", outputs[1], "--msp", outputs[2]]
    said = succeed("peaks", run, "-q", *words).output
    assert "peaks.csv: 2 peaks of 1 run" in said
    table = pl.read_csv(outputs[0])
    expected = gale.find_peaks(gale.read_run(run)).table
    assert table["apex_min"].to_list() == pytest.approx(expected["apex_min"].to_list(), abs=1e-4)
    assert table["compound"].to_list() == ["toluene", None]
    assert len(pl.read_parquet(outputs[1])) == int(said.split("matches.parquet: ")[1].split()[0])
    assert len(gale.read_library(outputs[2])) == 2
    again = invoke("peaks", run, "-q", "-o", outputs[0])
    assert (again.exit_code, "exists" in str(again.exception)) == (1, True)
    succeed("peaks", run, "-q", "-o", outputs[0], "--force")


def test_without_an_output_the_largest_are_printed(run: Path) -> None:
    first, header, one, other = succeed("peaks", run, "-q").output.splitlines()
    assert first == f"{run}: 2 peaks"
    assert header.split()[:2] == ["min", "index"]
    assert one.split()[0] == f"{at_min(100):.3f}"
    assert "toluene" in one
    assert other.endswith("nothing is like it")


def test_a_run_that_cannot_be_read_does_not_stop_the_others(run: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing\n")
    result = invoke("peaks", bad, run, "-q", "-o", tmp_path / "peaks.csv")
    assert result.exit_code == 1
    assert f"failed: {bad}" in result.stderr
    assert set(pl.read_csv(tmp_path / "peaks.csv")["run"]) == {str(run)}


def test_indices_of_a_ladder(run: Path, ladder: Path, tmp_path: Path) -> None:
    result = succeed("peaks", run, "-q", "--alkanes", ladder, "-o", tmp_path / "peaks.csv")
    assert "ladder.csv: 10 n-alkanes, C6 to C15" in result.stderr
    index = pl.read_csv(tmp_path / "peaks.csv")["index"].to_list()
    assert index == pytest.approx([800, 1175], abs=4)  # (100 - 20) / 40 + 6 and so on


def refused_line(*words: object) -> str:
    """The one line that the verb ends with."""
    result = invoke("peaks", *words)
    assert result.exit_code in (1, 2)
    text = str(result.exception) if not isinstance(result.exception, SystemExit) else result.stderr
    assert len(text.strip().splitlines()) >= 1
    return text


def test_what_is_no_ladder(run: Path) -> None:
    assert "no n-alkane was found" in refused_line(run, "-q", "--alkanes", run)


@pytest.mark.parametrize(
    ("rows", "found"),
    [("2,900\n3,800\n", "row 3"), ("2,C9\n3,C10\n", "C9"), ("2,900\n", "1 row")],
)
def test_index_tables_out_of_order_or_with_names(
    run: Path, tmp_path: Path, rows: str, found: str
) -> None:
    table = tmp_path / "index.csv"
    table.write_text(f"time_min,index\n{rows}")
    assert found in refused_line(run, "-q", "--index-table", table)


def test_a_library_without_a_spectrum(run: Path, tmp_path: Path) -> None:
    library = tmp_path / "empty.msp"
    library.write_text("Name: nothing\nNum Peaks: 0\n")
    assert "has no usable spectrum" in refused_line(run, "-q", "--library", library)


def test_libraries_that_disagree(run: Path, tmp_path: Path) -> None:
    paths = []
    for name, index in (("one", 770), ("other", 900)):
        path = tmp_path / f"{name}.msp"
        path.write_text(
            f"Name: toluene\nInChIKey: YXFVVABEGXRONW-UHFFFAOYSA-N\nRI: {index}\n"
            "Num Peaks: 4\n39 110; 65 130; 91 999; 92 600\n"
        )
        paths += ["--library", path]
    result = succeed("peaks", run, "-q", *paths)
    assert "toluene" in result.stderr
    assert "1 is different there" in result.stderr
    assert "toluene" in result.output


def test_a_blank_and_profile_data(tmp_path: Path) -> None:
    blank = written(run_of([], background={28: 5e3, 18: 3e3}), tmp_path / "blank.csv")
    result = succeed("peaks", blank, "-q", "-o", tmp_path / "peaks.csv")
    assert "no peak stands out of the noise" in result.stderr
    assert len(pl.read_csv(tmp_path / "peaks.csv")) == 0
    points = np.tile(np.arange(50, 52, 0.01), 20)
    lines = "".join(f"{1 + at // 200 / 10},{mz:.2f},{9}\n" for at, mz in enumerate(points))
    profile = tmp_path / "profile.csv"
    profile.write_text(f"time,mass,intensity\n{lines}")
    result = invoke("peaks", profile, "-q")
    assert result.exit_code == 1
    assert "profile" in result.stderr


def test_one_scan(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("time,mass,intensity\n1,57,9\n1,71,5\n")
    result = invoke("peaks", path, "-q")
    assert result.exit_code == 1
    assert "only 1 scan" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--alkanes", "l.csv", "--index-table", "t.csv"],
        ["--first-alkane", "8"],
        ["-o", "peaks.txt"],
        ["--least-share", "100"],
    ],
)
def test_options_that_cannot_be(run: Path, words: list[str]) -> None:
    assert invoke("peaks", run, *words).exit_code != 0


@pytest.mark.slow
def test_many_runs_interrupted_and_resumed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gale.cli.tasks.peaks.RUNS", 2)
    names = [f"run{number}.csv" for number in range(8)]
    for name in names:
        Path(name).symlink_to(run)
    Path("run3.csv").unlink()
    Path("list.txt").write_text("\n".join(names))
    words = ["peaks", "--files-from", "list.txt", "-q", "--msp", "p.msp", "--matches", "m.csv"]
    assert invoke(*words, "-o", "p.csv").exit_code == 1
    whole = {name: Path(name).read_bytes() for name in ("p.csv", "m.csv", "p.msp")}
    assert len(gale.read_library("p.msp")) == 14
    find_peaks, calls = gale.find_peaks, []

    def interrupted(*given: object, **named: object) -> object:
        calls.append(given)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return find_peaks(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(gale, "find_peaks", interrupted)
        result = invoke(*words, "-o", "p.csv", "--force")
    assert result.exit_code == 130
    assert "p.csv.partial; repeat the command with --resume" in result.stderr
    assert Path("p.csv").read_bytes() == whole["p.csv"]
    result = invoke(*words, "-o", "p.csv", "--resume", "--workers", "1")
    assert result.exit_code == 1
    assert "failed: run3.csv" in result.stderr
    assert {name: Path(name).read_bytes() for name in whole} == whole
    assert not Path("p.csv.partial").exists()
    other = invoke("peaks", *names, "-q", "-o", "out/", "--shard", "1/2", "--allow-failed")
    assert other.exit_code == 0, other.output
    assert 0 < pl.read_parquet("out/*.parquet")["run"].n_unique() < 7
