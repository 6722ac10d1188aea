"""Writing: completely or not at all, and never over an existing file by accident."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from gale.errors import OutputError
from gale.plumbing import files
from gale.plumbing.files import check_folder_free, check_free, writing, writing_folder
from gale.run import Run
from gale.writers import FORMATS, Format, write_run
from helpers.errors import Facts, refused


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, action: Callable[[Path], object]) -> None:
    with writing(path, force=True) as temporary:
        temporary.touch()
        action(temporary)


def fail(error: BaseException) -> Callable[[Path], object]:
    def action(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    return action


def check_refused(path: Path, found: Facts, remedy: Facts = (), *, force: bool = False) -> None:
    """Both functions refuse a path, with the same error."""
    with refused(OutputError, path, found=found, remedy=remedy) as checked:
        check_free(path, force=force)
    with pytest.raises(OutputError) as written, writing(path, force=force):
        raise AssertionError("nothing must be written")
    assert str(written.value) == str(checked.value)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    with writing(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == tmp_path, "on the same disk, so that renaming is all or nothing"
        assert not path.exists()
    assert path.read_text() == "half"
    assert names(tmp_path) == ["result.csv"]


def test_what_exists_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_text("precious")
    check_refused(path, "exists", "pass force=True")
    assert path.read_text() == "precious"


def test_force_replaces(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_text("old")
    check_free(path, force=True)
    with writing(path, force=True) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_no_place_for_a_file(tmp_path: Path, force: bool) -> None:
    check_refused(tmp_path, "folder", force=force)


@pytest.mark.parametrize("force", [False, True])
def test_a_missing_folder(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "no" / "result.csv"
    check_refused(path, path.parent, "create", force=force)
    assert names(tmp_path) == []


def test_a_name_without_a_folder_is_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with writing(Path("result.csv")) as temporary:
        temporary.touch()
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_nothing_and_passes(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "result.csv"
    path.write_text("old")
    with pytest.raises(error):
        write(path, fail(error()))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_text("old")
    with refused(OutputError, path, found="No space left on device", remedy="space"):
        write(path, fail(OSError(errno.ENOSPC, "No space left on device")))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"

    def fill(temporary: Path) -> None:
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        temporary.write_text("anything")

    with refused(OutputError, path, found="No space left on device"):
        write(path, fill)
    assert names(tmp_path) == []
    assert Path("/dev/full").exists()


def test_a_renaming_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with refused(OutputError, tmp_path / "result.csv", found="Permission denied"):
        write(tmp_path / "result.csv", Path.touch)
    assert names(tmp_path) == []


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    with writing(path, force=True) as first:
        first.write_text("first")
        with refused(OutputError, path, found="is being written"), writing(path, force=True):
            raise AssertionError("nothing must be written")
    assert path.read_text() == "first"
    assert names(tmp_path) == ["result.csv"]


def test_a_file_that_appears_meanwhile_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    with refused(OutputError, path, found="appeared", remedy="force"), writing(path) as temporary:
        temporary.write_text("mine")
        path.write_text("another's")
    assert (path.read_text(), names(tmp_path)) == ("another's", ["result.csv"])


@pytest.mark.parametrize("appears", [False, True])
def test_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appears: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "result.csv"
    with ExitStack() as stack:
        if appears:
            stack.enter_context(refused(OutputError, path, found="appeared"))
        temporary = stack.enter_context(writing(path))
        temporary.write_text("mine")
        if appears:
            path.write_text("another's")
    assert path.read_text() == ("another's" if appears else "mine")
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no /dev/null")
def test_a_device_is_no_place_for_a_file() -> None:
    check_refused(Path("/dev/null"), "device", force=True)


def test_a_link_to_nothing_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "nothing")
    check_refused(tmp_path / "link.csv", "exists", "pass force=True")


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "campaign"
    with writing_folder(path) as temporary:
        (temporary / "inside").mkdir()
        (temporary / "inside" / "file").write_text("half")
        assert temporary.parent == tmp_path
        assert not path.exists()
    assert (path / "inside" / "file").read_text() == "half"
    assert names(tmp_path) == ["campaign"]


def check_folder_refused(path: Path, found: Facts, remedy: Facts = ()) -> None:
    with refused(OutputError, path, found=found, remedy=remedy), writing_folder(path):
        raise AssertionError("nothing must be written")


@pytest.mark.parametrize("kind", ["folder", "file", "link to nothing"])
def test_a_folder_never_takes_the_place_of_anything(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "campaign"
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.write_text("precious")
    else:
        path.symlink_to(tmp_path / "nothing")
    check_folder_refused(path, "exists")
    assert names(tmp_path) == ["campaign"]


def test_a_folder_in_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "no" / "campaign"
    check_folder_refused(path, path.parent, "create")
    assert names(tmp_path) == []


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    check_folder_refused(tmp_path / ("x" * 300), "File name too long")


def half_write(path: Path, error: BaseException) -> None:
    with writing_folder(path) as temporary:
        (temporary / "file").write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_that_is_not_finished_is_left_nowhere(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        half_write(tmp_path / "campaign", error())
    assert names(tmp_path) == []


def test_a_full_disk_leaves_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "campaign"
    with refused(OutputError, path, found="No space left on device", remedy="space"):
        half_write(path, OSError(errno.ENOSPC, "No space left on device"))
    assert names(tmp_path) == []


def folder_with(path: Path, *files: str) -> Path:
    path.mkdir()
    for name in files:
        (path / name).write_text("old")
    return path


def write_folder(path: Path, error: BaseException | None = None) -> None:
    with writing_folder(path, replaces=("a", "b")) as temporary:
        (temporary / "a").write_text("new")
        if error is not None:
            raise error


@pytest.mark.parametrize("there", [(), ("a",), ("a", "b")])
def test_a_folder_may_take_the_place_of_one_of_its_kind(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    path = folder_with(tmp_path / "result", *there)
    check_folder_free(path, force=True, files=("a", "b"))
    write_folder(path)
    assert (names(path), (path / "a").read_text()) == (["a"], "new")
    assert names(tmp_path) == ["result"]


def test_a_folder_that_is_not_finished_takes_the_place_of_none(tmp_path: Path) -> None:
    path = folder_with(tmp_path / "result", "a", "b")
    with pytest.raises(KeyboardInterrupt):
        write_folder(path, KeyboardInterrupt())
    assert (names(path), (path / "a").read_text()) == (["a", "b"], "old")
    assert names(tmp_path) == ["result"]


def test_a_folder_that_cannot_be_renamed_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder_with(tmp_path / "result", "a", "b")
    rename = Path.rename

    def fail_for_new(source: Path, target: Path) -> Path:
        if source.suffix == ".gale-tmp":
            raise OSError(errno.EACCES, "Permission denied")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with refused(OutputError, path, found="Permission denied"):
        write_folder(path)
    assert (names(path), names(tmp_path)) == (["a", "b"], ["result"])


def check_overwriting_refused(path: Path, found: Facts) -> None:
    """A folder is refused before the work and after it, with the same error."""
    with refused(OutputError, path, found=found) as checked:
        check_folder_free(path, force=True, files=("a", "b"))
    with pytest.raises(OutputError) as written:
        write_folder(path)
    assert str(written.value) == str(checked.value)


def test_nothing_else_is_overwritten_by_a_folder(tmp_path: Path) -> None:
    path = folder_with(tmp_path / "mine", "a", "thesis.tex")
    check_overwriting_refused(path, "thesis.tex")
    assert names(path) == ["a", "thesis.tex"]
    link = tmp_path / "link"
    link.symlink_to(path)
    check_overwriting_refused(link, "not a folder")
    check_overwriting_refused(path / "a", "not a folder")
    check_overwriting_refused(tmp_path / "no" / "result", tmp_path / "no")
    check_overwriting_refused(Path(), "current folder")


def test_a_folder_is_kept_without_force(tmp_path: Path) -> None:
    path = folder_with(tmp_path / "result", "a")
    with refused(OutputError, path, found="exists", remedy="pass force=True"):
        check_folder_free(path, force=False, files=("a",))
    check_folder_free(tmp_path / "other", force=False, files=("a",))


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "campaign"
    with refused(OutputError, path, found="appeared"), writing_folder(path) as temporary:
        (temporary / "file").write_text("mine")
        folder_with(path, "another's")
    assert (names(path), names(tmp_path)) == (["another's"], ["campaign"])


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "an old one there"])
def test_what_appears_meanwhile_in_a_folder_to_replace_is_kept(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "result"
    if there:
        folder_with(path, "a")
    with (
        refused(OutputError, path, found="contains mine.txt"),
        writing_folder(path, replaces=("a",)) as temporary,
    ):
        (temporary / "a").write_text("new")
        path.mkdir(exist_ok=True)
        (path / "mine.txt").touch()
    assert "mine.txt" in names(path)
    assert names(tmp_path) == ["result"]


def test_only_files_that_gale_made_are_replaced(tmp_path: Path) -> None:
    path = folder_with(tmp_path / "result", "a")
    with (
        refused(OutputError, path, found="contains a"),
        writing_folder(path, replaces=("a",), is_own=lambda file: file.read_text() != "old"),
    ):
        raise AssertionError("nothing must be written")
    assert names(tmp_path) == ["result"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_run_on_a_full_disk(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    suffix, write_form = FORMATS[form]

    def write_to_full(run: Run, temporary: Path) -> None:
        temporary.symlink_to("/dev/full")
        write_form(run, temporary)

    monkeypatch.setitem(FORMATS, form, Format(suffix, write_to_full))
    run = Run.from_rows([1, 2, 3], [57, 91, 57], [70, 30, 90])
    path = tmp_path / "run"
    with refused(OutputError, path, found="No space left on device"):
        write_run(run, path, format=form)
    assert names(tmp_path) == []


def test_tables_are_written_where_errors_are_known() -> None:
    """Parquet goes through `write_parquet`, whose errors of a disk are those of every file."""
    package = Path(files.__file__).parents[1]
    found = [file for file in package.rglob("*.py") if ".write_parquet(" in file.read_text("utf-8")]
    assert {file.relative_to(package).as_posix() for file in found} == {
        "plumbing/files.py",
        "plumbing/frames.py",  # into memory
        "writers/table.py",
    }


def test_errors_name_the_output_not_the_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    for make in (writing, writing_folder):
        with refused(OutputError, path, found="full"), make(path) as temporary:
            raise OutputError(temporary, "full")
