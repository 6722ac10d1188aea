"""Label tables: what is read, and every way in which they can be wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.campaign.labels import RESERVED, prevalence_of, read_label_table
from gale.errors import SHOWN, CampaignError, TableError
from gale.plumbing import tables
from gale.plumbing.tables import MAX_COLUMNS, Problems
from helpers.campaign_folders import Problem, check_problems
from helpers.errors import refused

NAMES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=8)
    .map(str.strip)
    .filter(bool)
)
CELLS = {np.nan: ["", " "], 0.0: ["0", "0.0", " 0"], 1.0: ["1", "1.0", "1 "]}


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def check_table(path: Path, *problems: Problem) -> None:
    """Expect problems with sources relative to the table."""
    at_places = [
        problem._replace(source=f"{path.name}{problem.source and f': {problem.source}'}")
        for problem in problems
    ]
    check_problems(path.parent, lambda: read_label_table(path), *at_places, kind=TableError)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_as_spreadsheets_of_other_countries_write(
    mark: str, encoding: str, decimal: str, tmp_path: Path
) -> None:
    text = f"run;alcohol;mineral\nBöden 1,5;1{decimal}0;\nb;0;1\n".replace(";", mark)
    table = read_label_table(write(tmp_path, text.encode(encoding)))
    assert table.runs == ("Böden 1,5", "b")
    assert table.families == ("alcohol", "mineral")
    np.testing.assert_array_equal(table.values, [[1, np.nan], [0, 1]])


def test_reads_runs_families_and_values(tmp_path: Path) -> None:
    table = read_label_table(write(tmp_path, "run,alcohol,mineral\na,1,0\nb,,1.0\nc,0.0,\n"))
    assert table.runs == ("a", "b", "c")
    assert table.families == ("alcohol", "mineral")
    assert table.rows == (2, 3, 4)
    assert table.values.dtype == np.float32
    np.testing.assert_array_equal(table.values, [[1, 0], [np.nan, 1], [0, np.nan]])
    assert table.labelled.all()


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfrun,alcohol\na,1\nb,\n",
        b"run,alcohol\r\na,1\r\nb,\r\n",
        b" run , alcohol\n a ,1 \nb\t, \n",
        b'"run","alcohol"\n"a","1"\n"b",""\n',
        b"sample_id,alcohol\na,1\nb,",
        b"run,alcohol\na,1\n\n,\nb,\n,\n",
    ],
    ids=["byte-order mark", "windows", "blanks", "quotes", "sample_id", "blank rows"],
)
def test_reads_what_spreadsheets_write(tmp_path: Path, text: bytes) -> None:
    table = read_label_table(write(tmp_path, text))
    assert table.runs == ("a", "b")
    assert table.families == ("alcohol",)
    np.testing.assert_array_equal(table.values, [[1], [np.nan]])
    np.testing.assert_array_equal(table.labelled, [True, False])


def test_a_family_may_be_called_a_spread(tmp_path: Path) -> None:
    table = read_label_table(write(tmp_path, "run,spread,_spread,oil_spread\na,1,0,1\n"))
    assert table.families == ("spread", "_spread", "oil_spread")


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_column_of_groups_is_no_family(mark: str, tmp_path: Path) -> None:
    text = "run,alcohol,group,mineral\na,1,Batch 7,0\nb,,,1\nc,0,0,\n".replace(",", mark)
    table = read_label_table(write(tmp_path, text))
    assert table.families == ("alcohol", "mineral")
    assert table.group == ("Batch 7", None, "0")
    np.testing.assert_array_equal(table.values, [[1, 0], [np.nan, 1], [0, np.nan]])
    assert read_label_table(write(tmp_path, "run,alcohol\na,1\n")).group == ()
    assert read_label_table(write(tmp_path, "run,group,alcohol\na,,1\n")).group == (None,)


@pytest.mark.parametrize("cells", [("0", "1"), ("1", ""), ("0,0", "1.0")])
def test_a_column_of_groups_that_may_be_labels(cells: tuple[str, str], tmp_path: Path) -> None:
    text = "run;alcohol;group\na;1;{}\nb;0;{}\n".format(*cells)
    problem = Problem("row 1, column group", ("0, 1", "labels"), "batch 0", "otherwise")
    check_table(write(tmp_path, text), problem)


def test_groups_without_families_and_of_unprintable_names(tmp_path: Path) -> None:
    check_table(
        write(tmp_path, "run,group\na,x\x1b\n"),
        Problem("row 1", "no family"),
        Problem("row 2, column group", "x1b", "control characters"),
    )
    check_table(
        write(tmp_path, "run,group,bad\x1b\na,x,1\n"), Problem("row 1, column 3", "bad", "name")
    )


def test_prevalence_is_over_known_labels() -> None:
    nan = np.nan
    values = np.array([[1, nan, 0], [0, nan, 0], [nan, nan, 0], [1, nan, nan]], dtype=np.float32)
    np.testing.assert_array_equal(prevalence_of(values), [2 / 3, nan, 0])
    np.testing.assert_array_equal(prevalence_of(values[:0]), [nan, nan, nan])


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_valid_table_round_trips(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    runs = data.draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    families = data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    families = [family for family in families if family not in RESERVED] or ["alcohol"]
    values = [[data.draw(st.sampled_from(list(CELLS))) for _ in families] for _ in runs]
    path = tmp_path_factory.getbasetemp() / "random.csv"
    with path.open(
        "w", newline="", encoding=data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))
    ) as file:
        writer = csv.writer(file, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])))
        writer.writerow(["run", *families])
        for run, row in zip(runs, values, strict=True):
            writer.writerow([run, *(data.draw(st.sampled_from(CELLS[value])) for value in row)])

    table = read_label_table(path)
    assert table.runs == tuple(runs)
    assert table.families == tuple(families)
    np.testing.assert_array_equal(table.values, np.array(values, dtype=np.float32))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("run,alcohol\na,1\nb,0\na,1\n", Problem("row 4, column run", ("'a'", "row 2"), "once")),
        ("run,alcohol\na,2\n", Problem("row 2, column alcohol", "'2'", ("0", "1", "blank"))),
        ("run,alcohol\na,yes\n", Problem("row 2, column alcohol", "'yes'", "blank")),
        ('run,alcohol\n"a\n",1\n\nc,NaN\n', Problem("row 4, column alcohol", "'NaN'", "blank")),
        ("run,alcohol\n,1\n", Problem("row 2, column run", "blank", "run")),
        ("run,alcohol,alcohol\na,1,0\n", Problem("row 1, column alcohol", "2 and 3", "once")),
        ("run,alcohol, \na,1,0\n", Problem("row 1, column 3", "blank", "column")),
        ("run\na\n", Problem("row 1", "family columns")),
        *(
            (
                f"run,alcohol,{name}\na,1,0\n",
                Problem(f"row 1, column {name}", "reserved", "another", "rename"),
            )
            for name in ("status", "message", "unlike", "sample_id", "split", "alcohol_spread")
        ),
        ("name,alcohol\na,1\n", Problem("row 1, column 1", "'name'", ("sample_id", "commas"))),
        ("run,alcohol\n", Problem("", "rows")),
        ("run,alcohol\na,1,0\n", Problem("row 2", "3 cells", "2")),
        ("run,alcohol\na\n", Problem("row 2", "1 cell", "2")),
        ("", Problem("row 1", "header", "columns")),
        ("\nrun,alcohol\na,1\n", Problem("row 1", "header", "columns")),
        ('run,alcohol\n"a,1\n', Problem("", ("CSV", "unexpected end of data"), "commas")),
        (b"run,alcohol\n\xe4,1\n", Problem("", ("0xe4", "12", "UTF-8"), "CSV", "UTF-8")),
        (
            f"run,alcohol\na,{'x' * 100}\n",
            Problem("row 2, column alcohol", f"'{'x' * 57}...'", "blank"),
        ),
    ],
)
def test_one_problem(tmp_path: Path, text: str | bytes, problem: Problem) -> None:
    check_table(write(tmp_path, text), problem)


@pytest.mark.parametrize("name", ["none.csv", "."], ids=["missing", "a folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with refused(TableError, tmp_path / name, found="cannot be read (", expected="CSV"):
        read_label_table(tmp_path / name)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = "id,alcohol,,alcohol\na,2,0,1\na,1\n,x,1,1\n"
    check_table(
        write(tmp_path, text),
        Problem("row 1, column 3", "blank", "column"),
        Problem("row 1, column alcohol", "2 and 4", "once"),
        Problem("row 3", "2 cells", "4"),
        Problem("row 1, column 1", "'id'", "sample_id"),
        Problem("row 2, column alcohol", "'2'", "blank"),
        Problem("row 4, column alcohol", "'x'", "blank"),
    )


def test_the_first_of_many_problems_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "run,alcohol\n" + "".join(f"r{i},?\n" for i in range(1500)))
    with pytest.raises(TableError) as caught:
        read_label_table(path)
    assert len(caught.value.problems) == 1500
    assert f"row {1 + SHOWN}," in str(caught.value)
    assert f"row {2 + SHOWN}," not in str(caught.value)


def test_problems_are_raised_as_the_requested_kind() -> None:
    problems = Problems(CampaignError)
    problems.check()
    problems.add(Path("a.csv"), "found x", "y", "z", column="c")
    with refused(CampaignError, "a.csv: column c", found="x", expected="y", remedy="z"):
        problems.check()
    problems.add(Path("b.csv"), "found x", row=2)
    with pytest.raises(CampaignError) as caught:
        problems.check()
    assert [each.source for each in caught.value.problems] == ["a.csv: column c", "b.csv: row 2"]
    assert {type(each) for each in caught.value.problems} == {CampaignError}


def test_many_families(tmp_path: Path) -> None:
    """In time that grows with their number, and up to a limit."""
    names = [f"f{number}" for number in range(MAX_COLUMNS)]
    path = write(tmp_path, f"run,{','.join(names[1:])}\na{',1' * (MAX_COLUMNS - 1)}\n")
    assert len(read_label_table(path).families) == MAX_COLUMNS - 1
    path = write(tmp_path, f"run,{','.join(names)}\na{',1' * MAX_COLUMNS}\n")
    with refused(TableError, path, found="10,001 columns", expected="10,000"):
        read_label_table(path)


@pytest.mark.parametrize("text", ["run,alcohol\n" + "a\n" * 60, "run,a,b\n" + "," * 200])
def test_more_cells_than_a_table_may_have(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_CELLS", 100)
    path = write(tmp_path, text)
    with refused(TableError, path, expected=()):
        read_label_table(path)


@pytest.mark.parametrize("sign", ["\x1b", "\n", "\x7f", "\x9b", "\u202e"])
def test_names_with_control_characters(sign: str, tmp_path: Path) -> None:
    check_table(
        write(tmp_path, f'run,"al{sign}c"\n"a{sign}b",1\n'),
        Problem("row 2, column run", repr(f"a{sign}b"), "control"),
        Problem("row 1, column 2", repr(f"al{sign}c"), "control"),
    )
