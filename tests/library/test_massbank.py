"""MassBank records, one by one, many in a file, and in folders."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from gale.errors import ReadError
from gale.library import read_library
from helpers.errors import refused

pytestmark = pytest.mark.filterwarnings("ignore:.*left out:gale.GaleWarning")

RECORD = """ACCESSION: MSBNK-Some-XX000001
RECORD_TITLE: Glucose; GC-EI-TOF; MS
CH$NAME: D-Glucose
CH$NAME: Dextrose
CH$FORMULA: C6H12O6
CH$SMILES: OCC1OC(O)C(O)C(O)C1O
CH$IUPAC: InChI=1S/C6H12O6/c7-1-2
CH$LINK: CAS 492-62-6
CH$LINK: INCHIKEY WQZGKKKJIJFFOK-DVKNGEFBSA-N
AC$INSTRUMENT_TYPE: GC-EI-TOF
AC$CHROMATOGRAPHY: RETENTION_INDEX 1889.4
MS$FOCUSED_ION: DERIVATIVE_TYPE 5 TMS; 1 MEOX
PK$SPLASH: splash10-0
PK$NUM_PEAK: 2
PK$PEAK: m/z int. rel.int.
  73.0 250 999
  147.0 100.5 402
//
"""


def test_a_record(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text(RECORD)
    library = read_library(file)
    assert len(library) == 1
    assert library.name == ("D-Glucose",)
    assert library.formula == ("C6H12O6",)
    assert library.smiles == ("OCC1OC(O)C(O)C(O)C1O",)
    assert library.inchi == ("InChI=1S/C6H12O6/c7-1-2",)
    assert library.inchikey == ("WQZGKKKJIJFFOK-DVKNGEFBSA-N",)
    assert library.derivative == ("1 MEOX 5 TMS",)
    assert library.families == (None,)
    np.testing.assert_array_equal(library.retention_index, [1889.4])
    np.testing.assert_array_equal(library.spectrum(0), [[73, 147], [250, 100.5]])


def test_what_a_record_does_not_state(tmp_path: Path) -> None:
    tags = ("CH$NAME: D-G", "ACCESSION", "AC$INST", "PK$NUM", "PK$PEAK", "  ", "//")
    lines = [line for line in RECORD.splitlines() if line.startswith(tags)]
    lines.insert(1, "CH$SMILES: N/A")
    (tmp_path / "x.txt").write_text("\r\n".join(lines))
    library = read_library(tmp_path / "x.txt")
    for texts in (library.formula, library.smiles, library.inchi, library.derivative):
        assert texts == ("",)
    assert np.isnan(library.retention_index[0])


def test_a_file_of_records_and_the_older_tag_of_the_index(tmp_path: Path) -> None:
    second = RECORD.replace("D-Glucose", "B").replace("RETENTION_INDEX", "KOVATS_RTI")
    (tmp_path / "x.txt").write_text(RECORD + second)
    library = read_library(tmp_path / "x.txt")
    assert library.name == ("D-Glucose", "B")
    np.testing.assert_array_equal(library.retention_index, [1889.4, 1889.4])


def test_a_record_ends_where_the_next_begins(tmp_path: Path) -> None:
    """Also without the two slashes between them, and with fields behind the peaks."""
    lines = RECORD.removesuffix("//\n").splitlines()
    behind = [line for line in lines if line.startswith("CH$SMILES")]
    moved = "\n".join([*(line for line in lines if line not in behind), *behind, ""])
    second = "\n".join(line for line in lines if line not in behind).replace("D-Glucose", "B")
    (tmp_path / "x.txt").write_text(moved + second)
    library = read_library(tmp_path / "x.txt")
    assert library.name == ("D-Glucose", "B")
    assert library.smiles == ("OCC1OC(O)C(O)C(O)C1O", "")


@pytest.mark.parametrize(
    "line", ["AC$MASS_SPECTROMETRY: MS_TYPE MS2", "AC$MASS_SPECTROMETRY: IONIZATION ESI"]
)
def test_what_is_not_of_electron_ionisation(tmp_path: Path, line: str) -> None:
    (tmp_path / "x.txt").write_text(RECORD + RECORD.replace("PK$NUM", f"{line}\nPK$NUM"))
    assert read_library(tmp_path / "x.txt").skipped == {"not electron ionisation": 1}


def test_a_folder(tmp_path: Path) -> None:
    texts = {
        "b/2.txt": RECORD.replace("D-Glucose", "second"),
        "a/1.txt": RECORD.replace("D-Glucose", "first"),
        "a/lc.txt": RECORD.replace("TYPE: GC-EI-TOF", "TYPE: LC-ESI-QTOF"),
        "a/ci.txt": RECORD.replace("TYPE: GC-EI-TOF", "TYPE: CI-B"),
        "a/empty.txt": RECORD[: RECORD.index("  73")].replace("PEAK: 2", "PEAK: 0") + "//\n",
        "a/none.txt": RECORD[: RECORD.index("PK$PEAK")] + "PK$PEAK: N/A\n//\n",
        "a/count.txt": RECORD.replace("NUM_PEAK: 2", "NUM_PEAK: 3"),
        "a/two.txt": RECORD.replace("73.0 250 999", "73.0 250"),
        "a/word.txt": RECORD.replace("73.0", "73.0x"),
        "a/nameless.txt": RECORD.replace("CH$NAME", "CH$OTHER"),
        "README.txt": "This folder holds records.\n",
        "notes.md": "not looked at",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "a/damaged.txt").write_bytes(b"\x1f\x8bdamaged")
    library = read_library(tmp_path)
    assert library.name == ("first", "second")
    assert library.skipped == {
        "not electron ionisation": 2,
        "no peaks": 2,
        "peak count differs from the declared": 2,
        "a peak is not a number": 1,
        "no name": 1,
        "not a MassBank record": 1,
        "the file cannot be read": 1,
    }


def test_nothing_to_read(tmp_path: Path) -> None:
    with refused(ReadError, tmp_path, found="no records", expected=("MSP", "MassBank")):
        read_library(tmp_path)
    for name, code in (("missing.msp", errno.ENOENT), ("x" * 300, errno.ENAMETOOLONG)):
        with refused(ReadError, tmp_path / name, found=os.strerror(code), expected="MSP"):
            read_library(tmp_path / name)
    (tmp_path / "README.txt").write_text("words")
    with refused(ReadError, tmp_path, found=("1 record", "not a MassBank record")):
        read_library(tmp_path)
