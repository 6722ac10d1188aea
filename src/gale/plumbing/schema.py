"""Schemas: what values read from JSON have to be, declared field by field.

A schema is a `Value`, a `ListOf`, a `Table` or an `Either` of schemas. :func:`misfits` compares a
value with it, and :func:`read_json` reads JSON without what JSON does not have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gale.errors import GaleError
from gale.plumbing.text import shown

LARGEST = 2**53
"""Whole numbers up to this one are exact wherever JSON is read."""

MOST = 1e300
"""Numbers beyond are not taken for finite: a product of two may not be."""

DEEPEST = 16
"""Levels of lists and tables in a plain value."""


class Misfit(NamedTuple):
    """A place whose value is not what a schema says; `found` is None if nothing is there."""

    place: str
    found: str | None
    expected: str


@dataclass(frozen=True)
class Value:
    """A single value: what it has to be, in words, and whether a value is."""

    expected: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True)
class ListOf:
    """A list: what each item has to be, and how many there are, if that is known."""

    item: Schema
    length: int | None = None
    least: int = 0


@dataclass(frozen=True)
class Table:
    """A table: what each field has to be; a field in `optional` may be missing.

    Other fields are ignored, since later versions may state more.
    """

    fields: Mapping[str, Schema]
    optional: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True)
class Either:
    """Nothing (null), or what another schema says."""

    schema: Value


Schema = Value | ListOf | Table | Either


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST


def _is_text(value: Any) -> bool:
    """Whether a value is a text that can be written: JSON can hold halves of characters."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def whole(least: int = 0, most: int = LARGEST) -> Value:
    """Whole numbers within limits."""
    limits = f"{least} or more" if most == LARGEST else f"from {least} to {most:,}"
    return Value(
        f"a whole number, {limits}",
        lambda value: (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        ),
    )


def number(least: float = -MOST, most: float = MOST) -> Value:
    """Finite numbers within limits."""
    limits = "" if most == MOST else f" from {least:g} to {most:g}"
    return Value(f"a number{limits}", lambda value: _is_number(value) and least <= value <= most)


TEXT = Value("a text", _is_text)
NAME = Value("a text that is not blank", lambda value: _is_text(value) and bool(value.strip()))
YES_NO = Value("true or false", lambda value: isinstance(value, bool))


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        return depth < DEEPEST and all(
            _is_text(key) and _is_plain(each, depth + 1) for key, each in value.items()
        )
    if isinstance(value, list):
        return depth < DEEPEST and all(_is_plain(each, depth + 1) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= LARGEST
    return value is None or isinstance(value, bool) or _is_number(value) or _is_text(value)


PLAIN = Value("texts, numbers, true, false and null, in lists and tables", _is_plain)
PLAIN_TABLE = Value(
    f"a table of {PLAIN.expected}", lambda value: isinstance(value, dict) and _is_plain(value)
)

NAMES_OF_COLUMNS = Value(
    "a table of texts",
    lambda value: isinstance(value, dict) and all(map(TEXT.fits, (*value, *value.values()))),
)


def misfits(value: Any, schema: Schema, place: str = "") -> Iterator[Misfit]:
    """Compare a value with a schema, and yield every place where it does not fit.

    Examples
    --------
    >>> schema = Table({"runs": whole(1), "shares": ListOf(number(0, 1), length=2)})
    >>> for misfit in misfits({"runs": 0, "shares": [0.5, "?"]}, schema):
    ...     print(misfit.place, "is", misfit.found, "and not", misfit.expected)
    runs is 0 and not a whole number, 1 or more
    shares[1] is '?' and not a number from 0 to 1
    """
    match schema:
        case Value():
            if not schema.fits(value):
                yield Misfit(place, _shown(value), schema.expected)
        case Either():
            if value is not None and not schema.schema.fits(value):
                yield Misfit(place, _shown(value), f"null, or {schema.schema.expected}")
        case ListOf():
            yield from _list_misfits(value, schema, place)
        case Table():
            yield from _table_misfits(value, schema, place)


def check_schema(
    value: Any, schema: Schema, source: str, error: type[GaleError], *, place: str, remedy: str = ""
) -> None:
    """Refuse what is not as a schema says; the first misfit is named.

    Parameters
    ----------
    value : object
    schema : Schema
    source : str
        Name of the file that the value is from, for messages.
    error : type of GaleError
    place : str
        What to call the value in messages, as ``features``; empty for a whole file.
    remedy : str

    Raises
    ------
    GaleError
        Of the kind `error`.
    """
    for misfit in misfits(value, schema, place):
        if misfit.found is None:
            raise error(source, f"is damaged: it lacks {misfit.place}", misfit.expected, remedy)
        named = f"its {misfit.place}" if misfit.place else "it"
        raise error(source, f"is damaged: {named} is {misfit.found}", misfit.expected, remedy)


def _list_misfits(value: Any, schema: ListOf, place: str) -> Iterator[Misfit]:
    if not isinstance(value, list):
        yield Misfit(place, _shown(value), "a list")
    elif schema.length is not None and len(value) != schema.length:
        yield Misfit(place, f"a list of {len(value):,}", f"a list of {schema.length:,}")
    elif len(value) < schema.least:
        yield Misfit(place, f"a list of {len(value):,}", f"a list of {schema.least:,} or more")
    else:
        for at, item in enumerate(value):
            yield from misfits(item, schema.item, f"{place}[{at}]")


def _table_misfits(value: Any, schema: Table, place: str) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(place, _shown(value), "a table")
        return
    for name, of_field in {**schema.fields, **schema.optional}.items():
        where = f"{place}.{name}" if place else name
        if name in value:
            yield from misfits(value[name], of_field, where)
        elif name in schema.fields:
            yield Misfit(where, None, _expected(of_field))


def _expected(schema: Schema) -> str:
    match schema:
        case Value():
            return schema.expected
        case Either():
            return f"null, or {schema.schema.expected}"
        case ListOf():
            return "a list"
        case Table():
            return "a table"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return shown(value)
    try:
        text = json.dumps(value)
    except ValueError:  # an integer of thousands of digits
        text = "a very long number"
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_json(text: str | bytes) -> Any:
    """Read JSON; NaN and infinity, which JSON does not have, are refused.

    Raises
    ------
    ValueError
        If it is not JSON, or is nested too deeply.

    Examples
    --------
    >>> read_json('{"runs": 3}')
    {'runs': 3}
    >>> read_json("[NaN]")
    Traceback (most recent call last):
        ...
    ValueError: NaN is not JSON
    """

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
