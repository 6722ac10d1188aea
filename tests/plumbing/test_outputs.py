"""Plans of what is written: nothing that is read, nothing twice, all checked before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.errors import OutputError
from gale.plumbing.locks import claimed
from gale.plumbing.outputs import check_no_input, claiming, plan_outputs, planned
from helpers.errors import refused


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("way", ["itself", "hard link", "link", "linked folder", "other spelling"])
def test_what_is_read_is_not_written(tmp_path: Path, way: str) -> None:
    run = tmp_path / "runs" / "run.csv"
    run.parent.mkdir()
    run.write_text("precious")
    output = tmp_path / "output.csv"
    if way == "itself":
        output = run
    elif way == "hard link":
        output.hardlink_to(run)
    elif way == "link":
        output.symlink_to(run)
    elif way == "linked folder":
        (tmp_path / "linked").symlink_to(run.parent)
        output = tmp_path / "linked" / "run.csv"
    else:
        output = tmp_path / "runs" / ".." / "runs" / "run.csv"
    with refused(OutputError, output, found="input"):
        plan_outputs([output], [tmp_path / "absent", run], force=True)
    assert run.read_text() == "precious"


def test_other_files_may_be_written(tmp_path: Path) -> None:
    run, other = tmp_path / "run.csv", tmp_path / "other.csv"
    run.touch()
    plan_outputs([other], [run, other])
    other.touch()
    plan_outputs([other], [run, tmp_path / "absent"], force=True)


def test_a_file_in_a_folder_that_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "run.D"
    (folder / "AcqData").mkdir(parents=True)
    output = folder / "AcqData" / "data.ms"
    output.touch()
    with refused(OutputError, output, found=folder):
        plan_outputs([output], [folder], force=True)


def test_a_folder_that_holds_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    table = tmp_path / "old" / "table.csv"
    table.touch()
    with refused(OutputError, tmp_path / "old", found=table):
        check_no_input([tmp_path / "old"], [table])


@pytest.mark.parametrize("second", ["x.csv", "X.csv", "../here/x.csv"])
def test_nothing_is_written_twice(tmp_path: Path, second: str) -> None:
    here = tmp_path / "here"
    here.mkdir()
    with refused(OutputError, here / second, found="twice"):
        plan_outputs([here / "x.csv", here / second], force=True)


def test_accents_written_in_two_ways_are_one_name(tmp_path: Path) -> None:
    with refused(OutputError, tmp_path / "e\u0301", found="twice"):
        plan_outputs([tmp_path / "\xe9", tmp_path / "e\u0301"])


def test_all_is_checked_and_claimed_before_the_work(tmp_path: Path) -> None:
    table, beside = tmp_path / "table.csv", tmp_path / "table.json"
    beside.touch()
    with refused(OutputError, beside, found="exists"), planned([table, beside]):
        raise AssertionError("no work must begin")
    with planned([table, beside], force=True):
        assert {".table.csv.gale-lock", ".table.json.gale-lock"} < set(names(tmp_path))
    assert names(tmp_path) == ["table.json"]


def test_a_function_claims_what_it_writes(tmp_path: Path) -> None:
    @claiming("table", folder="journal")
    def work(*, table: Path | None, journal: str | None) -> list[str]:
        assert journal is None or Path(journal).parent.is_dir()
        return names(tmp_path)

    assert work(table=None, journal=None) == []
    assert work(table=tmp_path / "t", journal=None) == [".t.gale-lock"]
    assert work(table=tmp_path / "no" / "t", journal=str(tmp_path / "new" / "j")) == ["new"]
    assert names(tmp_path / "new") == []
    with claimed(tmp_path / "t"):
        assert ".t.gale-lock" in work(table=tmp_path / "t", journal=None)
