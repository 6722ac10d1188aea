"""mzTab-M, checked by the rules of its specification."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gale
from gale.errors import OutputError
from gale.peaks import Peaks, find_peaks, mztab
from helpers.commands import error_of, succeed
from helpers.eluting import Eluting, run_of
from helpers.errors import check_error, refused

TOLUENE = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0, 93: 40.0}
STRANGE = {111: 500.0, 157: 999.0, 199: 300.0, 239: 200.0}

MANDATORY = (
    "mzTab-version", "mzTab-ID", "software[1]", "quantification_method", "ms_run[1]-location",
    "ms_run[1]-scan_polarity[1]", "assay[1]", "assay[1]-ms_run_ref", "study_variable[1]",
    "study_variable[1]-assay_refs", "study_variable[1]-description", "cv[1]-label",
    "cv[1]-full_name", "cv[1]-version", "cv[1]-uri", "database[1]", "database[1]-prefix",
    "database[1]-version", "database[1]-uri", "small_molecule-quantification_unit",
    "small_molecule_feature-quantification_unit", "id_confidence_measure[1]",
)  # fmt: skip

ORDER = (
    "mzTab-version", "mzTab-ID", "description", "software", "quantification_method", "ms_run",
    "assay", "study_variable", "custom", "cv", "database", "small_molecule-quantification_unit",
    "small_molecule_feature-quantification_unit", "id_confidence_measure",
)  # fmt: skip

NEVER_NULL = {
    "SML": ("SML_ID",),
    "SMF": ("SMF_ID", "exp_mass_to_charge", "charge"),
    "SME": (
        "SME_ID", "evidence_input_id", "exp_mass_to_charge", "charge", "theoretical_mass_to_charge",
        "spectra_ref", "identification_method", "ms_level", "rank",
    ),
}  # fmt: skip

PARAMETER = re.compile(r'\[[^,\[\]]*, ?[^,\[\]]*, ?("[^"]+"|[^,"\[\]]+), ?("[^"]*"|[^,"\[\]]*)\]')

Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def peaks() -> Peaks:
    return find_peaks(run_of([Eluting(100, 5e4, TOLUENE), Eluting(250, 2e4, STRANGE)]))


def parse(path: Path) -> tuple[dict[str, str], Tables]:
    """Read a file by the rules of the format; anything that breaks one fails."""
    metadata: dict[str, str] = {}
    tables: Tables = {}
    columns: list[str] = []
    sections = []
    for line in path.read_text("utf-8").splitlines():
        if not line:
            continue
        prefix, *cells = line.split("\t")
        assert all(cells), f"an empty cell: {line}"
        assert all(cell == cell.strip() for cell in cells)
        if prefix == "MTD":
            assert not tables
            name, value = cells
            assert name not in metadata
            metadata[name] = value
        elif prefix in ("SMH", "SFH", "SEH"):
            columns = cells
            assert len(set(columns)) == len(columns)
            sections.append({"SMH": "SML", "SFH": "SMF", "SEH": "SME"}[prefix])
            tables[sections[-1]] = []
        else:
            assert prefix == sections[-1]
            tables[prefix].append(dict(zip(columns, cells, strict=True)))
    assert sections == ["SML", "SMF", "SME"]
    return metadata, tables


def check(path: Path) -> tuple[dict[str, str], Tables]:
    metadata, tables = parse(path)
    assert metadata["mzTab-version"] == "2.0.0-M"
    assert [name for name in MANDATORY if name not in metadata] == []
    groups = [re.sub(r"\[\d+\].*", "", name) for name in metadata]
    assert groups == sorted(groups, key=ORDER.index)
    for name in ("software[1]", "quantification_method", "database[1]", "id_confidence_measure[1]"):
        assert PARAMETER.fullmatch(metadata[name]), metadata[name]
    for section, rows in tables.items():
        identifiers = [int(row[f"{section}_ID"]) for row in rows]
        assert len(set(identifiers)) == len(identifiers)
        for row in rows:
            assert [name for name in NEVER_NULL[section] if row[name] == "null"] == []
            optional = [name for name in row if name.startswith("opt_")]
            assert list(row)[-len(optional) :] == optional
            assert [
                name for name in optional if not re.fullmatch(r"opt_global_[A-Za-z0-9_:-]+", name)
            ] == []
    check_references(metadata, tables)
    return metadata, tables


def check_references(metadata: dict[str, str], tables: Tables) -> None:
    features = {row["SMF_ID"] for row in tables["SMF"]}
    evidence = {row["SME_ID"] for row in tables["SME"]}
    referred: list[str] = []
    for row in tables["SML"]:
        assert set(row["SMF_ID_REFS"].split("|")) <= features
        assert row["reliability"] in ("1", "2", "3", "4")
        identifiers = row["database_identifier"]
        for name in ("chemical_formula", "smiles", "inchi", "chemical_name", "uri"):
            assert row[name].count("|") == identifiers.count("|")
    for row in tables["SMF"]:
        referred += [] if row["SME_ID_REFS"] == "null" else row["SME_ID_REFS"].split("|")
        several = "|" in row["SME_ID_REFS"]
        assert row["SME_ID_REF_ambiguity_code"] in (("1", "2", "3") if several else ("null",))
        begin, apex, end = (
            float(row[f"retention_time_in_seconds{each}"]) for each in ("_start", "", "_end")
        )
        assert begin <= apex <= end
    assert sorted(referred) == sorted(evidence)
    for row in tables["SME"]:
        prefix, colon, _ = row["database_identifier"].partition(":")
        assert (prefix, colon) == (metadata["database[1]-prefix"], ":")
        assert re.fullmatch(r"ms_run\[1\]:scan=[1-9]\d*", row["spectra_ref"])
        for name in ("identification_method", "ms_level", "derivatized_form"):
            assert row[name] == "null" or PARAMETER.fullmatch(row[name]), row[name]


def test_peaks_and_families(peaks: Peaks, tmp_path: Path) -> None:
    gale.write_mztab(peaks, tmp_path / "a.mztab", probabilities={"aromatic, cyclic": 0.97125})
    metadata, tables = check(tmp_path / "a.mztab")
    assert metadata["custom[1]"] == '[, , "probability of aromatic, cyclic", 0.97125]'
    assert peaks.library is not None
    assert peaks.library.sha256 in metadata["software[1]-setting[1]"]
    assert metadata["ms_run[1]-location"] == "null"
    first, second = tables["SML"]
    best = peaks[0].matches[0]
    assert (first["chemical_name"], first["reliability"]) == ("toluene", "2")
    assert first["database_identifier"] == f"inchikey:{best.inchikey}"
    assert set(first["opt_global_families"].split(";")) == set(best.families or ())
    assert float(first["abundance_assay[1]"]) == pytest.approx(peaks[0].area, rel=1e-5)
    assert (second["chemical_name"], second["reliability"]) == ("null", "4")
    assert second["opt_global_verdict"] == "nothing is like it"
    feature = tables["SMF"][0]
    assert float(feature["retention_time_in_seconds"]) == pytest.approx(
        peaks[0].apex_min * 60, abs=1e-3
    )
    assert feature["exp_mass_to_charge"] == "91"
    assert len(tables["SME"]) == sum(len(peak.matches) for peak in peaks)
    assert tables["SME"][0]["theoretical_mass_to_charge"] == "91.0"
    assert tables["SME"][0]["spectra_ref"] == f"ms_run[1]:scan={peaks[0].apex + 1}"
    ranks = [int(row["rank"]) for row in tables["SME"]]
    assert ranks == list(range(1, len(ranks) + 1))


def test_a_weak_match_is_evidence_only(peaks: Peaks, tmp_path: Path) -> None:
    weak = tuple(replace(match, weak=True) for match in peaks[0].matches)
    changed = replace(peaks, peaks=(replace(peaks[0], matches=weak),))
    gale.write_mztab(changed, tmp_path / "a.mztab")
    _, tables = check(tmp_path / "a.mztab")
    (row,) = tables["SML"]
    assert (row["database_identifier"], row["reliability"]) == ("null", "4")
    assert {each["opt_global_weak"] for each in tables["SME"]} == {"true"}


def test_names_that_the_format_has_no_place_for(peaks: Peaks, tmp_path: Path) -> None:
    odd: dict[str, Any] = {"compound": "a|b\tc\nd", "inchikey": "", "families": ()}
    match = replace(peaks[0].matches[0], **odd)
    changed = replace(peaks, peaks=(replace(peaks[0], matches=(match,), index=np.nan),))
    gale.write_mztab(changed, tmp_path / "a.mztab")
    _, tables = check(tmp_path / "a.mztab")
    assert tables["SML"][0]["chemical_name"] == "a/b c d"
    assert tables["SME"][0]["database_identifier"] == "inchikey:null"
    assert tables["SME"][0]["opt_global_families"] == "none"
    assert tables["SMF"][0]["opt_global_retention_index"] == "null"


def test_peaks_without_a_library_or_at_all(tmp_path: Path) -> None:
    run = run_of([Eluting(100, 5e4, TOLUENE)])
    found = find_peaks(run, names=False)
    for name, each in (("a", found), ("b", replace(found, peaks=()))):
        gale.write_mztab(each, tmp_path / f"{name}.mztab")
        metadata, tables = check(tmp_path / f"{name}.mztab")
        assert metadata["database[1]-prefix"] == metadata["database[1]-uri"] == "null"
        assert len(tables["SML"]) == len(each)
        assert tables["SME"] == []


def test_several_runs_and_existing_files_are_refused(peaks: Peaks, tmp_path: Path) -> None:
    for several, n in (([peaks, peaks], "2"), ([], "0")):
        with refused(OutputError, tmp_path / "a.mztab", found=f"{n} runs", expected="one"):
            gale.write_mztab(several, tmp_path / "a.mztab")
    (tmp_path / "a.mztab").write_text("mine")
    with refused(OutputError, tmp_path / "a.mztab", found="exists", remedy="force=True"):
        gale.write_mztab(peaks, tmp_path / "a.mztab")


def test_parameters() -> None:
    for text in ('a, "b" [c]', "plain", "x|y"):
        assert PARAMETER.fullmatch(mztab._param(text, "1,2")), text


def test_the_command(tmp_path: Path) -> None:
    run = tmp_path / "a run.csv"
    gale.write_run(run_of([Eluting(100, 5e4, TOLUENE)]), run)
    said = succeed("peaks", run, "--mztab", tmp_path / "a.mztab", "-q").output
    assert said == f"{tmp_path / 'a.mztab'}: 1 peak of 1 run as mzTab-M\n"
    metadata, _ = check(tmp_path / "a.mztab")
    assert metadata["ms_run[1]-location"] == run.as_uri()
    assert "%20" in metadata["ms_run[1]-location"]
    error = error_of("peaks", run, run, "--mztab", tmp_path / "b.mztab")
    check_error(error, tmp_path / "b.mztab", found="2 runs", kind=OutputError)
