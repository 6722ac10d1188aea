"""`gale convert`: from files of any format to an open one, one file or many."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gale
from gale.errors import OutputError, ReadError
from gale.run import Run
from helpers.commands import error_of, invoke, printed_failures, start, succeed
from helpers.errors import check_error
from helpers.run_files import PROFILE, andi, csv, cv, jcamp, mzml, small_run

RUN = small_run(empty=(2,))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The same run in two formats, and one that cannot be read between them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in (("a.cdf", andi(RUN)), ("b.csv", b"time\n1\n"), ("c.jdx", jcamp(RUN))):
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def assert_same(path: Path, expected: Run) -> None:
    found = gale.read_run(path)
    np.testing.assert_allclose(found.time_min, expected.time_min, rtol=1e-15)
    for column in ("scan_start", "mz", "intensity"):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column), column)


@pytest.mark.parametrize("name", ["x.csv", "x.mzML", "x.parquet", "x.cdf"])
def test_one_file(name: str, files: list[Path], tmp_path: Path) -> None:
    output = succeed("convert", files[0], "-o", tmp_path / name).stdout
    assert output == f"{tmp_path / name}: 1 run converted, 0 failed\n"
    assert_same(tmp_path / name, gale.read_run(files[0]))


@pytest.mark.parametrize(
    ("to", "suffix"), [("csv", "csv"), ("mzml", "mzML"), ("parquet", "parquet"), ("andi", "cdf")]
)
def test_into_a_folder(to: str, suffix: str, files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = invoke("convert", *files, "-o", out, "--to", to, "-q")
    assert result.exit_code == 1
    assert result.stdout == f"{out}: 2 runs converted, 1 failed\n"
    assert list(printed_failures(result.stderr)) == [str(files[1])]
    assert len(result.stderr.splitlines()) == 1
    assert sorted(each.name for each in out.iterdir()) == [f"a.{suffix}", f"c.{suffix}"]
    for name, original in (("a", files[0]), ("c", files[2])):
        assert_same(out / f"{name}.{suffix}", gale.read_run(original))


def test_nothing_is_overwritten_without_force(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "c.csv").write_text("mine", "utf-8")
    error = error_of("convert", files[0], files[2], "-o", out, "--to", "csv")
    check_error(error, out / "c.csv", kind=OutputError)
    assert [each.name for each in out.iterdir()] == ["c.csv"]
    assert (out / "c.csv").read_text("utf-8") == "mine"
    succeed("convert", files[0], files[2], "-o", out, "--to", "csv", "--force")
    assert_same(out / "c.csv", gale.read_run(files[2]))


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(RUN))
    before = path.read_bytes()
    for output in (path, tmp_path):
        error = error_of("convert", path, "-o", output, "--to", "csv", "--force")
        check_error(error, path, kind=OutputError)
    assert path.read_bytes() == before


def test_runs_of_the_same_name(files: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "A.jdx.gz"
    shutil.copy(files[2], other)
    error = error_of("convert", files[0], other, "-o", tmp_path / "out", "--to", "csv")
    target = tmp_path / "out" / "A.csv"
    check_error(error, target, found=(str(files[0]), str(other)), kind=OutputError)
    assert not (tmp_path / "out").exists()


def test_a_run_that_a_table_cannot_hold(files: list[Path], tmp_path: Path) -> None:
    twice = Run.from_scans([1.0, 1.0], [1, 1], [57.0, 58.0], [1.0, 2.0])
    (tmp_path / "twice.jdx").write_bytes(jcamp(twice))
    runs = (tmp_path / "twice.jdx", files[0])
    result = invoke("convert", *runs, "-o", tmp_path / "out", "--to", "csv")
    assert result.exit_code == 1
    assert "mzML" in result.stderr
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (("a.cdf", "c.jdx", "-o", "x.csv"), ("several runs", "x.csv")),
        (("a.cdf", "-o", "x.csv", "--to", "mzml"), ("--to", "mzml", "x.csv")),
        (("a.cdf", "-o", "out"), ("folder", "--to")),
        (("a.cdf", "-o", "out.nc"), ("out.nc", ".cdf", ".csv", ".mzML", ".parquet")),
        (("-o", "out"), ("'RUNS...'",)),
    ],
)
def test_what_cannot_be_meant(
    arguments: tuple[str, ...], facts: tuple[str, ...], files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(files[0].parent)
    result = invoke("convert", *arguments)
    assert result.exit_code == 2
    assert [fact for fact in facts if fact not in result.stderr] == []
    assert sorted(Path().iterdir()) == [Path("a.cdf"), Path("b.csv"), Path("c.jdx")]


def test_places_that_cannot_be(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "no" / "out"):
        error = error_of("convert", files[0], "-o", output, "--to", "csv")
        check_error(error, output, found="folder", kind=OutputError)
    output = tmp_path / "no" / "out.csv"
    check_error(error_of("convert", files[0], "-o", output), output, kind=OutputError)


def test_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(RUN).replace(b"time,mass", b"seconds,m"))
    columns = ("--column", "time_s=seconds", "--column", "mz=m")
    succeed("convert", path, "-o", tmp_path / "x.mzML", *columns)
    assert_same(tmp_path / "x.mzML", gale.read_run(path, columns={"time_s": "seconds", "mz": "m"}))


@pytest.mark.slow
def test_the_installed_command(files: list[Path], tmp_path: Path) -> None:
    done = start("convert", *files, "-o", "out", "--to", "mzml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "out: 2 runs converted, 1 failed\n")
    assert isinstance(error_of("inspect", files[1]), ReadError)


def test_profile_spectra_are_centroided_if_asked(tmp_path: Path) -> None:
    mz = np.arange(50, 80, 0.05)
    curve = 1_000 * np.exp(-0.5 * ((mz - 57.07) / 0.13) ** 2)
    run = Run.from_scans([1.0, 2.0], [len(mz)] * 2, np.tile(mz, 2), np.tile(curve, 2))
    (tmp_path / "a.mzML").write_bytes(mzml(run, params=cv(PROFILE)))
    told = invoke("convert", tmp_path / "a.mzML", "-o", tmp_path / "b.mzML", "--quiet")
    assert told.exit_code == 1
    assert "gale convert --centroid" in told.stderr
    succeed("convert", tmp_path / "a.mzML", "-o", tmp_path / "b.mzML", "--quiet", "--centroid")
    found = gale.read_run(tmp_path / "b.mzML")
    assert found.n_ions == 2
    assert found.facts["centroided"].startswith("by gale")


@pytest.fixture
def many(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Forty runs in the current folder, one of which cannot be read."""
    monkeypatch.chdir(tmp_path)
    names = [f"run{number:02}.cdf" for number in range(40)]
    for name in names:
        Path(name).write_bytes(files[0].read_bytes())
    Path("run20.cdf").write_bytes(b"time\n1\n")
    return names


@pytest.mark.slow
def test_many_interrupted_and_resumed(many: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gale.plumbing.batches.chunks_of.__defaults__", (4,))
    words = ["convert", *many, "-o", "out", "--to", "csv", "-q"]
    write_run, calls = gale.write_run, []

    def interrupted(run: Run, path: str, **how: Any) -> None:
        calls.append(path)
        if len(calls) == 36:
            raise KeyboardInterrupt
        write_run(run, path, **how)

    with monkeypatch.context() as patch:
        patch.setattr(gale, "write_run", interrupted)
        result = invoke(*words)
    assert result.exit_code == 130
    assert "kept in out.partial" in result.stderr
    error = error_of(*words)
    check_error(error, "out.partial", found="interrupted conversion", kind=OutputError)
    before = {path.name: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert len(before) == 35
    Path("out/run01.csv").unlink()
    result = invoke(*words, "--resume")
    assert (result.exit_code, result.stdout) == (1, "out: 39 runs converted, 1 failed\n")
    assert list(printed_failures(result.stderr)) == ["run20.cdf"]
    assert not Path("out.partial").exists()
    expected = gale.read_run("run00.cdf")
    for name in many:
        if name != "run20.cdf":
            assert_same(Path("out", name).with_suffix(".csv"), expected)
    kept = [name for name, at in before.items() if Path("out", name).stat().st_mtime_ns == at]
    assert 10 < len(kept) < 35


def test_shards_write_into_one_folder(many: list[str]) -> None:
    for number in (1, 2, 3):
        words = ("--shard", f"{number}/3", "--allow-failed", "-q")
        assert invoke("convert", "*.cdf", "-o", "out", "--to", "csv", *words).exit_code == 0
    assert len(list(Path("out").iterdir())) == 39
    assert not list(Path().glob("*.partial"))


def test_a_full_disk_stops_a_conversion(many: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(run: Run, path: str, **how: Any) -> None:
        reason = OSError(errno.ENOSPC, "No space left on device")
        raise OutputError(path, "cannot be written (No space left on device)") from reason

    monkeypatch.setattr(gale, "write_run", full)
    error = error_of("convert", *many, "-o", "out", "--to", "csv")
    check_error(error, Path("out", "run00.csv"), found="No space left", kind=OutputError)
