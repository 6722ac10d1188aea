"""What the names of a table's columns say: which is the time and in which unit, m/z, intensity."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gale.errors import ReadError
from gale.run import MAX_MZ

PER_MIN = {"time_min": 1.0, "time_s": 60.0, "time_ms": 60_000.0}
"""How many of its unit make a minute, for each key under which a caller may name the time."""

UNIT_WORDS = {"time_min": "minutes", "time_s": "seconds", "time_ms": "milliseconds"}

KEYS = (*PER_MIN, "mz", "intensity")
"""The keys under which a caller may name columns."""

DEFAULT_NAMES = {"time": "time", "mz": "mass", "intensity": "intensity"}
"""The names of the columns of a long table as gale writes them; time in minutes."""

N_COLUMNS = len(DEFAULT_NAMES)

TIME_UNITS = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "time_min"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "time_s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "time_ms"),
}

_SPELLINGS = {
    "time": {"time", "rt", "tr", "rettime", "retentiontime", "scantime", "scanacquisitiontime",
             "acquisitiontime", "elutiontime"},
    "mz": {"mz", "mass", "masses", "masstocharge", "masstochargeratio", "moverz"},
    "intensity": {"intensity", "intensities", "abundance", "abundances", "count", "counts",
                  "ioncount", "ioncounts", "height", "peakheight", "signal", "response"},
}  # fmt: skip
"""The names, without blanks and marks. Areas and relative intensities are not among them: a table
of those is often one of peaks."""

_UNITS = {
    "time": set(TIME_UNITS),
    "mz": {"da", "dalton", "amu", "u", "th", "mz"},
    "intensity": {"count", "counts", "cps", "au", "arb", "arbunits"},
}

_BRACKETED = re.compile(r"(.*?)\s*[(\[{]([^()\[\]{}]*)[)\]}]")
_BREAKS = re.compile(r"[\s_./,:#\-]+")
_MZ_NAME = re.compile(
    r"(?:(?P<word>m[\s/._]?z|mass|ion)|x)?[\s_.:=]*(?P<mz>\d+(?:[.,]\d+)?)", re.IGNORECASE
)

MIN_WIDE = 2
"""So many columns with an m/z for a name make a wide table."""


MAX_COLUMNS = 50_000
"""A table of more is no run: a wide one in steps of 0.02 m/z up to 1,000 has as many."""


class Meaning(NamedTuple):
    """What a name says: the role of a column, and for a time its key, if it states the unit."""

    role: str
    key: str | None = None


@dataclass(frozen=True)
class Time:
    """The column of the time.

    Parameters
    ----------
    place : int
        Which column it is.
    key : str
        Its unit, as a key of :data:`PER_MIN`.
    known_by : str
        ``told`` by the caller, by its ``name``, or ``default``: no unit is stated.
    """

    place: int
    key: str
    known_by: str


@dataclass(frozen=True)
class Long:
    """The columns of a table with one row an ion, by their places."""

    time: Time
    mz: int
    intensity: int

    @property
    def places(self) -> tuple[int, ...]:
        """The columns to read."""
        return self.time.place, self.mz, self.intensity


@dataclass(frozen=True)
class Wide:
    """The columns of a table with one row a scan and one column an m/z, in order of m/z."""

    time: Time
    mz: tuple[float, ...]
    mz_places: tuple[int, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """The columns to read."""
        return self.time.place, *self.mz_places


def given_names(columns: Mapping[str, str] | None, source: str) -> dict[str, str]:
    """Check the names that a caller gives for columns, by their keys."""
    given = dict(columns or {})
    if set(given) - set(KEYS) or len(set(given) & set(PER_MIN)) > 1:
        raise ReadError(
            f"{source}: columns are named for {', '.join(given)}; expected "
            f"{' or '.join(PER_MIN)}, mz and intensity; correct the names"
        )
    return given


def find_columns(
    header: Sequence[str], columns: Mapping[str, str] | None, source: str
) -> Long | Wide:
    """Say which columns of a table make a run.

    The caller's names come first; if the table has none of them, and for what the caller does not
    name, the usual spellings do.

    Parameters
    ----------
    header : sequence of str
    columns : mapping, optional
        The caller's names, see :func:`gale.read_run`.
    source : str
        Name of the file in messages.

    Raises
    ------
    ReadError
        If a column is missing or there twice, two columns may be meant, or there are more than
        :data:`MAX_COLUMNS`.
    """
    if len(header) > MAX_COLUMNS:
        raise ReadError(
            f"{source}: has {len(header):,} columns; expected those of a run, {MAX_COLUMNS:,} at "
            "most; look at what it is"
        )
    bare = [name.strip() for name in header]
    given = _given_here(bare, columns, source)
    candidates = _candidates(bare, given)
    mz_columns = _mz_columns(bare)
    if len(mz_columns) >= MIN_WIDE and not all(candidates.values()):
        if not candidates["time"]:
            candidates = _candidates(bare, {})
        time = _time(candidates["time"], bare, given, source)
        _check_wide(mz_columns, bare, source)
        mz, places = zip(*sorted(mz_columns), strict=True)
        return Wide(time, mz, places)
    if missing := [role for role, places in candidates.items() if not places]:
        raise _missing(missing, bare, given, source)
    time = _time(candidates["time"], bare, given, source)
    return Long(
        time, *(_only(candidates[role], role, bare, source) for role in ("mz", "intensity"))
    )


def count_columns(header: Sequence[str], columns: Mapping[str, str] | None = None) -> int:
    """Say how many of the three columns of a run a header has.

    All of them, :data:`N_COLUMNS`, only if :func:`find_columns` finds them.
    """
    try:
        find_columns(header, columns, "columns")
    except ReadError:
        return min(N_COLUMNS - 1, count_meant(header, columns))
    return N_COLUMNS


def count_meant(header: Sequence[str], columns: Mapping[str, str] | None = None) -> int:
    """Say how many of the three columns a header may have, doubtful ones included."""
    if len(header) > MAX_COLUMNS:
        return 0
    bare = [name.strip() for name in header]
    candidates = _candidates(bare, _given_here(bare, columns, "columns"))
    if candidates["time"] and len(_mz_columns(bare)) >= MIN_WIDE:
        return N_COLUMNS
    return sum(map(bool, candidates.values()))


def _given_here(
    bare: Sequence[str], columns: Mapping[str, str] | None, source: str
) -> Mapping[str, str]:
    """The caller's names, if the header has any of them: else it is a table of another make."""
    given = given_names(columns, source)
    return given if set(given.values()) & set(bare) else {}


@lru_cache(maxsize=10_000)
def meaning(name: str) -> Meaning | None:
    """Say what the name of a column means; None if nothing that makes a run."""
    text = name.strip().lstrip("\ufeff").casefold()
    bracketed = _BRACKETED.fullmatch(text)
    words = _words(bracketed[1] if bracketed else text)
    unit = "".join(_words(bracketed[2])) if bracketed else ""
    for role, spellings in _SPELLINGS.items():
        if not bracketed and len(words) > 1 and words[-1] in _UNITS[role]:
            stem, found_unit = "".join(words[:-1]).removesuffix("in"), words[-1]
            if stem in spellings:
                return Meaning(role, TIME_UNITS.get(found_unit))
        if "".join(words) in spellings and (unit in _UNITS[role] or not bracketed):
            return Meaning(role, TIME_UNITS.get(unit) if role == "time" else None)
    return None


@lru_cache(maxsize=100_000)
def named_mz(name: str) -> float | None:
    """Give the m/z that is the name of a column, as ``51``, ``m/z 51.0`` or ``X51``."""
    match = _MZ_NAME.fullmatch(name.strip())
    mz = float(match["mz"].replace(",", ".")) if match else 0.0
    return mz if 0 < mz <= MAX_MZ else None


def describe(found: Long | Wide, header: Sequence[str]) -> str:
    """Say which columns were read, and the unit of the time and where it is from."""
    why = {
        "told": "as told",
        "name": "by its name",
        "default": "as its name gives no unit",
    }[found.time.known_by]
    name = header[found.time.place].strip()
    time = f"{name!r} in {UNIT_WORDS[found.time.key]}, {why}"
    if isinstance(found, Wide):
        return f"{time}; {len(found.mz):,} of m/z {found.mz[0]:g} to {found.mz[-1]:g}"
    return "; ".join([time, *(repr(header[at].strip()) for at in (found.mz, found.intensity))])


def option(key: str, name: str) -> str:
    """Write the option of the command line that names a column."""
    return f"--column {shlex.quote(f'{key}={name}')}"


def _words(text: str) -> list[str]:
    """Split a name at blanks and marks; a name with other signs (%, for instance) is one word."""
    return [word for word in _BREAKS.split(text) if word]


class _Candidate(NamedTuple):
    place: int
    key: str
    known_by: str = "name"


def _candidates(bare: Sequence[str], given: Mapping[str, str]) -> dict[str, list[_Candidate]]:
    """Give the columns that may be meant, by role."""
    found: dict[str, list[_Candidate]] = {role: [] for role in DEFAULT_NAMES}
    role_of = {key: "time" if key in PER_MIN else key for key in KEYS}
    told = {role_of[key] for key in given}
    for place, name in enumerate(bare):
        for key, wanted in given.items():
            if name == wanted:
                found[role_of[key]].append(_Candidate(place, key, "told"))
        means = meaning(name)
        if means is None or means.role in told or name in given.values():
            continue
        if means.role != "time":
            found[means.role].append(_Candidate(place, means.role))
        elif means.key:
            found["time"].append(_Candidate(place, means.key))
        else:
            found["time"].append(_Candidate(place, "time_min", "default"))
    return found


def _mz_columns(bare: Sequence[str]) -> list[tuple[float, int]]:
    """Give the m/z and the place of each column that has an m/z for a name."""
    return [(mz, place) for place, name in enumerate(bare) if (mz := named_mz(name))]


def _time(
    candidates: Sequence[_Candidate], bare: Sequence[str], given: Mapping[str, str], source: str
) -> Time:
    if not candidates:
        raise _missing(["time"], bare, given, source)
    _only(candidates, "time", bare, source)
    return Time(*candidates[0])


def _only(candidates: Sequence[_Candidate], role: str, bare: Sequence[str], source: str) -> int:
    """Give the place of the only candidate."""
    if len(candidates) == 1:
        return candidates[0].place
    names = [bare[each.place] for each in candidates]
    if len(set(names)) < len(names):
        doubled = next(name for name in names if names.count(name) > 1)
        raise ReadError(
            f"{source}: column {doubled} is there twice; found {_shown(bare)}; expected one; "
            "rename or remove the other"
        )
    options = [option(each.key, name) for each, name in zip(candidates, names, strict=True)]
    what = {"time": "the time", "mz": "the m/z", "intensity": "the intensity"}[role]
    raise ReadError(
        f"{source}: columns {' and '.join(map(repr, names))} may each be {what}; expected one; "
        f"say which with {' or '.join(options)}"
    )


def _missing(
    roles: Sequence[str], bare: Sequence[str], given: Mapping[str, str], source: str
) -> ReadError:
    keys = {"time": next((key for key in PER_MIN if key in given), "time_min")}
    names = {role: given.get(keys.get(role, role), name) for role, name in DEFAULT_NAMES.items()}
    first = keys.get(roles[0], roles[0])
    numbers = bool(bare) and all(re.fullmatch(r"[\d.,eE+-]*\d", name) for name in bare)
    hint = (
        "add a first row with their names"
        if numbers
        else (f"name this file's columns, for example with --column {first}=NAME")
    )
    return ReadError(
        f"{source}: column {', '.join(names[role] for role in roles)} is missing; found "
        f"{_shown(bare)}; expected {', '.join(names.values())}, or time and one column for each "
        f"m/z; {hint}"
    )


def _check_wide(mz_columns: Sequence[tuple[float, int]], bare: Sequence[str], source: str) -> None:
    values = [mz for mz, _ in mz_columns]
    if len(set(values)) < len(values):
        doubled = next(mz for mz in values if values.count(mz) > 1)
        raise ReadError(
            f"{source}: two columns are of m/z {doubled:g}; expected one for each m/z; rename or "
            "remove the other"
        )
    matches = [_MZ_NAME.fullmatch(bare[place]) for _, place in mz_columns]
    words = any(match and match["word"] for match in matches)
    if not words and values == [float(number) for number in range(1, len(values) + 1)]:
        raise ReadError(
            f"{source}: the columns are called {bare[mz_columns[0][1]]} to "
            f"{bare[mz_columns[-1][1]]}, which may be m/z or just numbers; expected names that "
            "say which; call them 'm/z 1' and so on if they are m/z"
        )


def _shown(bare: Sequence[str]) -> str:
    return ", ".join(bare[:12])[:200] + (", ..." if len(bare) > 12 else "")
