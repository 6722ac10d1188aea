"""Spectra in JCAMP-DX, as NIST MS Search and other software export them: ``##LABEL= value``.

A file has any number of spectra, each from ``##TITLE=`` to ``##END=``, also inside the blocks of
another record. ``##XFACTOR`` and ``##YFACTOR`` are applied. See Lampen et al., Applied
Spectroscopy 48 (1994) 1545.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gale.library.derivative_names import find_derivative
from gale.library.records import Record, parse_count, parse_index

PEAK_COLUMNS = 2
"""m/z, intensity."""

OTHER_KIND = "not a mass spectrum"
OTHER_UNIT = "the unit of its x values is not m/z"
OTHER_FORM = "peaks in another form than pairs (XY..XY)"
OF_A_RUN = "a scan of a run, not a spectrum of its own"
OTHER_FACTOR = "a factor is not a number above 0"

_LABEL = re.compile(r"^[ \t]*##([^=\n]*)=", re.MULTILINE)
_COMMENT = re.compile(r"\$\$[^\n]*")
_PLAIN = re.compile(r"[\s/_.$-]")
_PAIRS = re.compile(r"\s*\(XY\.*XY\)[^\n]*", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s,;]+")

_TABLES = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")
_MZ_UNITS = ("", "MZ", "MASS", "MASSCHARGE", "AMU", "DA", "DALTON")
_INDEX_LABELS = ("RETENTIONINDEX", "RI", "KOVATSINDEX", "KOVATS")

Labels = Mapping[str, str]
"""Values of a record by label, which has capital letters and digits only."""


def is_jcamp(text: str) -> bool:
    """Whether a text begins as JCAMP-DX does."""
    label = _LABEL.search(_COMMENT.sub("", text[:10_000]))
    return label is not None and not label.string[: label.start()].strip()


def split_records(text: str) -> Iterator[Record]:
    r"""Yield the spectra of a text; one that is none has a flaw.

    Parameters
    ----------
    text : str
        The whole file, with line ends ``\n``.

    Examples
    --------
    >>> text = "##TITLE=methane\n##NPOINTS=2\n##PEAK TABLE=(XY..XY)\n15,888 16,999\n##END=\n"
    >>> (record,) = split_records(text)
    >>> record.name, record.declared, record.peak_list
    ('methane', 2, '15,888 16,999')
    """
    labels: dict[str, str] = {}
    for label, value in _labels(_COMMENT.sub("", text)):
        if label in ("TITLE", "END"):
            if any(each in labels for each in _TABLES):
                yield _record(labels)
            labels = {}
        if label in labels and label in _TABLES:
            labels["SCANS"] = "several"
        labels[label] = value
    if any(each in labels for each in _TABLES):
        yield _record(labels)


def _labels(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_LABEL.finditer(text))
    ends = [each.start() for each in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        yield _PLAIN.sub("", mark[1]).upper(), text[mark.end() : end].strip()


def _record(labels: Labels) -> Record:
    table = next(labels[each] for each in _TABLES if each in labels)
    form = _PAIRS.match(table)
    peaks = table[form.end() :].strip() if form else ""
    name = labels.get("TITLE") or labels.get("CASNAME", "") or labels.get("NAMES", "")
    name = name.partition("\n")[0].strip()
    inchi = labels.get("INCHI", "")
    factors = [_factor(labels.get(each, "")) for each in ("XFACTOR", "YFACTOR")]
    flaw = _flaw(labels, is_pairs=form is not None) or ("" if all(factors) else OTHER_FACTOR)
    declared = labels.get("NPOINTS", "")
    return Record(
        name=name,
        formula=re.sub(r"\s", "", labels.get("MOLFORM") or labels.get("MOLECULARFORMULA", "")),
        smiles=labels.get("SMILES", ""),
        inchi=f"InChI={inchi}" if inchi.startswith("1") else inchi,
        inchikey=labels.get("INCHIKEY", ""),
        derivative=find_derivative(name),
        retention_index=parse_index(next((labels[x] for x in _INDEX_LABELS if x in labels), "")),
        ionisation=labels.get("IONIZATIONMODE", ""),
        peak_list=peaks if flaw or factors == [1.0, 1.0] else _scaled(peaks, *factors),
        declared=parse_count(declared) if declared else len(_TOKEN.findall(peaks)) // 2,
        flaw=flaw,
    )


def _flaw(labels: Labels, *, is_pairs: bool) -> str:
    """Say why a record is no spectrum; empty if nothing speaks against it."""
    if "MASS" not in labels.get("DATATYPE", "MASS SPECTRUM").upper():
        return OTHER_KIND
    if _is_of_run(labels):
        return OF_A_RUN
    if not is_pairs:
        return OTHER_FORM
    unit = labels.get("XUNITS") or labels.get("UNITS", "").partition(",")[0]
    return "" if _PLAIN.sub("", unit).upper() in _MZ_UNITS else OTHER_UNIT


def _is_of_run(labels: Labels) -> bool:
    """Whether there are several tables, or one that belongs to a time of a run."""
    return "SCANS" in labels or re.search(r"\bT\s*=", labels.get("PAGE", "")) is not None


def _factor(text: str) -> float:
    """Read a factor, 1 where there is none; 0 if it is not a number above 0."""
    try:
        factor = float(text or 1)
    except ValueError:
        return 0.0
    return factor if 0 < factor < float("inf") else 0.0


def _scaled(peaks: str, x_factor: float, y_factor: float) -> str:
    """Multiply pairs of numbers; what is no number stays, and is found when peaks are read."""
    scaled = []
    for at, token in enumerate(_TOKEN.findall(peaks)):
        try:
            scaled.append(repr(float(token) * (y_factor if at % 2 else x_factor)))
        except ValueError:
            scaled.append(token)
    return " ".join(scaled)
