"""Libraries in JCAMP-DX."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gale
from gale.errors import ReadError, UnsupportedFormatError
from gale.library import jcamp
from gale.library.jcamp import split_records
from gale.library.peak_lists import NOT_A_NUMBER, OTHER_COUNT
from gale.library.records import NO_NAME, OTHER_IONISATION
from helpers.errors import refused
from helpers.run_files import jcamp as run_file
from helpers.run_files import small_run

BENZENE = """\
##TITLE= Benzene $$ a comment with ##NPOINTS= 7
##JCAMP-DX= 4.24
##DATA TYPE= MASS SPECTRUM
##MOLFORM= C 6 H 6
##CAS REGISTRY NO= 71-43-2
##$RETENTION INDEX= 653
##.IONIZATION MODE= EI+
##XUNITS= M/Z
##YUNITS= RELATIVE ABUNDANCE
##XFACTOR= 1
##YFACTOR= 1
##NPOINTS= 3
##PEAK TABLE= (XY..XY) 1
51,190 52,
200
78 , 999
##END=
"""
NAPHTHALENE = """\
##title=Naphthalene
##Data Type=Mass Spectrum
##$InChI=1S/C10H8/c1-2-6-10-8-4-3-7-9(10)5-1/h1-8H
##xunits=Mass/charge
##XFACTOR=0.1
##YFACTOR=2.5
##XYDATA=(XY..XY)
640 10; 1280 400
##END=
"""


def write(folder: Path, text: str, name: str = "a.jdx") -> Path:
    path = folder / name
    path.write_text(text, "utf-8", newline="\r\n")
    return path


def one(**changes: str) -> str:
    """A record of a spectrum with other labels; an underscore stands for a space."""
    labels = {
        "TITLE": "x", "DATA TYPE": "MASS SPECTRUM", "XUNITS": "M/Z", "NPOINTS": "2",
        "PEAK TABLE": "(XY..XY)\n41,10 43,100",
    }  # fmt: skip
    labels |= {key.replace("_", " "): value for key, value in changes.items()}
    return "".join(f"##{key}={value}\n" for key, value in labels.items()) + "##END=\n"


def test_several_spectra(tmp_path: Path) -> None:
    library = gale.read_library(write(tmp_path, f"\n{BENZENE}\n{NAPHTHALENE}"))
    assert library.name == ("Benzene", "Naphthalene")
    assert library.formula == ("C6H6", "")
    assert library.inchi[1].startswith("InChI=1S/C10H8/")
    np.testing.assert_array_equal(library.retention_index, [653, np.nan])
    np.testing.assert_array_equal(library.spectrum(0)[0], [51, 52, 78])
    np.testing.assert_array_equal(library.spectrum(0)[1], [190, 200, 999])
    np.testing.assert_allclose(library.spectrum(1)[0], [64, 128])
    np.testing.assert_array_equal(library.spectrum(1)[1], [25, 1000])


def test_blocks_in_a_record_and_a_packed_file(tmp_path: Path) -> None:
    text = f"##TITLE=both\n##DATA TYPE=LINK\n##BLOCKS=2\n{BENZENE}{NAPHTHALENE}##END=\n"
    path = tmp_path / "a.jdx.gz"
    path.write_bytes(gzip.compress(text.encode()))
    library = gale.read_library(path)
    assert library.name == ("Benzene", "Naphthalene")
    assert not library.skipped


def test_a_spectrum_as_a_page_of_a_table(tmp_path: Path) -> None:
    text = (
        "##TITLE=x\n##DATA TYPE=MASS SPECTRUM\n##NTUPLES=MASS SPECTRUM\n"
        "##UNITS=M/Z, RELATIVE ABUNDANCE\n##PAGE=1\n##DATA TABLE=(XY..XY), PEAKS\n"
        "15,210 27,990\n##END NTUPLES=MASS SPECTRUM\n##END=\n"
    )
    library = gale.read_library(write(tmp_path, text))
    np.testing.assert_array_equal(library.spectrum(0)[1], [210, 990])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"DATA_TYPE": "INFRARED SPECTRUM"}, jcamp.OTHER_KIND),
        ({"XUNITS": "1/CM"}, jcamp.OTHER_UNIT),
        ({"XUNITS": "SECONDS"}, jcamp.OTHER_UNIT),
        ({"PEAK_TABLE": "(X++(Y..Y))\n41 10 100"}, jcamp.OTHER_FORM),
        ({"PEAK_TABLE": "(XY..XY)\n41,10 43,@A1"}, NOT_A_NUMBER),
        ({"NPOINTS": "3"}, OTHER_COUNT),
        ({"NPOINTS": "two"}, OTHER_COUNT),
        ({"PAGE": "T=90.5"}, jcamp.OF_A_RUN),
        ({"YFACTOR": "-1"}, jcamp.OTHER_FACTOR),
        ({"XFACTOR": "one"}, jcamp.OTHER_FACTOR),
        ({"TITLE": ""}, NO_NAME),
        ({".IONIZATION_MODE": "CI+"}, OTHER_IONISATION),
    ],
)
def test_what_is_no_spectrum_is_counted(changes: dict[str, str], why: str, tmp_path: Path) -> None:
    with pytest.warns(gale.GaleWarning, match="1 of 2 records"):
        library = gale.read_library(write(tmp_path, BENZENE + one(**changes)))
    assert (library.name, dict(library.skipped)) == (("Benzene",), {why: 1})


def test_only_flawed_spectra_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, one(XUNITS="1/CM"))
    with refused(ReadError, path, found=("no usable", "m/z"), expected="JCAMP-DX"):
        gale.read_library(path)
    path = write(tmp_path, "##TITLE=nothing\n##END=\n")
    with refused(ReadError, path, found="no records"):
        gale.read_library(path)


def test_a_run_is_no_library_and_a_library_no_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jdx"
    path.write_bytes(run_file(small_run()))
    with refused(ReadError, path, found=jcamp.OF_A_RUN):
        gale.read_library(path)
    path = write(tmp_path, BENZENE)
    with refused(UnsupportedFormatError, path, remedy="gale.read_library"):
        gale.read_run(path)


@given(
    peaks=st.lists(st.tuples(st.floats(1, 900), st.floats(1e-3, 1e6)), min_size=1, max_size=20),
    between=st.sampled_from([",", " ", ", ", "\t"]),
    after=st.sampled_from([" ", "\n", "; "]),
)
@settings(max_examples=50, deadline=None)
def test_any_pairs_are_found(peaks: list[tuple[float, float]], between: str, after: str) -> None:
    pairs = after.join(f"{mz!r}{between}{height!r}" for mz, height in peaks)
    (record,) = split_records(
        f"##TITLE=x\n##XFACTOR=0.5\n##NPOINTS={len(peaks)}\n##PEAK TABLE=(XY..XY)\n{pairs}\n##END="
    )
    assert record.flaw == ""
    numbers = [float(each) for each in record.peak_list.split()]
    assert numbers == [each for mz, height in peaks for each in (mz * 0.5, height)]
