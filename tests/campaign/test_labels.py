"""Label tables: what is read, and every way in which they can be wrong."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.campaign.labels import RESERVED, Problems, prevalence_of, read_label_table
from gale.errors import CampaignError, TableError

NAMES = (  # without "\\r", which the csv module writes unquoted
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
    .map(str.strip)
    .filter(bool)
)
CELLS = {np.nan: ["", " "], 0.0: ["0", "0.0", " 0"], 1.0: ["1", "1.0", "1 "]}


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems_of(path: Path) -> list[str]:
    """The lines of the error, without the path."""
    with pytest.raises(TableError) as caught:
        read_label_table(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


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


def test_prevalence_is_over_known_labels() -> None:
    nan = np.nan
    values = np.array([[1, nan, 0], [0, nan, 0], [nan, nan, 0], [1, nan, nan]], dtype=np.float32)
    np.testing.assert_array_equal(prevalence_of(values), [2 / 3, nan, 0])
    np.testing.assert_array_equal(prevalence_of(values[:0]), [nan, nan, nan])


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
    ("text", "message"),
    [
        (
            "run,alcohol\na,1\nb,0\na,1\n",
            "row 4, column run: found 'a' as in row 2; expected every run once",
        ),
        ("run,alcohol\na,2\n", "row 2, column alcohol: found '2'; expected 0, 1 or blank"),
        ("run,alcohol\na,yes\n", "row 2, column alcohol: found 'yes'; expected 0, 1 or blank"),
        (
            'run,alcohol\n"a\nb",1\n\nc,NaN\n',
            "row 4, column alcohol: found 'NaN'; expected 0, 1 or blank",
        ),
        ("run,alcohol\n,1\n", "row 2, column run: found a blank; expected the name of a run"),
        (
            "run,alcohol,alcohol\na,1,0\n",
            "row 1, column alcohol: found in columns 2 and 3; expected every column once",
        ),
        (
            "run,alcohol, \na,1,0\n",
            "row 1, column 3: found a blank; expected the name of a column",
        ),
        ("run\na\n", "row 1: found no family columns; expected one for each family"),
        *(
            (
                f"run,alcohol,{name}\na,1,0\n",
                f"row 1, column {name}: is the name of another column in tables of "
                "predictions; expected another name for the family; rename it",
            )
            for name in ("status", "message", "unlike", "sample_id", "split", "alcohol_spread")
        ),
        (
            "name,alcohol\na,1\n",
            "row 1, column 1: found 'name'; expected run or sample_id, "
            "and commas between the columns",
        ),
        ("run,alcohol\n", "found no rows below the header; expected one for each run"),
        ("run,alcohol\na,1,0\n", "row 2: found 3 cells; expected 2"),
        ("run,alcohol\na\n", "row 2: found 1 cell; expected 2"),
        ("", "row 1: found no header; expected the names of the columns"),
        ("\nrun,alcohol\na,1\n", "row 1: found no header; expected the names of the columns"),
        (
            'run,alcohol\n"a,1\n',
            "found broken CSV (unexpected end of data); expected a table separated by commas",
        ),
        (
            b"run,alcohol\n\xe4,1\n",
            "found byte 0xe4 at 12, which is not UTF-8; expected a CSV table; save it as CSV UTF-8",
        ),
        (
            f"run,alcohol\na,{'x' * 100}\n",
            f"row 2, column alcohol: found '{'x' * 57}...'; expected 0, 1 or blank",
        ),
    ],
)
def test_one_problem_is_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert problems_of(write(tmp_path, text)) == [message]


@pytest.mark.parametrize("name", ["none.csv", "."], ids=["missing", "a folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (line,) = problems_of(tmp_path / name)
    assert re.fullmatch(r"cannot be read \(.+\); expected a CSV table", line)


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    text = "id,alcohol,,alcohol\na,2,0,1\na,1\n,x,1,1\n"
    assert problems_of(write(tmp_path, text)) == [
        "6 problems were found:",
        "row 1, column 3: found a blank; expected the name of a column",
        "row 1, column alcohol: found in columns 2 and 4; expected every column once",
        "row 3: found 2 cells; expected 4",
        "row 1, column 1: found 'id'; expected run or sample_id, and commas between the columns",
        "row 2, column alcohol: found '2'; expected 0, 1 or blank",
        "row 4, column alcohol: found 'x'; expected 0, 1 or blank",
    ]


@pytest.mark.parametrize(
    ("count", "last"), [(20, "row 21"), (21, "and 1 more"), (1500, "and 1,480 more")]
)
def test_at_most_twenty_are_shown(tmp_path: Path, count: int, last: str) -> None:
    path = write(tmp_path, "run,alcohol\n" + "".join(f"r{i},?\n" for i in range(count)))
    lines = problems_of(path)
    assert lines[0] == f"{count:,} problems were found:"
    assert len(lines) == 1 + min(count, 20) + (count > 20)
    assert lines[-1].startswith(last)


def test_problems_are_raised_as_the_error_asked_for() -> None:
    problems = Problems(CampaignError)
    problems.check()
    problems.add(Path("a.csv"), "found x; expected y", column="z")
    with pytest.raises(CampaignError, match=r"^a\.csv: column z: found x; expected y$"):
        problems.check()
