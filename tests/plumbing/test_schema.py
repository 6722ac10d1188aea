"""Schemas: what fits, what does not, and where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.errors import TableError
from gale.plumbing.schema import (
    NAME,
    PLAIN,
    TEXT,
    YES_NO,
    Either,
    ListOf,
    Schema,
    Table,
    check_schema,
    misfits,
    number,
    read_json,
    whole,
)
from helpers.errors import refused

SCHEMA = Table(
    {"name": NAME, "shares": ListOf(number(0, 1), length=2), "on": YES_NO},
    {"seed": whole(), "of": Either(TEXT), "parts": ListOf(Table({"size": whole(1)}), least=1)},
)
GOOD = {"name": "a", "shares": [0, 1.0], "on": False, "more": "is ignored"}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, None),
        ({"seed": 0, "of": None, "parts": [{"size": 1}]}, None),
        ({"name": " "}, "name"),
        ({"name": 3}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"shares": [0.5]}, "shares"),
        ({"shares": {"0": 0.5}}, "shares"),
        ({"shares": [0.5, 1.5]}, "shares[1]"),
        ({"shares": [True, 0.5]}, "shares[0]"),
        ({"shares": [0.5, float("nan")]}, "shares[1]"),
        ({"shares": [0.5, 10**400]}, "shares[1]"),
        ({"on": 1}, "on"),
        ({"seed": True}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": -1}, "seed"),
        ({"of": 5}, "of"),
        ({"parts": []}, "parts"),
        ({"parts": [{}]}, "parts[0].size"),
        ({"parts": [{"size": 1}, 7]}, "parts[1]"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], place: str | None) -> None:
    value = GOOD | changes
    assert [each.place for each in misfits(value, SCHEMA)] == ([place] if place else [])
    if place:
        with refused(TableError, "x.json", found=place, remedy="again"):
            check_schema(value, SCHEMA, "x.json", TableError, place="", remedy="try again")


def test_what_is_missing_is_named() -> None:
    for name in SCHEMA.fields:
        value = {key: each for key, each in GOOD.items() if key != name}
        (misfit,) = misfits(value, SCHEMA)
        assert (misfit.place, misfit.found) == (name, None)


@pytest.mark.slow
@given(VALUES)
def test_any_value_fits_or_not(value: Any) -> None:
    schemas: list[Schema] = [SCHEMA, PLAIN, ListOf(SCHEMA), Either(NAME), number(0, 1), whole()]
    for schema in schemas:
        for misfit in misfits(value, schema, "it"):
            assert misfit.place.startswith("it")
            assert misfit.expected
    if not [*misfits(value, PLAIN)]:
        assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "{", "[" * 10**5])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever kind
        read_json(text)
