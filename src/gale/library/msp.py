"""MSP as written by NIST and other software: ``Key: value`` lines, ``Num Peaks:``, peaks."""

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
_REMARK = re.compile(r'"([^"=]+)=([^"]*)"|(?<!\S)([A-Za-z_]+)=(?:"([^"]*)"|(\S+))')
_SYNONYM_INDEX = re.compile(r"(?:\w+ )?RI[: ](.*)")

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

    A peak list ends where the next ``Key:`` begins a line. A record without ``Num Peaks`` has an
    empty one.

    Parameters
    ----------
    text : str
        The whole file, with line ends ``\n``.
    """
    begin = 0
    for declaration in _NUM_PEAKS.finditer(text):
        *bare, header = _split_names(text[begin : declaration.start()])
        yield from (_record(each) for each in bare)
        next_key = _KEY_LINE.search(text, declaration.end())
        begin = next_key.start() if next_key else len(text)
        yield _record(header, text[declaration.end() : begin], parse_count(declaration[1]))
    yield from (_record(each) for each in _split_names(text[begin:]) if _NAME.search(each))


def _split_names(header: str) -> list[str]:
    """Split the text before a peak list; all parts but the last are records without peaks."""
    begins = [match.start() for match in _NAME.finditer(header)][1:]
    return [header[i:j] for i, j in zip([0, *begins], [*begins, len(header)], strict=True)]


def _record(header: str, peak_list: str = "", declared: int = 0) -> Record:
    facts = _facts(header)
    inchi = _first(facts, "inchi", "inchicode")
    return Record(
        name=_first(facts, "name"),
        formula=_first(facts, "formula", "molecularformula"),
        smiles=_first(facts, "smiles", "computedsmiles"),
        inchi=f"InChI={inchi}" if inchi.startswith("1") else inchi,
        inchikey=_first(facts, "inchikey"),
        derivative=_derivative(facts),
        families=_families(facts),
        retention_index=_retention_index(facts),
        instrument=_first(facts, "instrumenttype"),
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
