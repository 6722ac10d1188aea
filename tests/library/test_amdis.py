"""Components and libraries of AMDIS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gale
from gale.errors import ReadError, UnsupportedFormatError
from gale.library.amdis import is_amdis, split_records
from gale.library.peak_lists import NO_PEAKS, NOT_A_NUMBER, OTHER_COUNT
from helpers.errors import refused

ELU = """\
NAME: |SC60|CN1|MP1|MODN:43(%93.9)|AM8000|PC97|SN40|WD2-2|TA1.1|TR13.4|RT4.0000|MN5.00|MO2: 57 43
RANGE: RG56-65
NUM PEAKS: 3
(43,999 B0.5) (57,820)
( 71, 520.5 A1.2)

NAME: |SC120|CN2|RT5.5|RI812.3|
NUM PEAKS: 2
(77,300 B0.5) (78,999)
"""
FIN = f"DATA FILE: soil\nRT: 4.000\nNET: 92\nNum peaks are below\n{ELU}"

MSL = """\
NAME: Naphthalene
FORM: C10H8
CASNO: 91-20-3
RI: 1182
RW: 0
RT: 12.5
SOURCE: a laboratory
NUM PEAKS: 3
(  51,  81) (  64,  63) ( 128, 999)

NAME:Pyridine, 1 TMS
RI:0
COMMENT: no index
NUM PEAKS: 2
(52,700 ) (79,999 )
"""


def write(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8", newline="\r\n")
    return path


@pytest.mark.parametrize(("text", "name"), [(ELU, "soil.ELU"), (FIN, "soil.FIN")])
def test_components(text: str, name: str, tmp_path: Path) -> None:
    library = gale.read_library(write(tmp_path, text, name))
    assert library.name == ("component at 4.0000 min", "component at 5.5 min")
    np.testing.assert_array_equal(library.retention_index, [np.nan, 812.3])
    np.testing.assert_array_equal(library.spectrum(0)[0], [43, 57, 71])
    np.testing.assert_array_equal(library.spectrum(0)[1], [999, 820, 520.5])
    np.testing.assert_array_equal(library.spectrum(1)[1], [300, 999])


def test_a_library(tmp_path: Path) -> None:
    library = gale.read_library(write(tmp_path, MSL, "mine.MSL"))
    assert library.name == ("Naphthalene", "Pyridine, 1 TMS")
    assert library.formula == ("C10H8", "")
    np.testing.assert_array_equal(library.retention_index, [1182, np.nan])
    np.testing.assert_array_equal(library.spectrum(0)[0], [51, 64, 128])
    np.testing.assert_array_equal(library.spectrum(1)[1], [700, 999])
    assert library.derivative == ("", "1 TMS")
    assert not is_amdis(MSL)


def test_damaged_components_are_counted(tmp_path: Path) -> None:
    text = (
        f"{ELU}\nNAME: |SC7|CN1\nNUM PEAKS: 3\n(43,999)\n"
        "NAME: |SC8\nNUM PEAKS: 1\n(43,high)\nNAME: |SC9\nRANGE: RG1-2\n"
    )
    with pytest.warns(gale.GaleWarning, match="3 of 5 records"):
        library = gale.read_library(write(tmp_path, text, "a.elu"))
    assert len(library) == 2
    assert dict(library.skipped) == {OTHER_COUNT: 1, NOT_A_NUMBER: 1, NO_PEAKS: 1}


def test_a_file_that_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path, ELU[:-30].partition("(43")[0], "a.elu")
    with refused(ReadError, path, found="no peaks"):
        gale.read_library(path)


def test_components_without_a_time_are_named_after_their_scan() -> None:
    (record,) = split_records("NAME: |SC60|CN1\nNUM PEAKS: 1\n(43,9)\n")
    assert record.name == "component of scan 60"


def test_a_list_that_is_given_as_a_run_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, ELU, "soil.ELU")
    with refused(UnsupportedFormatError, path, found="AMDIS", remedy="gale.read_library"):
        gale.read_run(path)


@given(
    peaks=st.lists(
        st.tuples(st.integers(1, 900), st.integers(0, 999)), min_size=1, max_size=40
    ).filter(lambda peaks: any(height for _, height in peaks)),
    per_line=st.integers(1, 8),
    marks=st.sampled_from(["", " B0.5", " A1.2,3", "  "]),
)
@settings(max_examples=50, deadline=None)
def test_any_peaks_are_found(peaks: list[tuple[int, int]], per_line: int, marks: str) -> None:
    cells = [f"({mz},{height}{marks})" for mz, height in peaks]
    lines = [" ".join(cells[at : at + per_line]) for at in range(0, len(cells), per_line)]
    text = f"NAME: |SC1|RT1.0\nNUM PEAKS: {len(peaks)}\n" + "\n".join(lines) + "\n"
    (record,) = split_records(text)
    assert record.declared == len(peaks)
    assert record.peak_list == " ".join(f"({mz},{height})" for mz, height in peaks)
