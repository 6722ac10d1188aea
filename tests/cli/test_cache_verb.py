"""`gale cache`: what it shows, the limit that it keeps, and what it removes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from gale.plumbing.cache import Cache
from helpers.commands import invoke, succeed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.delenv("GALE_CACHE_LIMIT", raising=False)
    return tmp_path / "features"


def fill(number: int) -> None:
    cache = Cache.default()
    for at in range(number):
        key = Cache.key(b"run", str(at))
        cache.put(key, {"features": np.zeros(25_000, dtype=np.float32)})
        then = time.time() - at * 86400 - 60
        os.utime(Path(cache.folder) / key[:2] / f"{key}.features", (then, then))


def facts() -> dict[str, str]:
    lines = succeed("cache").stdout.splitlines()
    return {name: text.strip() for name, text in (line.split(":", 1) for line in lines)}


def test_an_empty_cache(folder: Path) -> None:
    assert facts() == {"folder": str(folder), "entries": "0", "size": "0 bytes (at most 10 GB)"}
    assert not folder.exists()


def test_place_size_number_and_age(folder: Path) -> None:
    fill(5)
    assert facts() == {
        "folder": str(folder),
        "entries": "5",
        "size": "501.5 kB (at most 10 GB)",
        "used": "the most recent one 1 minute ago, the least recent one 4 days ago",
    }


def test_a_limit_is_kept_and_comes_into_force(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(5)
    lines = succeed("cache", "--limit", "350 kB").stdout.splitlines()
    assert lines[0] == "freed: 200.6 kB"
    assert facts()["size"] == "300.9 kB (at most 350 kB)"
    monkeypatch.setenv("GALE_CACHE_LIMIT", "1MB")
    assert facts()["size"].endswith("(at most 1 MB)")
    assert "GALE_CACHE_LIMIT" in succeed("cache", "--limit", "none").stderr
    monkeypatch.delenv("GALE_CACHE_LIMIT")
    assert facts()["size"].endswith("(no limit)")


def test_clear_leaves_the_limit() -> None:
    fill(2)
    result = succeed("cache", "--limit", "1GB", "--clear")
    assert result.stdout.startswith("freed: 200.6 kB\n")
    assert facts()["size"] == "0 bytes (at most 1 GB)"
    assert succeed("cache", "--clear").stdout.startswith("freed: 0 bytes\n")


@pytest.mark.parametrize("limit", ["much", "-5GB", ""])
def test_a_limit_that_is_none(limit: str, folder: Path) -> None:
    result = invoke("cache", "--limit", limit)
    assert result.exit_code == 2
    assert "such as 5GB" in result.stderr
    assert not folder.exists()


def test_a_damaged_limit_is_set_again(folder: Path) -> None:
    folder.mkdir()
    (folder / "limit.txt").write_text("x")
    assert invoke("cache").exception is not None
    assert "at most 2 GB" in succeed("cache", "--limit", "2GB").stdout
