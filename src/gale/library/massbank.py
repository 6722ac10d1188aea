"""MassBank records: ``TAG$SUBTAG: value`` lines, ``PK$PEAK:``, peaks of three numbers, ``//``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gale.library.derivative_names import find_derivative
from gale.library.records import Record, parse_count, parse_index

PEAK_COLUMNS = 3
"""m/z, intensity, relative intensity."""

_PEAKS = re.compile(r"^PK\$PEAK:[^\n]*", re.MULTILINE)
_END = re.compile(r"^(?://[ \t]*$|(?=ACCESSION:))", re.MULTILINE)
_TAG_LINE = re.compile(r"^[A-Z]{2,}(?:\$[A-Z_]+)?:.*$", re.MULTILINE)
_SUBTAGGED = ("AC$CHROMATOGRAPHY", "AC$MASS_SPECTROMETRY", "CH$LINK", "MS$FOCUSED_ION")


def is_massbank(text: str) -> bool:
    """Whether a text consists of MassBank records."""
    return _PEAKS.search(text) is not None


def split_records(text: str) -> Iterator[Record]:
    r"""Yield the records of a text, most often one.

    Parameters
    ----------
    text : str
        The whole file, with line ends ``\n``.
    """
    for record in _END.split(text):
        if record.strip():
            yield _record(record)


def _record(text: str) -> Record:
    header, *behind = _PEAKS.split(text, maxsplit=1)
    peak_list = _TAG_LINE.sub("", "".join(behind))
    facts = _facts("\n".join([header, *_TAG_LINE.findall("".join(behind))]))
    kovats = facts.get("AC$CHROMATOGRAPHY KOVATS_RTI", "")
    name = facts.get("CH$NAME", "")
    derivative = find_derivative(facts.get("MS$FOCUSED_ION DERIVATIVE_TYPE", ""))
    return Record(
        name=name,
        formula=facts.get("CH$FORMULA", ""),
        smiles=facts.get("CH$SMILES", ""),
        inchi=facts.get("CH$IUPAC", ""),
        inchikey=facts.get("CH$LINK INCHIKEY", ""),
        derivative=derivative or find_derivative(name),
        retention_index=parse_index(facts.get("AC$CHROMATOGRAPHY RETENTION_INDEX", kovats)),
        instrument=facts.get("AC$INSTRUMENT_TYPE", ""),
        ionisation=facts.get("AC$MASS_SPECTROMETRY IONIZATION", ""),
        stage=facts.get("AC$MASS_SPECTROMETRY MS_TYPE", ""),
        adduct=facts.get("MS$FOCUSED_ION PRECURSOR_TYPE", ""),
        peak_list=peak_list,
        declared=parse_count(facts.get("PK$NUM_PEAK", "")),
    )


def _facts(header: str) -> dict[str, str]:
    """Return the first value of each tag, or of each tag and subtag; ``N/A`` is no value."""
    facts: dict[str, str] = {}
    for line in header.split("\n"):
        tag, _, value = line.partition(":")
        value = value.strip()
        if tag in _SUBTAGGED:
            subtag, _, value = value.partition(" ")
            tag, value = f"{tag} {subtag}", value.strip()
        if value not in ("", "N/A"):
            facts.setdefault(tag, value)
    return facts
