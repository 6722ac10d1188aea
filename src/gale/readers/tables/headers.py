"""Which columns of a table make a run: by the caller's names, or by the names in the header."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gale.errors import ReadError
from gale.plumbing.arguments import check_kind
from gale.plumbing.text import listed, shown
from gale.readers.tables.names import meaning, named_mz, says_mz

UNITS = {"time_min": "minutes", "time_s": "seconds", "time_ms": "milliseconds"}
"""The unit of the time, for each key under which a caller may name it."""

ROLES = {**dict.fromkeys(UNITS, "time"), "mz": "mz", "intensity": "intensity"}
"""The role of each key under which a caller may name a column."""

DEFAULT_NAMES = {"time": "time", "mz": "mass", "intensity": "intensity"}
"""The column of each role in a long table as gale writes it; the time is in minutes."""

N_COLUMNS = len(DEFAULT_NAMES)

MIN_WIDE = 2
"""A table with at least this many columns named by an m/z is a wide one."""

MAX_COLUMNS = 50_000
"""A table with more columns is no run; a wide one in steps of 0.02 m/z up to 1,000 has as many."""

_NAMELESS = re.compile(r"|Unnamed: 0|V1|X|\.\.\.1")
"""What pandas and R call a first column without a name."""

_KNOWN_BY = {
    "caller": "as given",
    "name": "by its name",
    "default": "as its name gives no unit",
}


class RememberedColumns(dict[str, str]):
    """Names of columns, by key, that other runs had; tables may have none of them."""


class Column(NamedTuple):
    """A column that may be the time, m/z or intensity.

    Parameters
    ----------
    position : int
        Position in the header, from 0.
    key : str
        A key of :data:`ROLES`, which for a time says its unit.
    known_by : str
        What gave the key: the ``caller``, the column's ``name``, or the ``default`` (minutes).
    """

    position: int
    key: str
    known_by: str = "name"


class Long(NamedTuple):
    """The columns of a table with one row per ion; m/z and intensity as positions."""

    time: Column
    mz: int
    intensity: int

    @property
    def positions(self) -> tuple[int, ...]:
        """The columns to read."""
        return self.time.position, self.mz, self.intensity


class Wide(NamedTuple):
    """The columns of a table with one row per scan and one column per m/z, in order of m/z."""

    time: Column
    mz: tuple[float, ...]
    mz_positions: tuple[int, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """The columns to read."""
        return self.time.position, *self.mz_positions


def check_names(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the caller's names of columns, by key.

    Raises
    ------
    ReadError
        If there is an unknown key, or more than one for the time.
    """
    if columns is not None:
        check_kind("columns", columns, Mapping)
    names = dict(columns or {})
    if names.keys() - ROLES.keys() or len(names.keys() & UNITS.keys()) > 1:
        raise ReadError(
            "columns",
            f"is {names!r}",
            f"the keys mz, intensity and one of {', '.join(UNITS)}",
            "correct the keys",
        )
    return names


def find_columns(
    header: Sequence[str], columns: Mapping[str, str] | None, source: str
) -> Long | Wide:
    """Find the columns of a table that make a run.

    The caller's names come first, in the case of the header or in any other. The usual spellings
    apply to what the caller does not name, and to everything if the table has none of the names of
    :class:`RememberedColumns`.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    columns : mapping, optional
        The caller's names, see :func:`gale.read_run`.
    source : str
        Name of the file in messages.

    Raises
    ------
    ReadError
        If a column is missing, also one that the caller names, or appears twice, several columns
        may have the same role, or there are more than :data:`MAX_COLUMNS`.
    """
    if len(header) > MAX_COLUMNS:
        raise ReadError(
            source,
            f"has {len(header):,} columns",
            f"those of a run, at most {MAX_COLUMNS:,}",
            "check that it is a run",
        )
    header = [name.strip() for name in header]
    names = _names_here(header, columns)
    if absent := {key: name for key, name in names.items() if name not in header}:
        raise ReadError(
            source,
            f"has no {'column' if len(absent) == 1 else 'columns'} "
            f"{', '.join(map(repr, absent.values()))} in its header {_listed(header)}",
            ", ".join(names.values()),
            f"{remedy_of(dict.fromkeys(absent, 'NAME'))} with this file's names, or none",
        )
    candidates = _candidates(header, names)
    mz_columns = _mz_columns(header)
    if len(mz_columns) >= MIN_WIDE and not all(candidates.values()):
        if not candidates["time"]:
            raise _missing(["time"], header, names, source)
        time = _only("time", candidates, header, source)
        _check_wide(mz_columns, header, source)
        mz, positions = zip(*sorted(mz_columns), strict=True)
        return Wide(time, mz, positions)
    if missing := [role for role, found in candidates.items() if not found]:
        raise _missing(missing, header, names, source)
    time, mz_column, intensity = (_only(role, candidates, header, source) for role in candidates)
    return Long(time, mz_column.position, intensity.position)


def count_columns(header: Sequence[str], columns: Mapping[str, str] | None = None) -> int:
    """Count the roles (time, m/z, intensity) that a header has a column for.

    The count is :data:`N_COLUMNS` only if :func:`find_columns` succeeds, with the caller's names or
    with none: a table that lacks these is a run all the same, which the reader refuses.
    """
    for names in (columns, None):
        try:
            find_columns(header, names, "header")
        except ReadError:
            continue
        return N_COLUMNS
    return min(N_COLUMNS - 1, count_roles(header, columns))


def count_roles(header: Sequence[str], columns: Mapping[str, str] | None = None) -> int:
    """Count the roles that a header has one or more columns for."""
    if len(header) > MAX_COLUMNS:
        return 0
    header = [name.strip() for name in header]
    names = {key: name for key, name in _names_here(header, columns).items() if name in header}
    candidates = _candidates(header, names)
    if candidates["time"] and len(_mz_columns(header)) >= MIN_WIDE:
        return N_COLUMNS
    return sum(map(bool, candidates.values()))


def describe(found: Long | Wide, header: Sequence[str]) -> str:
    """Say which columns were read, and the unit of the time and how it is known."""
    time = (
        f"{header[found.time.position].strip()!r} in {UNITS[found.time.key]}, "
        f"{_KNOWN_BY[found.time.known_by]}"
    )
    if isinstance(found, Wide):
        return f"{time}; {len(found.mz):,} columns of m/z {found.mz[0]:g} to {found.mz[-1]:g}"
    return "; ".join([time, *(repr(header[at].strip()) for at in (found.mz, found.intensity))])


def remedy_of(*columns: Mapping[str, str]) -> str:
    """Write which `columns` a caller can pass, as one or more alternatives."""
    return " or ".join(f"pass columns={dict(each)!r}" for each in columns)


def _names_here(header: Sequence[str], columns: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the caller's names as the header spells them; none if it has none remembered.

    A name that is there only in another case is the column whose name it is then, if it is one.
    """
    names = check_names(columns)
    for key, name in names.items():
        alike = [each for each in header if each.casefold() == name.strip().casefold()]
        if name not in header and len(alike) == 1:
            names[key] = alike[0]
    remembered = isinstance(columns, RememberedColumns)
    return {} if remembered and not set(names.values()) & set(header) else names


def _candidates(header: Sequence[str], names: Mapping[str, str]) -> dict[str, list[Column]]:
    """List the columns that may have each role, in the order of `DEFAULT_NAMES`."""
    found: dict[str, list[Column]] = {role: [] for role in DEFAULT_NAMES}
    roles_named = {ROLES[key] for key in names}
    for position, name in enumerate(header):
        for key, wanted in names.items():
            if name == wanted and (name or not position):  # only the first may be nameless
                found[ROLES[key]].append(Column(position, key, "caller"))
        means = meaning(name)
        if means is None or means.role in roles_named or name in names.values():
            continue
        if means.role != "time":
            found[means.role].append(Column(position, means.role))
        elif means.key:
            found["time"].append(Column(position, means.key))
        else:
            found["time"].append(Column(position, "time_min", "default"))
    return found


def _mz_columns(header: Sequence[str]) -> list[tuple[float, int]]:
    """List the m/z and position of each column that is named by an m/z."""
    return [(mz, position) for position, name in enumerate(header) if (mz := named_mz(name))]


def _only(
    role: str, candidates: Mapping[str, Sequence[Column]], header: Sequence[str], source: str
) -> Column:
    """Return the only column that may have a role."""
    first, *others = candidates[role]
    if not others:
        return first
    names = [header[each.position] for each in candidates[role]]
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise ReadError(
            f"{source}: column {doubled!r}",
            f"appears twice in the header {_listed(header)}",
            "each column once",
            "rename or remove one",
        )
    what = {"time": "time", "mz": "m/z", "intensity": "intensity"}[role]
    raise ReadError(
        source,
        f"has {len(names)} columns that may be the {what}: {' and '.join(map(repr, names))}",
        "1",
        remedy_of(*({each.key: header[each.position]} for each in candidates[role])),
    )


def _missing(
    roles: Sequence[str], header: Sequence[str], names: Mapping[str, str], source: str
) -> ReadError:
    time_key = next((key for key in UNITS if key in names), "time_min")
    keys = {"time": time_key, "mz": "mz", "intensity": "intensity"}
    expected = {role: names.get(keys[role], name) for role, name in DEFAULT_NAMES.items()}
    missing = ", ".join(repr(expected[role]) for role in roles)
    return ReadError(
        source,
        f"has no {'column' if len(roles) == 1 else 'columns'} {missing} in its header "
        f"{_listed(header)}",
        f"{', '.join(expected.values())}, or time and one column per m/z",
        _way_out([keys[role] for role in roles], header, names),
    )


def _way_out(keys: Sequence[str], header: Sequence[str], names: Mapping[str, str]) -> str:
    """Say what to do where columns are missing: to name them only if others could be meant."""
    if header and all(re.fullmatch(r"[\d.,eE+-]*\d", name) for name in header):
        return "add a first row with the names of the columns"
    candidates = _candidates(header, names)
    mz_columns = _mz_columns(header)
    if not candidates["time"] and len(mz_columns) >= MIN_WIDE:
        if 0 in {each.position for each in candidates["mz"]}:
            return "transpose it: one row per scan, and one column per m/z"
        if _NAMELESS.fullmatch(header[0]):
            named = {keys[0]: header[0]}
            return f"if its first column, which has no name, is the time, {remedy_of(named)}"
    taken = {each.position for found in candidates.values() for each in found}
    if len(mz_columns) >= MIN_WIDE:
        taken |= {position for _, position in mz_columns}
    if len(header) - len(taken) < len(keys):
        return "export the scans of the run, each with its ions"
    return f"{remedy_of(dict.fromkeys(keys, 'NAME'))} with this file's names"


def _check_wide(
    mz_columns: Sequence[tuple[float, int]], header: Sequence[str], source: str
) -> None:
    values = [mz for mz, _ in mz_columns]
    names = [header[position] for _, position in mz_columns]
    if len(set(values)) < len(values):
        doubled = next(mz for mz in values if values.count(mz) > 1)
        raise ReadError(
            source,
            f"has {values.count(doubled)} columns of m/z {doubled:g}",
            "one column per m/z",
            "rename or remove the others",
        )
    if not any(map(says_mz, names)) and values == [float(at + 1) for at in range(len(values))]:
        raise ReadError(
            source,
            f"has columns named {shown(names[0])} to {shown(names[-1])}, which may be m/z or mere "
            "numbers",
            "names such as 'm/z 1'",
            "rename them if they are m/z",
        )


def _listed(header: Sequence[str]) -> str:
    """List names without quotes, but with what would break a line as an escape."""
    return listed((shown(name)[1:-1] for name in header), most=12) or "without names"
