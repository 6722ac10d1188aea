"""The cache: what it keeps it gives back, and nothing that happens to it stops the work."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from gale.plumbing.cache import Cache, default_folder

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
