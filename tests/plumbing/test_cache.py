"""The cache: what it keeps it gives back, and nothing that happens to it stops the work."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import GaleError
from gale.plumbing.cache import LIMIT, LIMIT_VARIABLE, Cache, default_folder
from gale.plumbing.eviction import CacheUsage, evict
from helpers.errors import refused

ARRAY = np.linspace(0, 1, 20, dtype=np.float32)
KEPT = {"features": ARRAY, "notes": np.array(["one note", "another: é"])}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "not" / "yet")


def kept_file(cache: Cache) -> Path:
    (path,) = (path for path in Path(cache.folder).rglob("*") if path.is_file())
    return path


def test_a_kept_array_comes_back(cache: Cache) -> None:
    key = Cache.key(b"run", "spec")
    assert cache.get(key) is None
    assert cache.put(key, KEPT)
    found = cache.get(key)
    assert found is not None
    assert found["features"].dtype == np.float32
    np.testing.assert_array_equal(found["features"], ARRAY)
    assert found["notes"].tolist() == ["one note", "another: é"]
    assert cache.get(Cache.key(b"other", "spec")) is None


def test_the_last_array_of_a_key_counts(cache: Cache) -> None:
    cache.put("abc", KEPT)
    cache.put("abc", {"features": ARRAY[::-1]})
    found = cache.get("abc")
    assert found is not None
    np.testing.assert_array_equal(found["features"], ARRAY[::-1])
    assert found.keys() == {"features"}
    assert kept_file(cache).is_file()


def test_the_key_depends_on_all_it_is_made_of() -> None:
    keys = [
        Cache.key(b"run", "spec", "columns"),
        Cache.key(b"ran", "spec", "columns"),
        Cache.key(b"run", "spec2", "columns"),
        Cache.key(b"run", "spec", "columns2"),
        Cache.key(b"run", "speccolumns"),
        Cache.key(b"run"),
    ]
    assert len(set(keys)) == len(keys)
    assert Cache.key(b"run", "spec", "columns") == keys[0]


def test_a_damaged_file_is_a_miss_wherever_it_is_damaged(cache: Cache) -> None:
    cache.put("abc", KEPT)
    path = kept_file(cache)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at])
        assert cache.get("abc") is None, f"cut at {at}"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x21]) + whole[at + 1 :])
        assert cache.get("abc") is None, f"changed at {at}"
    cache.put("abc", KEPT)
    assert cache.get("abc") is not None


def planted(cache: Cache, content: bytes) -> None:
    """Put content where the cache keeps its file, with a right hash."""
    cache.put("abc", KEPT)
    kept_file(cache).write_bytes(hashlib.sha256(content).digest() + content)


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


WHOLE = npz(features=ARRAY)
PLANTED = {
    "nothing": b"",
    "words": b"planted",
    "pickle": pickle.dumps({"features": 1}),
    "objects": npz(features=np.array([{}], dtype=object)),
    "one array": WHOLE[: len(WHOLE) // 2],
    "header": WHOLE.replace(b"'shape': (20,)", b"'shape': (2*,)"),
    "size": WHOLE.replace(b"'shape': (20,)", b"'shape': (99,)"),
}


@pytest.mark.parametrize("content", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_a_miss(cache: Cache, content: bytes) -> None:
    planted(cache, content)
    assert cache.get("abc") is None


def test_what_cannot_be_used_is_a_miss(cache: Cache) -> None:
    cache.put("abc", KEPT)
    assert cache.get("abc", lambda arrays: "features" in arrays) is not None
    assert cache.get("abc", lambda arrays: "weights" in arrays) is None


def test_a_folder_that_cannot_be_written_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for cache in (Cache(tmp_path / "file"), Cache(tmp_path / "file" / "folder")):
        assert not cache.put("abc", KEPT)
        assert cache.get("abc") is None
    assert (tmp_path / "file").read_bytes() == b""


def test_a_full_disk_is_harmless(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert not cache.put("abc", KEPT)
    assert [path for path in Path(cache.folder).rglob("*") if path.is_file()] == []


def test_the_default_folder_is_gales_own() -> None:
    assert default_folder().is_absolute()
    assert "gale" in default_folder().parts


def filled(cache: Cache, number: int, floats: int = 1000) -> list[str]:
    """Keys of entries, the first of which was used longest ago."""
    keys = [Cache.key(b"run", str(at)) for at in range(number)]
    for at, key in enumerate(keys):
        assert cache.put(key, {"features": np.zeros(floats, dtype=np.float32)})
        used_before(cache, key, number - at)
    return keys


def used_before(cache: Cache, key: str, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(Path(cache.folder) / key[:2] / f"{key}.features", (then, then))


def present(cache: Cache, keys: list[str]) -> list[bool]:
    return [(Path(cache.folder) / key[:2] / f"{key}.features").exists() for key in keys]


def test_what_was_used_least_recently_goes_first(cache: Cache) -> None:
    keys = filled(cache, 10)
    size = cache.usage().size // 10
    assert cache.get(keys[0]) is not None  # now the youngest
    assert cache.prune(limit=5 * size) == 6 * size
    assert present(cache, keys) == [at in (0, 7, 8, 9) for at in range(10)]
    assert cache.prune(limit=5 * size) == 0


@given(st.lists(st.integers(1, 3000), max_size=8), st.integers(0, 12_000), st.randoms())
@settings(max_examples=25)
def test_a_cache_is_no_larger_than_its_limit_and_loses_no_more_than_it_must(
    sizes: list[int], limit: int, random: Random
) -> None:
    with TemporaryDirectory() as folder:
        cache = Cache(folder)
        ages = random.sample(range(1, 100), len(sizes))
        paths = {}
        for at, (size, age) in enumerate(zip(sizes, ages, strict=True)):
            path = Path(folder, f"{at:02}", f"{at:02}.features")
            path.parent.mkdir()
            path.write_bytes(bytes(size))
            used_before(cache, f"{at:02}", age)
            paths[age] = path
        freed = cache.prune(limit)
        left = [age for age, path in paths.items() if path.exists()]
        size_of = dict(zip(ages, sizes, strict=True))
        assert freed == sum(sizes) - sum(size_of[age] for age in left)
        if sum(sizes) <= limit:
            assert freed == 0
            return
        assert sorted(left) == sorted(ages)[: len(left)]
        kept = sum(size_of[age] for age in left)
        assert kept <= 0.9 * limit
        oldest_gone = min(set(ages) - set(left))
        assert kept + size_of[oldest_gone] > 0.9 * limit


@pytest.mark.slow
def test_a_cache_with_a_limit_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(folder: Path, limit: int) -> int:
        nonlocal looks
        looks += 1
        return evict(folder, limit)

    monkeypatch.setattr("gale.plumbing.cache.evict", look)
    cache = Cache(tmp_path, limit=60_000)
    filled(cache, 250, floats=25)
    stored = 250 * Cache(tmp_path).usage().size // Cache(tmp_path).usage().entries
    assert cache.usage().size < 1.1 * 60_000
    assert cache.usage().size > 0.8 * 60_000
    expected = 50 * stored / 60_000
    assert 0.7 * expected < looks < 1.3 * expected


def test_a_cache_without_a_limit_never_looks(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("gale.plumbing.cache.evict")
    filled(cache, 20)
    assert cache.usage().entries == 20
    assert cache.prune() == 0


def test_use_is_recorded_only_if_the_record_is_old(cache: Cache) -> None:
    (key,) = filled(cache, 1)
    path = kept_file(cache)
    used_before(cache, key, 0.02)
    before = path.stat().st_mtime_ns
    assert cache.get(key) is not None
    assert path.stat().st_mtime_ns == before
    used_before(cache, key, 2)
    assert cache.get(key, lambda _: False) is None
    assert time.time() - path.stat().st_mtime > 86400
    assert cache.get(key) is not None
    assert time.time() - path.stat().st_mtime < 60


def test_only_what_the_cache_made_is_removed(cache: Cache) -> None:
    filled(cache, 3)
    folder = kept_folder = Path(cache.folder)
    theirs = [folder / "aa" / "notes.txt", folder / "notes" / "b.features", folder / "c.features"]
    left = folder / "aa" / ".aa1.features.gale-tmp"
    fresh = folder / "aa" / ".aa2.features.gale-tmp"
    for path in (*theirs, left, fresh):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1234")
    os.utime(left, (0, 0))
    size = cache.usage().size
    assert cache.clear() == size + 4
    assert cache.usage() == CacheUsage(0, 0, None, None)
    assert all(path.exists() for path in (*theirs, fresh))
    assert not left.exists()
    assert kept_folder.is_dir()


def test_entries_that_go_while_others_look_are_no_error(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = filled(cache, 4)
    monkeypatch.setattr(os, "unlink", lambda path: (_ for _ in ()).throw(FileNotFoundError(path)))
    assert cache.prune(limit=0) == 0
    assert all(present(cache, keys))


def test_who_stores_does_not_wait_for_who_stores_the_same(cache: Cache) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: cache.put("abc", KEPT), range(200)))
    assert [each.name for each in kept_file(cache).parent.iterdir()] == [kept_file(cache).name]


def test_what_cannot_get_its_name_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put("abc", KEPT)
    folder = kept_file(cache).parent
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(PermissionError))
    assert not cache.put("abd", KEPT)
    assert [each.name for each in folder.iterdir()] == ["abc.features"]


USE = """
import sys
import numpy as np
from gale.plumbing.cache import Cache
cache = Cache(sys.argv[1], limit=30_000)
for at in range(90):
    key = Cache.key(b"run", str(at % 30))
    found = cache.get(key)
    assert found is None or found["features"].tolist() == [at % 30] * 500, at
    assert cache.put(key, {"features": np.full(500, at % 30)})
"""


@pytest.mark.slow
def test_processes_share_a_cache_that_is_too_small(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", USE, str(tmp_path)]
    processes = [subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE)
                 for _ in range(2)]  # fmt: skip
    assert [process.communicate()[1] for process in processes] == ["", ""]
    assert 0 < Cache(tmp_path).usage().size < 36_000


def test_the_limit_of_the_default_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    assert Cache.default().limit == LIMIT
    assert Cache(default_folder()).keep_limit(7).limit == 7
    assert Cache.default().limit == 7
    monkeypatch.setenv(LIMIT_VARIABLE, "2 MB")
    assert Cache.default().limit == 2_000_000
    monkeypatch.setenv(LIMIT_VARIABLE, "none")
    assert Cache.default().limit is None
    monkeypatch.setenv(LIMIT_VARIABLE, "much")
    with refused(GaleError, source=LIMIT_VARIABLE, found="is 'much'", expected="a size"):
        Cache.default()
    monkeypatch.delenv(LIMIT_VARIABLE)
    Cache(default_folder()).keep_limit(None)
    assert Cache.default().limit is None
    (default_folder() / "limit.txt").write_text("5 apples")
    with refused(
        GaleError, source=default_folder() / "limit.txt", found="5 apples", remedy="delete the file"
    ):
        Cache.default()


def test_a_limit_below_zero(cache: Cache) -> None:
    with refused(GaleError, source="limit", found="is -1"):
        cache.prune(limit=-1)
