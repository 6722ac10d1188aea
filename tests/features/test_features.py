"""Many runs at once: bad ones, executors, the cache, and runs in memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from gale import features, readers
from gale.features import FeatureTable, PathOrRun, compute_features, content, runs_moments
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec, intensity_moments
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.readers import read_run
from helpers.training import Recorder

SPEC = SummarySpec((10, 20, 30))


def write_run(path: Path, seed: int, header: str = "time,mass,intensity") -> Path:
    random = np.random.default_rng(seed)
    rows = [
        f"{scan / 10},{mz:.3f},{random.integers(1, 10**6)}"
        for scan in range(20)
        for mz in np.sort(random.uniform(3, 40, 12))
    ]
    path.write_text("\n".join([header, *rows, ""]))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two runs with something between them that is none, and one that is not there."""
    paths = [
        write_run(tmp_path / "a.csv", 1),
        tmp_path / "bad.csv",
        write_run(tmp_path / "c.csv", 2),
    ]
    paths[1].write_text("name,age\nx,3\n")
    return [*paths, tmp_path / "gone.csv"]


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def check(table: FeatureTable, files: list[Path]) -> None:
    assert table.ok.tolist() == [True, False, True, False]
    assert table.values.dtype == np.float32
    np.testing.assert_array_equal(table.values[0], SPEC.features_of(read_run(files[0])))
    np.testing.assert_array_equal(table.values[2], SPEC.features_of(read_run(files[2])))
    assert np.isnan(table.values[[1, 3]]).all()
    for row, fact in ((1, "age"), (3, "")):
        message = table.errors[row]
        assert message is not None
        assert message.startswith(f"{files[row]}: ")
        assert fact in message


@pytest.mark.parametrize(
    "pool",
    [
        nullcontext,
        lambda: ThreadPoolExecutor(2),
        processes,
    ],
    ids=["here", "threads", "processes"],
)
def test_a_bad_file_has_its_message_and_stops_no_other(
    pool: type[nullcontext[None]], files: list[Path], tmp_path: Path
) -> None:
    told = Recorder()
    told.begin("features", len(files))
    with pool() as executor:
        table = compute_features(
            files,
            SPEC,
            work=Work(executor=executor, cache=Cache(tmp_path / "cache"), progress=told),
        )
    check(table, files)
    assert told.steps == told.totals


@pytest.mark.slow
def test_runs_in_memory_go_to_other_processes(files: list[Path]) -> None:
    run = read_run(files[0])
    with processes() as executor:
        table = compute_features([run], SPEC, work=Work(executor=executor))
    np.testing.assert_array_equal(table.values[0], SPEC.features_of(run))


def test_runs_in_memory_beside_files(files: list[Path], tmp_path: Path) -> None:
    run = read_run(files[2])
    sources: list[PathOrRun] = [run, files[0], run]
    table = compute_features(sources, SPEC, work=Work(cache=Cache(tmp_path / "cache")))
    assert table.errors == (None, None, None)
    np.testing.assert_array_equal(table.values[0], table.values[2])
    np.testing.assert_array_equal(table.values[1], SPEC.features_of(read_run(files[0])))


def test_no_runs() -> None:
    table = compute_features([], SPEC)
    assert table.values.shape == (0, 21)
    assert table.ok.shape == (0,)
    assert table.ok.dtype == bool


def test_a_bug_is_not_a_bad_run(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(content, "parse_packed", bug)
    with pytest.raises(ZeroDivisionError):
        compute_features(files, SPEC)


def test_kept_features_are_not_computed_again(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "cache")
    check(compute_features(files, SPEC, work=Work(cache=cache)), files)
    parsed: list[str] = []

    def counting(data: bytes, source: str, *, columns: dict[str, str] | None = None) -> object:
        parsed.append(Path(source).name)
        return readers.parse_packed(data, source, columns=columns)

    monkeypatch.setattr(content, "parse_packed", counting)
    check(compute_features(files, SPEC, work=Work(cache=cache)), files)
    assert parsed == ["bad.csv"]
    compute_features(files[:1], SummarySpec((10, 20)), work=Work(cache=cache))
    assert parsed == ["bad.csv", "a.csv"], "another spec"
    compute_features(files[:1], SPEC, work=Work(cache=cache, columns={"mz": "mass"}))
    assert parsed == ["bad.csv", "a.csv", "a.csv"], "other columns"
    write_run(files[0], 3)
    table = compute_features(files[:1], SPEC, work=Work(cache=cache))
    assert parsed == ["bad.csv", "a.csv", "a.csv", "a.csv"], "another content"
    np.testing.assert_array_equal(table.values[0], SPEC.features_of(read_run(files[0])))
    monkeypatch.setattr(features, "READERS", readers.VERSION + 1)
    compute_features(files[:1], SPEC, work=Work(cache=cache))
    assert parsed == ["bad.csv", "a.csv", "a.csv", "a.csv", "a.csv"], "other readers"


def test_damaged_kept_features_are_computed_again(files: list[Path], tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    compute_features(files, SPEC, work=Work(cache=cache))
    for path in Path(cache.folder).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-4])
    check(compute_features(files, SPEC, work=Work(cache=cache)), files)


GOOD = np.zeros(SPEC.n_features, dtype=np.float32)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"features": GOOD[1:]},
        {"features": GOOD[None]},
        {"features": GOOD.astype(np.float64)},
        {"features": GOOD.astype(str)},
        {"features": np.full_like(GOOD, np.nan)},
        {"features": np.full_like(GOOD, np.inf)},
        {"features": GOOD, "notes": np.array("one")},
        {"features": GOOD, "weighty": np.zeros(3)},
    ],
)
def test_planted_features_are_computed_again(
    arrays: dict[str, np.ndarray],
    files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = Cache(tmp_path / "cache")
    compute_features(files, SPEC, work=Work(cache=cache))
    for path in Path(cache.folder).rglob("*.features"):
        cache.put(path.stem, arrays)
    check(compute_features(files, SPEC, work=Work(cache=cache)), files)


def test_columns_of_other_names(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a.csv", 1, header="minutes,m,counts")
    plain = write_run(tmp_path / "b.csv", 1)
    names = {"time_min": "minutes", "mz": "m", "intensity": "counts"}
    table = compute_features([path], SPEC, work=Work(columns=names))
    np.testing.assert_array_equal(table.values[0], SPEC.features_of(read_run(plain)))
    (moments,) = runs_moments([path], None, None, work=Work(columns=names))
    np.testing.assert_array_equal(moments, intensity_moments(read_run(plain), None, None))


def test_features_of_another_kind_are_kept_beside(files: list[Path], tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    spec = ProfileSpec(ElutionSpec(bins=8, mz_first=10, mz_last=40), losses=5)
    for _ in range(2):
        check(compute_features(files, SPEC, work=Work(cache=cache)), files)
        table = compute_features(files, spec, work=Work(cache=cache))
        assert table.ok.tolist() == [True, False, True, False]
        np.testing.assert_array_equal(table.values[2], spec.features_of(read_run(files[2])))


def test_a_run_out_of_range_has_its_message(files: list[Path]) -> None:
    spec = ProfileSpec(ElutionSpec(bins=8, mz_first=100, mz_last=140))
    (message,) = compute_features(files[:1], spec).errors
    assert message is not None
    assert message.startswith(f"{files[0]}: ")
    assert "m/z 100 to 140" in message


def test_moments_of_the_runs_that_can_be_read(files: list[Path]) -> None:
    told = Recorder()
    told.begin("moments", 3)
    run = read_run(files[2])
    sources: list[PathOrRun] = [files[0], files[1], run]
    found = list(runs_moments(sources, 5, 30, work=Work(progress=told)))
    assert told.steps == told.totals
    expected = [intensity_moments(each, 5, 30) for each in (read_run(files[0]), run)]
    np.testing.assert_array_equal(found, expected)
