"""Tables and spectra of peaks: what they hold, and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import OutputError
from gale.matching import Matcher
from gale.peaks import Peaks, find_peaks
from gale.peaks.table import MATCH, PEAK
from helpers.eluting import Eluting, run_of
from helpers.errors import refused
from helpers.small_libraries import library

TOLUENE = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0, 93: 40.0}
STRANGE = {111: 500.0, 157: 999.0, 199: 300.0, 239: 200.0}


@pytest.fixture(scope="module")
def peaks() -> Peaks:
    return find_peaks(run_of([Eluting(100, 5e4, TOLUENE), Eluting(250, 2e4, STRANGE)]))


def test_one_row_per_peak(peaks: Peaks) -> None:
    table = peaks.table
    assert dict(table.schema).items() >= (PEAK | MATCH).items()
    first, second = table.iter_rows(named=True)
    assert (first["compound"], first["verdict"], first["aromatic"]) == ("toluene", "named", True)
    assert (first["hydrocarbon"], first["alcohol"]) == (True, False)
    assert (second["verdict"], second["compound"]) == ("nothing is like it", None)
    assert (second["match"], second["aromatic"], second["base_mz"]) == (None, None, 157)
    assert table["share"].sum() == pytest.approx(1.0)
    assert first["index_difference"] is None


def test_one_row_per_match(peaks: Peaks) -> None:
    matches = peaks.matches
    assert matches["rank"].to_list() == list(range(1, len(matches) + 1))
    assert matches["match"].is_sorted(descending=True)
    assert set(matches["peak"]) == {1}
    assert matches["compound"][1] == peaks.table["compound_2"][0]


def test_a_part_is_of_the_same_kind(peaks: Peaks) -> None:
    assert isinstance(peaks[:1], Peaks)
    assert [peak.base_mz for peak in peaks] == [peaks[0].base_mz, peaks[-1].base_mz]
    assert repr(peaks) == "<Peaks eluting.csv: 2 peaks, 1 like a compound>"
    assert "array(" not in repr(peaks[0])  # its spectrum


@pytest.mark.parametrize("name", ["peaks.csv", "peaks.parquet", "PEAKS.CSV"])
def test_tables_read_back(peaks: Peaks, tmp_path: Path, name: str) -> None:
    gale.write_peaks([peaks, peaks], tmp_path / name)
    read = pl.read_parquet if name.endswith("parquet") else pl.read_csv
    again = read(tmp_path / name)
    assert again.columns == peaks.table.columns
    assert len(again) == 4
    assert again["area"][0] == pytest.approx(peaks[0].area, rel=1e-5)
    with refused(OutputError, tmp_path / name, remedy="force=True"):
        gale.write_peaks(peaks, tmp_path / name)


@pytest.mark.parametrize("name", ["peaks.txt", "peaks"])
def test_other_suffixes_are_refused(peaks: Peaks, tmp_path: Path, name: str) -> None:
    with refused(OutputError, tmp_path / name, expected=(".csv", ".parquet", ".xlsx")):
        gale.write_peaks(peaks, tmp_path / name)
    with refused(OutputError, tmp_path / name, expected=".csv"):
        gale.write_peak_matches(peaks, tmp_path / name)


def test_no_peaks_have_an_empty_table(tmp_path: Path) -> None:
    nothing = Peaks("blank.csv", ())
    gale.write_peaks(nothing, tmp_path / "peaks.csv")
    assert pl.read_csv(tmp_path / "peaks.csv").columns == nothing.table.columns
    gale.write_peaks([], tmp_path / "none.csv")
    gale.write_peak_matches(nothing, tmp_path / "matches.csv")
    assert pl.read_csv(tmp_path / "matches.csv").columns == nothing.matches.columns


def test_a_name_that_looks_like_a_formula(tmp_path: Path) -> None:
    known = replace(library(TOLUENE), name=("=1+1",))
    found = find_peaks(run_of([Eluting(100, 5e4, TOLUENE)]), matcher=Matcher(known))
    assert found.table["compound"].to_list() == ["=1+1"]
    gale.write_peaks(found, tmp_path / "peaks.csv")
    assert pl.read_csv(tmp_path / "peaks.csv")["compound"].to_list() == ["'=1+1"]


def test_spectra_read_back_as_a_library(peaks: Peaks, tmp_path: Path) -> None:
    gale.write_peak_spectra(peaks, tmp_path / "spectra.msp")
    again = gale.read_library(tmp_path / "spectra.msp")
    assert len(again) == len(peaks)
    assert again.name[0] == f"eluting.csv peak 1 at {peaks[0].apex_min:.3f} min"
    mz, height = again.spectrum(0)
    highest = dict(
        zip(peaks[0].mz.tolist(), peaks[0].intensity / peaks[0].intensity.max(), strict=True)
    )
    assert {int(each): height for each, height in zip(mz, height / 999, strict=True)} == {
        each: pytest.approx(share, abs=1e-3) for each, share in highest.items() if share > 6e-4
    }
    text = (tmp_path / "spectra.msp").read_text("utf-8")
    assert f"RETENTIONTIME: {peaks[0].apex_min:.4f}\n" in text
    assert "like toluene (YXFVVABEGXRONW-UHFFFAOYSA-N), match " in text
    assert text.count("Num Peaks: ") == 2


def test_spectra_are_counted_as_simple_readers_count(peaks: Peaks, tmp_path: Path) -> None:
    """Readers such as that of matchms take lines with a colon for facts, and count the others."""
    gale.write_peak_spectra(peaks, tmp_path / "spectra.msp")
    records = (tmp_path / "spectra.msp").read_text("utf-8").strip().split("\n\n")
    assert len(records) == len(peaks)
    for record, peak in zip(records, peaks, strict=True):
        lines = record.splitlines()
        facts = dict(line.split(": ", 1) for line in lines if ":" in line)
        pairs = [pair.split() for line in lines if ":" not in line for pair in line.split(";")]
        ions = {int(pair[0]): int(pair[1]) for pair in pairs if pair}
        assert (next(iter(facts)), list(facts)[-1]) == ("Name", "Num Peaks")
        assert len(ions) == int(facts["Num Peaks"])
        assert max(ions, key=lambda mz: ions[mz]) == peak.base_mz
        assert max(ions.values()) == 999


def test_the_index_reads_back(peaks: Peaks, tmp_path: Path) -> None:
    known = replace(peaks, peaks=(replace(peaks[0], index=771.96),))
    gale.write_peak_spectra(known, tmp_path / "spectra.msp")
    assert gale.read_library(tmp_path / "spectra.msp").retention_index.tolist() == [772.0]
