"""MSP as written by NIST and other software: ``Key: value`` lines, ``Num Peaks:``, peaks.

AMDIS libraries (``.MSL``) are of this form, too, with brackets around each peak.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isnan, nan

from gale.library.derivative_names import find_derivative
from gale.library.records import Record, parse_count, parse_index

Facts = Mapping[str, list[str]]
"""Values of a record by key; keys consist of lower-case letters only."""

PEAK_COLUMNS = 2
"""m/z, intensity."""

_NAME = re.compile(r"^[ \t]*name[ \t]*:", re.IGNORECASE | re.MULTILINE)
_NUM_PEAKS = re.compile(
    r"^[ \t]*num(?:ber[ _]of)?[ _]?peaks[ \t]*:[ \t]*(\S*)", re.IGNORECASE | re.MULTILINE
)
_KEY_LINE = re.compile(r"^[ \t]*[A-Za-z][^:\n]*:", re.MULTILINE)
_MARK = re.compile(f"(?P<name>{_NAME.pattern})|{_NUM_PEAKS.pattern}", _NAME.flags)
_BLANK_LINE = re.compile(r"\n[ \t]*(?=\n)")
_PEAK_LINE = re.compile(r"^[ \t]*[-+\d.(\[]", re.MULTILINE)
_REMARK = re.compile(r'"([^"=]+)=([^"]*)"|(?<!\S)([A-Za-z_]+)=(?:"([^"]*)"|(\S+))')
_SYNONYM_INDEX = re.compile(r"(?:\w+ )?RI[: ](.*)")

FARTHEST = 100_000
"""Length of the longest text between a blank line and the name of a record."""

_NOTHING = ("", "NA", "N/A")
_INDEX_KEYS = (
    "semistandardnonpolar",
    "semistandardnonpolarri",
    "ri",
    "retentionindex",
    "retentionindices",
    "kovats",
    "kovatsindex",
    "kovatsri",
)
_DERIVATIVE_KEYS = ("derivative", "derivativetype", "derivatization", "derivatizationtype")


def split_records(text: str) -> Iterator[Record]:
    r"""Yield the records of an MSP text, with or without blank lines between them.

    The fields of a record are those behind its ``Name``, wherever its peaks are, and those before
    it in the same paragraph, unless another record is there. A record without ``Num Peaks`` has an
    empty peak list, and one without ``Name`` has a flaw.

    Parameters
    ----------
    text : str
        The whole file, with line ends ``\n``.
    """
    begins, named, counted = [0], False, False
    for mark in _MARK.finditer(text):
        is_name = mark["name"] is not None
        if (named or counted) if is_name else counted:
            begins.append(_first_field(text, begins[-1], mark.start(), is_name))
            named = counted = False
        named, counted = named or is_name, counted or not is_name
    if named or counted:
        for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
            yield _split_record(text[begin:end])


def _first_field(text: str, begin: int, mark: int, is_name: bool) -> int:
    """Where a record begins whose first known line is at `mark`: there, or before in its paragraph.

    Lines before it in the paragraph are of this record if the paragraph has no peaks before them.
    All lines behind the last peak are of a record without a name: nothing says whose they are.
    """
    if not is_name:
        peaks = [line.start() for line in _PEAK_LINE.finditer(text, begin, mark)]
        return text.find("\n", peaks[-1]) + 1 if peaks else mark
    blank = [line.end() for line in _BLANK_LINE.finditer(text, max(begin, mark - FARTHEST), mark)]
    if not blank or _PEAK_LINE.search(text, blank[-1], mark):
        return mark
    return blank[-1] + 1


def _split_record(text: str) -> Record:
    """Make a record of its text: what is no ``Key:`` behind ``Num Peaks`` is a peak."""
    declaration = _NUM_PEAKS.search(text)
    if declaration is None:
        return _record(text)
    header, end = text[: declaration.start()], declaration.end()
    key = _KEY_LINE.search(text, end)
    if key is None:
        return _record(header, text[end:], parse_count(declaration[1]))
    peaks, behind = [text[end : key.start()]], list[str]()
    for line in text[key.start() :].split("\n"):
        (peaks if _PEAK_LINE.match(line) else behind).append(line)
    facts = "\n".join([header.rstrip("\n"), *behind])
    return _record(facts, "\n".join(peaks), parse_count(declaration[1]))


def _record(header: str, peak_list: str = "", declared: int = 0) -> Record:
    facts = _facts(header)
    inchi = _first(facts, "inchi", "inchicode")
    return Record(
        name=_first(facts, "name"),
        formula=_first(facts, "formula", "molecularformula", "form"),
        smiles=_first(facts, "smiles", "computedsmiles"),
        inchi=f"InChI={inchi}" if inchi.startswith("1") else inchi,
        inchikey=_first(facts, "inchikey"),
        derivative=_derivative(facts),
        families=_families(facts),
        retention_index=_retention_index(facts),
        instrument=_first(facts, "instrumenttype"),
        ionisation=_first(facts, "ionization", "ionisation", "ionizationmode", "ionsource"),
        stage=_first(facts, "spectrumtype", "mstype", "mslevel"),
        adduct=_first(facts, "precursortype", "adduct", "adductionname"),
        peak_list=peak_list,
        declared=declared,
    )


def _facts(header: str) -> Facts:
    """Read the lines before the peaks; a line without a key continues the comment.

    A ``key=value`` in a comment counts after a line with that key.
    """
    facts: dict[str, list[str]] = defaultdict(list)
    for line in header.split("\n"):
        key, colon, value = line.partition(":")
        facts[_plain(key) if colon else "comment"].append((value if colon else key).strip())
    for remark in _values(facts, "comment", "comments"):
        for whole_key, whole, key, quoted, value in _REMARK.findall(remark):
            facts[_plain(whole_key or key)].append(whole or quoted or value)
    return facts


@lru_cache(maxsize=1024)
def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _values(facts: Facts, *keys: str) -> list[str]:
    return [value for key in keys for value in facts.get(key, ()) if value not in _NOTHING]


def _first(facts: Facts, *keys: str) -> str:
    return next(iter(_values(facts, *keys)), "")


def _derivative(facts: Facts) -> str:
    """Return the first derivative stated in a field, a comment or the name."""
    texts = _values(facts, *_DERIVATIVE_KEYS, "comment", "comments", "name")
    return next(filter(None, map(find_derivative, texts)), "")


def _families(facts: Facts) -> tuple[str, ...] | None:
    """Read ``aromatic; hydrocarbon``; no family where the value is empty or ``none``."""
    if not (texts := facts.get("families")) or texts[0] in ("NA", "N/A"):
        return None
    names = [name.strip() for name in texts[0].split(";")]
    return tuple(name for name in dict.fromkeys(names) if name and name.lower() != "none")


def _retention_index(facts: Facts) -> float:
    synonyms = map(_SYNONYM_INDEX.match, _values(facts, "synon"))
    texts = _values(facts, *_INDEX_KEYS) + [match[1] for match in synonyms if match]
    return next((index for index in map(parse_index, texts) if not isnan(index)), nan)
