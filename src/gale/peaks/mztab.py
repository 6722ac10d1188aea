"""Peaks as mzTab-M 2.0, the table of the Proteomics and Metabolomics Standards Initiatives.

Each peak is a row of the summary (SML) and a feature (SMF); each compound that it is like is a row
of evidence (SME). A peak is identified in the summary only by a match that is not weak: weak ones
stay evidence. Electron ionisation has no precursor, so m/z are those of base peaks, of the peak
and of the library's spectrum. See Hoffmann et al., Analytical Chemistry 91 (2019) 3302.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from gale.errors import OutputError
from gale.library import Library
from gale.peaks.naming import PeakMatch
from gale.peaks.search import NAMED, Peak
from gale.peaks.spectra import PeaksOfRun
from gale.plumbing.files import writing
from gale.plumbing.remote import address_of

NULL = "null"
"""What stands for a missing value."""

PUTATIVELY_ANNOTATED, UNKNOWN = 2, 4
"""Reliability, of the four levels that the format has by default."""

AMBIGUOUS = 1
"""Code of a feature with several pieces of evidence, all of one spectrum."""

SECONDS = 60.0

PREFIX = "inchikey"
"""What comes before the identifiers of compounds."""

VOCABULARY = (
    ("label", "MS"),
    ("full_name", "PSI-MS controlled vocabulary"),
    ("version", "4.1.258"),
    ("uri", "https://raw.githubusercontent.com/HUPO-PSI/psi-ms-CV/master/psi-ms.obo"),
)

AREA = "[MS, MS:1001845, peak area, ]"
DOT_PRODUCT = "[MS, MS:1003304, spectral dot product, ]"
LIBRARY_SEARCH = "[MS, MS:1001031, spectral library search, ]"
MS1 = "[MS, MS:1000511, ms level, 1]"

SML = (
    "SML_ID", "SMF_ID_REFS", "database_identifier", "chemical_formula", "smiles", "inchi",
    "chemical_name", "uri", "theoretical_neutral_mass", "adduct_ions", "reliability",
    "best_id_confidence_measure", "best_id_confidence_value", "abundance_assay[1]",
    "abundance_study_variable[1]", "abundance_variation_study_variable[1]",
    "opt_global_families", "opt_global_verdict", "opt_global_origin",
)  # fmt: skip
SMF = (
    "SMF_ID", "SME_ID_REFS", "SME_ID_REF_ambiguity_code", "adduct_ion", "isotopomer",
    "exp_mass_to_charge", "charge", "retention_time_in_seconds", "retention_time_in_seconds_start",
    "retention_time_in_seconds_end", "abundance_assay[1]", "opt_global_retention_index",
    "opt_global_height", "opt_global_signal_to_noise", "opt_global_purity", "opt_global_saturated",
    "opt_global_cut",
)  # fmt: skip
SME = (
    "SME_ID", "evidence_input_id", "database_identifier", "chemical_formula", "smiles", "inchi",
    "chemical_name", "uri", "derivatized_form", "adduct_ion", "exp_mass_to_charge", "charge",
    "theoretical_mass_to_charge", "spectra_ref", "identification_method", "ms_level",
    "id_confidence_measure[1]", "id_confidence_measure[2]", "rank", "opt_global_families",
    "opt_global_shared_ions", "opt_global_retention_index", "opt_global_weak",
)  # fmt: skip
"""Columns, in the order of the format."""

Cell = str | int | float | None

_NOT_IN_A_CELL = re.compile(r"[\x00-\x1f\x7f]+")


class NamedPeaks(PeaksOfRun, Protocol):
    """The peaks of one run, and what they were compared with."""

    @property
    def library(self) -> Library | None:
        """None if they were compared with nothing."""
        ...


def write(
    several: Sequence[NamedPeaks],
    path: Path,
    probabilities: Mapping[str, float],
    *,
    force: bool,
) -> None:
    """Write the peaks of one run; see :func:`gale.write_mztab`."""
    check_one(len(several), path)
    (peaks,) = several
    with writing(path, force=force) as temporary:
        temporary.write_text(mztab_text(peaks, probabilities), "utf-8", newline="\n")


def mztab_text(peaks: NamedPeaks, probabilities: Mapping[str, float] | None = None) -> str:
    """Return what is written of a run."""
    tables = (
        ("SMH", "SML", SML, _summary(peaks)),
        ("SFH", "SMF", SMF, _features(peaks)),
        ("SEH", "SME", SME, _evidence(peaks)),
    )
    metadata = _metadata(peaks, probabilities or {})
    lines = [f"MTD\t{name}\t{_cell(value)}" for name, value in metadata]
    for head, prefix, columns, rows in tables:
        lines += ["", "\t".join((head, *columns))]
        lines += ["\t".join((prefix, *map(_cell, row))) for row in rows]
    return "\n".join(lines) + "\n"


def check_one(n_runs: int, path: Path) -> None:
    """Refuse to write anything but one run.

    Raises
    ------
    OutputError
    """
    if n_runs != 1:
        raise OutputError(
            path,
            f"would have the peaks of {n_runs:,} runs",
            "those of one, since peaks of different runs are not aligned",
            "write one file per run",
        )


def _metadata(peaks: NamedPeaks, probabilities: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Give the fields of the metadata, in the order of the format."""
    name = Path(peaks.source).name
    yield "mzTab-version", "2.0.0-M"
    yield "mzTab-ID", name
    yield "description", f"Peaks of {name} and the compounds of a library that they are like"
    yield "software[1]", _param("gale", version("gale-ms"))
    if peaks.library is not None:
        library = peaks.library
        yield (
            "software[1]-setting[1]",
            f"library = {library.source}, {len(library)} spectra, SHA-256 {library.sha256}",
        )
    yield "quantification_method", "[MS, MS:1002019, label-free raw feature quantitation, ]"
    yield "ms_run[1]-location", _location(peaks.source)
    yield "ms_run[1]-format", _format(peaks.source)
    yield "ms_run[1]-id_format", "[MS, MS:1000776, scan number only nativeID format, ]"
    yield "ms_run[1]-scan_polarity[1]", "[MS, MS:1000130, positive scan, ]"
    yield "assay[1]", name
    yield "assay[1]-ms_run_ref", "ms_run[1]"
    yield "study_variable[1]", "undefined"
    yield "study_variable[1]-assay_refs", "assay[1]"
    yield "study_variable[1]-description", "the only run"
    for number, (family, probability) in enumerate(probabilities.items(), start=1):
        yield f"custom[{number}]", _param(f"probability of {family}", f"{probability:.6g}")
    for key, value in VOCABULARY:
        yield f"cv[1]-{key}", value
    yield from _database(peaks.library)
    yield "small_molecule-quantification_unit", AREA
    yield "small_molecule_feature-quantification_unit", AREA
    yield "id_confidence_measure[1]", DOT_PRODUCT
    yield "id_confidence_measure[2]", _param("reverse match, 0 to 999", "")


def _database(library: Library | None) -> Iterator[tuple[str, str]]:
    known = library is not None
    yield "database[1]", "[, , InChIKey, ]" if known else '[, , "no database", null ]'
    yield "database[1]-prefix", PREFIX if known else NULL
    yield "database[1]-version", "Unknown"
    yield "database[1]-uri", "https://identifiers.org/inchikey" if known else NULL


def _summary(peaks: NamedPeaks) -> Iterator[Sequence[Cell]]:
    for number, peak in enumerate(peaks.peaks, start=1):
        match = peak.matches[0] if peak.verdict == NAMED else None
        yield (
            number,
            number,
            *(_compound(match, peaks.library) if match else (None,) * 6),
            None,  # the neutral mass, which nominal m/z do not give
            None,
            PUTATIVELY_ANNOTATED if match else UNKNOWN,
            DOT_PRODUCT if match else None,
            _rounded(match.cosine) if match else None,
            *[_rounded(peak.area)] * 2,
            None,
            _families(match) if match else None,
            peak.verdict,
            peak.origin,
        )


def _features(peaks: NamedPeaks) -> Iterator[Sequence[Cell]]:
    before = 0
    for number, peak in enumerate(peaks.peaks, start=1):
        evidence = range(before + 1, before + 1 + len(peak.matches))
        before += len(peak.matches)
        yield (
            number,
            "|".join(map(str, evidence)) or None,
            AMBIGUOUS if len(evidence) > 1 else None,
            None,
            None,
            peak.base_mz,
            1,
            *(round(at * SECONDS, 3) for at in (peak.apex_min, peak.start_min, peak.end_min)),
            _rounded(peak.area),
            _rounded(peak.index),
            _rounded(peak.height),
            _rounded(peak.signal_to_noise),
            _rounded(peak.purity),
            str(peak.saturated).lower(),
            peak.cut,
        )


def _evidence(peaks: NamedPeaks) -> Iterator[Sequence[Cell]]:
    ranked = (
        (peak, rank, match)
        for peak in peaks.peaks
        for rank, match in enumerate(peak.matches, start=1)
    )
    for number, (peak, rank, match) in enumerate(ranked, start=1):
        spectrum = f"ms_run[1]:scan={peak.apex + 1}"
        yield (
            number,
            f"{spectrum};mz={peak.base_mz}",
            *_compound(match, peaks.library),
            _derivative(match, peaks.library),
            None,
            peak.base_mz,
            1,
            _library_mz(match, peaks.library, peak),
            spectrum,
            LIBRARY_SEARCH,
            MS1,
            _rounded(match.cosine),
            match.reverse,
            rank,
            _families(match),
            match.shared_ions,
            _rounded(match.index),
            str(match.weak).lower(),
        )


def _compound(match: PeakMatch, library: Library | None) -> tuple[Cell, ...]:
    """Give identifier, formula, SMILES, InChI, name and address of a compound."""
    facts: list[Cell] = [None] * 3
    if library is not None:
        row = match.row
        facts = [library.formula[row] or None, library.smiles[row] or None, library.inchi[row]]
    identifier = f"{PREFIX}:{match.inchikey or NULL}"
    return identifier, *(each or None for each in facts), _single(match.compound), None


def _derivative(match: PeakMatch, library: Library | None) -> str | None:
    derivative = library.derivative[match.row] if library is not None else ""
    return _param(derivative, "") if derivative else None


def _library_mz(match: PeakMatch, library: Library | None, peak: Peak) -> float:
    """Give the m/z of the base peak of the library's spectrum."""
    if library is None:
        return peak.base_mz
    mz, intensity = library.spectrum(match.row)
    return float(mz[intensity.argmax()])


def _families(match: PeakMatch) -> str | None:
    """Name families as `aromatic;hydrocarbon`, `none` for none of them."""
    return None if match.families is None else _single(";".join(match.families)) or "none"


def _location(source: str) -> str:
    path = Path(source)
    return address_of(path) or (path.resolve().as_uri() if path.exists() else NULL)


def _format(source: str) -> str:
    suffix = Path(source).suffix.lower()
    if suffix == ".mzml":
        return "[MS, MS:1000584, mzML format, ]"
    return _param(f"{suffix.removeprefix('.') or 'unknown'} file", "")


def _param(name: str, value: str) -> str:
    """Return a parameter that no vocabulary has."""
    return f"[, , {_quoted(name)}, {_quoted(value)}]"


def _quoted(text: str) -> str:
    text = _single(text).replace('"', "'").replace("[", "(").replace("]", ")")
    return f'"{text}"' if "," in text else text


def _single(text: str) -> str:
    """Replace what separates the items of a list."""
    return text.replace("|", "/")


def _rounded(number: float) -> float | None:
    return None if math.isnan(number) else float(f"{number:.6g}")


def _cell(value: Cell) -> str:
    text = NULL if value is None else _NOT_IN_A_CELL.sub(" ", str(value)).strip()
    return text or NULL
