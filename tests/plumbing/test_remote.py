"""Files at addresses: in memory, on this machine, and in a store that makes trouble."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import gale
from gale.errors import OutputError, ReadError
from gale.plumbing.batches import identity
from gale.plumbing.files import (
    check_free,
    check_here,
    write_content,
    writing,
    writing_folder,
)
from gale.plumbing.reading import open_file, read_bytes, read_unchanging, size_of
from gale.plumbing.remote import address_of, files_at, fitting
from gale.plumbing.text import display_name
from helpers.errors import refused
from helpers.run_files import assert_same, csv, small_run


class Troubled(MemoryFileSystem):  # type: ignore[misc]
    """A store whose library has errors of its own, and whose files change while they are read."""

    protocol = "troubled"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def _open(self, path: str, mode: str = "rb", **named: Any) -> Any:
        if mode == "rb" and "denied" in path:
            raise RuntimeError("An error occurred (AccessDenied)\nand a second line")
        if mode == "wb" and "full" in path:
            raise RuntimeError("An error occurred (AccessDenied)\nand a second line")
        opened = super()._open(path, mode, **named)
        if mode == "rb" and "changing" in path:
            self.pipe_file(path, b"something else")
        return opened


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """A store in memory with one run."""
    fsspec.register_implementation("troubled", Troubled, clobber=True)
    system = MemoryFileSystem()
    system.pipe_file("/runs/a.csv", csv(small_run()))
    yield system
    system.store.clear()


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("s3://bucket/a b.csv", "s3://bucket/a b.csv"),
        (Path("S3://bucket/a.csv"), "s3://bucket/a.csv"),
        (Path("file:///tmp/a.csv"), "file:///tmp/a.csv"),
        ("C:/runs/a.csv", None),
        ("runs/a.csv", None),
        ("12:30/a.csv", None),
    ],
)
def test_what_is_an_address(path: str | Path, address: str | None) -> None:
    assert address_of(path) == address


def test_a_folder_of_this_machine_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("memory:").mkdir()
    Path("memory:/a.csv").write_bytes(csv(small_run()))
    assert address_of("memory:/a.csv") is None
    assert_same(gale.read_run("memory:/a.csv"), small_run())


def test_runs_in_memory_and_at_addresses_of_this_machine(
    memory: MemoryFileSystem, tmp_path: Path
) -> None:
    (tmp_path / "b.csv").write_bytes(csv(small_run()))
    for address in ("memory://runs/a.csv", f"file://{tmp_path}/b.csv"):
        assert_same(gale.read_run(address), small_run())
        assert_same(gale.read_run(Path(address)), small_run())
        assert display_name(Path(address)) == address
        assert size_of(Path(address)) == len(csv(small_run()))
    assert fitting("memory://runs/*.csv") == ["memory:///runs/a.csv"]


def test_a_file_that_changes_has_another_identity(memory: MemoryFileSystem) -> None:
    before = identity("memory:/runs/a.csv")
    assert before == identity("memory://runs/a.csv")
    memory.pipe_file("/runs/a.csv", b"time,mass,intensity\n")
    assert before != identity("memory:/runs/a.csv") != ""
    assert identity("memory://runs/none.csv") == ""


def test_a_file_that_is_too_large(memory: MemoryFileSystem) -> None:
    assert len(read_bytes("memory://runs/a.csv", len(csv(small_run())))) == len(csv(small_run()))
    with pytest.raises(OSError, match="larger"):
        read_bytes("memory://runs/a.csv", 10)


@pytest.mark.parametrize(
    ("address", "found", "expected"),
    [
        ("memory://runs/none.csv", "does not exist", "file"),
        ("memory://runs", "folder", "file"),
        ("nowhere://runs/a.csv", "nowhere", "fsspec"),
        ("troubled://denied.csv", "AccessDenied", "fsspec"),
        ("troubled://changing.csv", "changed", "nothing"),
    ],
)
def test_what_cannot_be_read_says_so_in_one_line(
    memory: MemoryFileSystem, address: str, found: str, expected: str
) -> None:
    Troubled().pipe_file("troubled://changing.csv", csv(small_run()))
    with refused(ReadError, address, found=found, expected=expected) as caught:
        gale.read_run(address)
    assert "second line" not in str(caught.value)


@pytest.mark.parametrize("package", ["fsspec", "fsspec.implementations.sftp"])
def test_a_package_that_is_not_installed(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "fsspec.core", raising=False)
    remedy = "gale-ms[remote]" if package == "fsspec" else ("install", "paramiko")
    if package != "fsspec":
        monkeypatch.undo()
        monkeypatch.setitem(sys.modules, "paramiko", None)
    with refused(ReadError, "sftp://host/a.csv", found="installed", remedy=remedy):
        gale.read_run("sftp://host/a.csv")


def test_what_may_be_written_at_an_address(memory: MemoryFileSystem) -> None:
    check_free(Path("memory://new/a.csv"), force=False)
    check_free(Path("memory://runs/a.csv"), force=True)
    with refused(OutputError, "memory://runs/a.csv", found="exists", remedy="force=True"):
        check_free(Path("memory://runs/a.csv"), force=False)
    with refused(OutputError, "memory://runs", found="folder"):
        check_free(Path("memory://runs"), force=True)
    with refused(OutputError, "memory://runs/a.csv", found="address", expected="this machine"):
        check_here(Path("memory://runs/a.csv"))


def write_half(path: Path) -> None:
    with writing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError


def test_a_file_appears_whole_or_not_at_all(memory: MemoryFileSystem, tmp_path: Path) -> None:
    for address in ("memory://new/a.txt", f"{tmp_path.as_uri()}/new/a.txt"):
        with pytest.raises(KeyError):
            write_half(Path(address))
        assert files_at(address.rpartition("/")[0], below=True) == []
        with writing(Path(address)) as temporary:
            temporary.write_bytes(b"whole")
        assert files_at(address.rpartition("/")[0], below=True) == ["a.txt"]
        assert read_bytes(address) == b"whole"


def make_folder_at(address: str, **how: Any) -> None:
    with writing_folder(Path(address), last="index", **how) as unfinished:
        for name in ("index", "deeper/a", "z"):
            write_content(unfinished / name, f"{name} of it")
        where, _, name = address.rpartition("/")
        assert not any(each.startswith(f"{name}/") for each in files_at(where, below=True))


def test_a_folder_appears_when_all_of_it_is_made(memory: MemoryFileSystem, tmp_path: Path) -> None:
    for address in ("memory://new/folder", f"{tmp_path.as_uri()}/new/folder"):
        make_folder_at(address)
        where = address.rpartition("/")[0]
        there = [f"folder/{name}" for name in ("deeper/a", "index", "z")]
        assert files_at(where, below=True) == there
        assert read_bytes(f"{address}/index") == b"index of it"
        with refused(OutputError, address, found="exists"):
            make_folder_at(address)
        write_content(Path(address, "old"), "of another one")
        with refused(OutputError, address, found="old", expected="overwritten"):
            make_folder_at(address, replaces=["index", "deeper/*", "z"])
        with refused(OutputError, address, found="deeper/a"):
            make_folder_at(address, replaces=["*"], is_own=lambda file: file.name != "a")
        assert "folder/old" in files_at(where, below=True)
        with writing_folder(Path(address), replaces=["*"]) as unfinished:
            write_content(unfinished / "new", "")
        assert files_at(where, below=True) == ["folder/new"]
    assert [each.name for each in tmp_path.iterdir()] == ["new"]


def half_make(address: str) -> None:
    with writing_folder(Path(address)) as unfinished:
        write_content(unfinished / "a", "half")
        raise KeyboardInterrupt


def test_a_folder_that_cannot_be_finished_leaves_nothing(
    memory: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("memory://new/folder", f"{tmp_path.as_uri()}/new/folder"):
        with pytest.raises(KeyboardInterrupt):
            half_make(address)
        assert files_at(address.rpartition("/")[0], below=True) == []

    copied: list[str] = []

    def copy(_: object, __: str, path: str) -> None:
        memory.pipe_file(path, b"")
        copied.append(path)
        if path.endswith("index"):
            raise RuntimeError("An error occurred (AccessDenied)")

    monkeypatch.setattr(MemoryFileSystem, "cp_file", copy)
    with refused(OutputError, "memory://new/folder", found="AccessDenied", remedy="rights"):
        make_folder_at("memory://new/folder")
    assert copied == ["/new/folder/deeper/a", "/new/folder/z", "/new/folder/index"]
    assert files_at("memory://new", below=True) == []


def test_a_store_that_refuses_to_write(memory: MemoryFileSystem) -> None:
    with (
        refused(OutputError, "troubled://full/a.txt", found="AccessDenied", remedy="rights"),
        writing(Path("troubled://full/a.txt")) as temporary,
    ):
        temporary.write_bytes(b"whole")
    assert files_at("troubled://full") == []


def test_a_file_is_read_in_pieces_and_as_a_whole(memory: MemoryFileSystem) -> None:
    with open_file("memory://runs/a.csv") as file:
        assert file.read(4) + file.read() == read_unchanging("memory://runs/a.csv")


def test_a_full_disk_leaves_no_half_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"before")

    def fill(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.mv", fill)
    address = f"{tmp_path.as_uri()}/a.txt"
    with (
        refused(OutputError, address, found="No space left", remedy="free some space"),
        writing(Path(address), force=True) as temporary,
    ):
        temporary.write_bytes(b"after")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.txt", b"before")]
