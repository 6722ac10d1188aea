"""What the name of one column says: time and its unit, m/z, intensity, or an m/z itself."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gale.run import MAX_MZ

TIME_UNITS = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "time_min"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "time_s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "time_ms"),
}
"""The key of each spelling of a unit of time, see :data:`gale.readers.tables.headers.UNITS`."""

_SPELLINGS = {
    "time": {"time", "rt", "tr", "rettime", "retentiontime", "scantime", "scanacquisitiontime",
             "acquisitiontime", "elutiontime"},
    "mz": {"mz", "mass", "masses", "masstocharge", "masstochargeratio", "moverz"},
    "intensity": {"intensity", "intensities", "abundance", "abundances", "count", "counts",
                  "ioncount", "ioncounts", "height", "peakheight", "signal", "response"},
}  # fmt: skip
"""Names without blanks and punctuation. Areas and relative intensities are not among them, since
tables that have them usually list peaks."""

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


class Meaning(NamedTuple):
    """What a name says.

    Parameters
    ----------
    role : str
        ``time``, ``mz`` or ``intensity``.
    key : str, optional
        For a time with a unit, its key in :data:`gale.readers.tables.headers.UNITS`.
    """

    role: str
    key: str | None = None


@lru_cache(maxsize=10_000)
def meaning(name: str) -> Meaning | None:
    """Say what the name of a column means; None if a run has no such column."""
    text = name.strip().lstrip("\ufeff").casefold()
    bracketed = _BRACKETED.fullmatch(text)
    parts = words(bracketed[1] if bracketed else text)
    unit = "".join(words(bracketed[2])) if bracketed else ""
    for role, spellings in _SPELLINGS.items():
        if not bracketed and len(parts) > 1 and parts[-1] in _UNITS[role]:
            stem, found_unit = "".join(parts[:-1]).removesuffix("in"), parts[-1]
            if stem in spellings:
                return Meaning(role, TIME_UNITS.get(found_unit))
        if "".join(parts) in spellings and (unit in _UNITS[role] or not bracketed):
            return Meaning(role, TIME_UNITS.get(unit) if role == "time" else None)
    return None


@lru_cache(maxsize=100_000)
def named_mz(name: str) -> float | None:
    """Return the m/z that names a column, as in ``51``, ``m/z 51.0`` or ``X51``; None otherwise."""
    match = _MZ_NAME.fullmatch(name.strip())
    mz = float(match["mz"].replace(",", ".")) if match else 0.0
    return mz if 0 < mz <= MAX_MZ else None


def says_mz(name: str) -> bool:
    """Whether the name of a column has a word for m/z before the number, as ``m/z 51`` has."""
    match = _MZ_NAME.fullmatch(name.strip())
    return bool(match and match["word"])


def words(text: str) -> list[str]:
    """Split a name at blanks and punctuation, but not at other signs (such as %)."""
    return [word for word in _BREAKS.split(text) if word]
