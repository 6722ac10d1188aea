"""Only ordinary files are read: nothing waits for a pipe, and no device fills the memory."""

from __future__ import annotations

import ast
import errno
import os
import re
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gale
from gale.campaign.labels import read_label_table
from gale.chemistry.families import read_family_table
from gale.errors import GaleError
from gale.evaluation.predictions import read_predictions
from gale.features import compute_features
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.plumbing.reading import is_within, open_file, read_bytes, read_text
from helpers.run_files import csv, small_run

SPEC = ProfileSpec(ElutionSpec(mz_first=50, mz_last=99), 10)
SOURCES = Path(__file__).parents[2] / "src" / "gale"

ALLOWED = {
    "plumbing/reading.py": {"open", "os.open"},
    "plumbing/remote.py": {"system.open"},  # a store's, through reading
    "plumbing/locks.py": {"os.open"},  # a lock, which is made
    "plumbing/files.py": {"os.open", "path.open"},  # made, too
    "plumbing/sheets.py": {"archive.open"},
    "writers/mzml.py": {"path.open"},  # written
    "writers/netcdf.py": {"path.open"},  # written
    "training/journal.py": {"temporary.open"},  # written
    "readers/__init__.py": {"content.open", "archive.open"},
    "readers/archives.py": {"self.open", "content.open", "archive.open"},
    "readers/instrument_folders.py": {"entry.read_bytes"},  # of an archive
    "chemistry/families.py": {"source.read_text"},  # came with gale, as the next ones
    "simulation/physics.py": {"source.read_text"},
    "training/recipe.py": {"named.read_text"},
    "serve/pool.py": {"open"},  # of /proc
    "serve/uploads.py": {"path.open"},  # written
    "training/shipped.py": {"file.read_bytes", "_files()[0].read_bytes"},
}
"""Who may open what, by its module; all else that opens a file goes through `reading`."""

OURS = {
    "gale.Campaign.open",
    "Campaign.open",
    "Journal.open",
    "Partial.open",
    "FeatureDataset.open",
}
OPENING = {"open", "read_bytes", "read_text", "open_text", "fdopen", "memmap", "fromfile"}


def came_with_gale(call: ast.Attribute) -> bool:
    """Whether the file is one that the package has in itself."""
    return re.search(r"files\('gale[.\w]*'\)", ast.unparse(call.value)) is not None


def openings(tree: ast.AST) -> set[str]:
    """What is called to open a file, as it is written."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = {
        ast.unparse(each)
        for each in calls
        if isinstance(each, ast.Attribute) and each.attr in OPENING and not came_with_gale(each)
    }
    builtin = {each.id for each in calls if isinstance(each, ast.Name) and each.id == "open"}
    return methods | builtin


@pytest.mark.slow
def test_files_are_opened_in_one_place() -> None:
    found = {
        file.relative_to(SOURCES).as_posix(): openings(ast.parse(file.read_text("utf-8"))) - OURS
        for file in SOURCES.rglob("*.py")
    }
    others = {place: calls - ALLOWED.get(place, set()) for place, calls in found.items()}
    assert {place: calls for place, calls in others.items() if calls} == {}


JSON = {
    "plumbing/schema.py": "the one place",
    "plumbing/batches.py": "parts whose checksum is right",
    "readers/instrument_folders.py": "folders that this or another process has packed",
    "serve/pool.py": "what crosses between processes of one server",
    "serve/store.py": "the server's own database",
}
"""Where JSON is read, and why it is gale's own; other JSON may be nested without end."""


def test_json_is_read_in_one_place() -> None:
    found = {
        file.relative_to(SOURCES).as_posix()
        for file in SOURCES.rglob("*.py")
        if "json.load" in re.sub(r"(?m)^ *(>>>|\.\.\.).*$", "", file.read_text("utf-8"))
    }
    assert found == set(JSON)


READS: dict[str, Callable[[Path], object]] = {
    "a run": gale.read_run,
    "labels": read_label_table,
    "predictions": read_predictions,
    "library": gale.read_library,
    "model": gale.Model.load,
    "recipe": lambda path: gale.Recipe.load(path.with_suffix(".toml")),
    "families": lambda path: read_family_table(path.with_suffix(".toml")),
    "index table": gale.IndexTable.read,
}


def special(kind: str, path: Path) -> None:
    for each in (path, path.with_suffix(".toml")):
        if kind == "pipe":
            os.mkfifo(each)
        else:
            each.symlink_to("/dev/zero")


@pytest.mark.skipif(sys.platform == "win32", reason="there are neither on Windows")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_pipes_and_devices_are_refused(
    read: Callable[[Path], object], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    special(kind, path)
    with pytest.raises(GaleError) as caught:
        read(path)
    assert f"it is a {kind}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are neither on Windows")
def test_a_batch_goes_on(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("pipe.csv", "device.csv", "socket", "run.csv", "none")]
    os.mkfifo(paths[0])
    paths[1].symlink_to("/dev/zero")
    os.mknod(paths[2], stat.S_IFSOCK | 0o600)
    paths[3].write_bytes(csv(small_run()))
    table = compute_features(paths, SPEC)
    assert table.ok.tolist() == [False, False, False, True, False]
    for error, kind in zip(table.errors, ("pipe", "device", "socket"), strict=False):
        assert error is not None
        assert f"it is a {kind}" in error
        assert "ordinary" in error


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders on Windows")
@pytest.mark.parametrize("name", ["metadata.csv", "labels.csv"])
def test_a_table_of_a_campaign_that_is_a_pipe(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,mass,intensity\n0,18,1\n1,18,2\n")
    os.mkfifo(tmp_path / name)
    with pytest.raises(GaleError) as caught:
        gale.Campaign.open(tmp_path)
    assert "it is a pipe" in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="sockets have no names on Windows")
def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a")
        with pytest.raises(OSError, match="it is a socket"):
            open_file("a")
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_bytes("b")
    with pytest.raises(OSError, match="its name"):
        read_bytes("a\0b")


def test_what_is_put_in_the_place_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and opening."""
    path = tmp_path / "a"
    path.write_text("x")
    seen = path.stat()
    monkeypatch.setattr(os, "stat", lambda *_: seen)
    if sys.platform != "win32":
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(OSError, match="it is a pipe") as caught:
            open_file(path)
        assert caught.value.errno == errno.EINVAL


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(path, "utf-8-sig") == "a\nb\nc\n"
    assert len(read_bytes(path, 10)) == 10
    with pytest.raises(OSError, match="larger"):
        read_bytes(path, 9)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_within(tmp_path: Path) -> None:
    inside, loop = tmp_path / "folder", tmp_path / "folder" / "loop"
    inside.mkdir()
    loop.symlink_to(loop)
    (inside / "up").symlink_to(tmp_path)
    (inside / "down").symlink_to(inside)
    assert [is_within(inside / name, inside) for name in ("loop", "up", "down", "a", "up/a")] == [
        True, False, True, True, False,
    ]  # fmt: skip
