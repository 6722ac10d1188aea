"""Errors: their fields, the sentence made of them, several as one, and where warnings point."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import gale
from gale import errors
from gale.errors import SHOWN, CampaignError, GaleError, GaleWarning, ReadError, TableError, warn

KINDS = [
    each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, GaleError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_fields(kind: type[GaleError]) -> None:
    error = kind(Path("run.csv"), "is empty", "a run", "export it again")
    assert (error.source, error.found) == ("run.csv", "is empty")
    assert (error.expected, error.remedy) == ("a run", "export it again")
    assert error.problems == ()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (("a.csv", "is empty", "a run", "copy it"), "a.csv: is empty; expected a run; copy it"),
        (("a.csv", "is empty", "a run"), "a.csv: is empty; expected a run"),
        (("a.csv", "is empty", "", "copy it"), "a.csv: is empty; copy it"),
        (("a.csv", "is empty"), "a.csv: is empty"),
        (("a.csv: row 3", "found 'x'", "0 or 1"), "a.csv: row 3: found 'x'; expected 0 or 1"),
    ],
)
def test_the_sentence(fields: tuple[str, ...], sentence: str) -> None:
    error = GaleError(*fields)
    assert str(error) == sentence
    assert repr(error) == f"GaleError({sentence!r})"


@pytest.mark.parametrize(
    "address", ["s3://bucket/run.csv", "file:///data/run.csv", "memory://run.csv"]
)
def test_an_address_that_was_a_path_has_its_slashes(address: str) -> None:
    assert GaleError(Path(address), "is empty").source == address
    assert GaleError(address, "is empty").source == address


def test_one_of_several_is_that_one() -> None:
    one = ReadError("a.csv", "is empty")
    assert GaleError.of_several([one]) is one


@pytest.mark.parametrize("count", [2, SHOWN, SHOWN + 1, SHOWN + 1234])
def test_several_are_counted_and_the_first_shown(count: int) -> None:
    problems = [TableError(f"a.csv: row {at}", "is blank") for at in range(count)]
    error = CampaignError.of_several(problems)
    assert type(error) is CampaignError
    assert error.problems == tuple(problems)
    assert error.source == "a.csv: row 0"
    first, *lines = str(error).splitlines()
    assert first == f"{count:,} problems were found:"
    assert lines[:SHOWN] == [str(each) for each in problems[:SHOWN]]
    assert lines[SHOWN:] == ([f"and {count - SHOWN:,} more"] if count > SHOWN else [])
    assert repr(error) == f"CampaignError({str(error)!r})"


def fail(several: bool) -> None:
    one = ReadError(Path("a.csv"), "is empty", "a run", "copy it")
    raise ReadError.of_several([one, one]) if several else one


@pytest.mark.parametrize("several", [False, True])
def test_errors_come_from_another_process(several: bool) -> None:
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(ReadError) as caught,
    ):
        pool.submit(fail, several).result()
    with pytest.raises(ReadError) as expected:
        fail(several)
    assert str(caught.value) == str(expected.value)
    assert caught.value.source == "a.csv"
    assert (caught.value.expected == "a run") is not several
    assert len(caught.value.problems) == (2 if several else 0)


def test_a_warning_is_at_the_line_outside_gale() -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        warn("2 runs are left out")
        gale.Progress().note("3 runs are left out")
    assert [each.category for each in given] == [GaleWarning, GaleWarning]
    assert [str(each.message) for each in given] == ["2 runs are left out", "3 runs are left out"]
    assert [each.filename for each in given] == [__file__, __file__]
    assert given[1].lineno == given[0].lineno + 1


def test_a_package_named_like_gale_is_outside_of_it() -> None:
    path = f"{Path(errors.__file__).parent}_lab/script.py"
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        exec(compile("warn('left out')", path, "exec"), {"warn": warn})
    assert given[0].filename == path


@pytest.mark.parametrize("sign", ["\n", "\r", "\0", "\x1b", "\x85", "\u2028", "\udce9"])
def test_whatever_a_file_holds_the_message_is_one_line(sign: str) -> None:
    error = GaleError(f"a{sign}b.csv", f"has {sign}", f"no {sign}", "rename it")
    assert len(str(error).splitlines()) == 1
    assert sign not in str(error)
    assert error.source == f"a{sign}b.csv"
    str(error).encode("utf-8")
