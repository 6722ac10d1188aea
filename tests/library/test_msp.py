"""MSP as several programs write it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gale
from gale.errors import ReadError
from gale.library import Library, read_library
from helpers.errors import Facts, refused

pytestmark = pytest.mark.filterwarnings("ignore:.*left out:gale.GaleWarning")

HEADER = {
    "Name": "Alanine",
    "Formula": "C3H7NO2",
    "InChIKey": "QNAYBMKLOCPYGJ-REOHCLBHSA-N",
    "SMILES": "CC(N)C(O)=O",
    "RI": "1096.5",
}
PEAKS = "73 999\n116 450.5\n147 12\n"
GOOD = "Name: Good\nNum Peaks: 2\n41 10\n43 100\n"


def write(folder: Path, text: str, name: str = "x.msp") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return file


def alanine(peaks: str = PEAKS, declaration: str = "Num Peaks: 3", **changes: str) -> str:
    header = "".join(f"{key}: {value}\n" for key, value in (HEADER | changes).items() if value)
    return f"{header}{declaration}\n{peaks}"


def read(folder: Path, text: str) -> Library:
    return read_library(write(folder, text))


def assert_alanine(library: Library, compound: int = 0) -> None:
    assert library.name[compound] == "Alanine"
    assert library.formula[compound] == "C3H7NO2"
    assert library.inchikey[compound] == HEADER["InChIKey"]
    assert library.smiles[compound] == HEADER["SMILES"]
    assert library.retention_index[compound] == 1096.5
    mz, intensity = library.spectrum(compound)
    np.testing.assert_array_equal(mz, [73, 116, 147])
    np.testing.assert_array_equal(intensity, [999, 450.5, 12])


@pytest.mark.parametrize(
    "peaks",
    [
        PEAKS,
        "73 999; 116 450.5; 147 12;\n",
        "73 999; 116 450.5\n147 12\n",
        "73:999 116:450.5 147:12\n",
        "73\t999\n116\t450.5\n147\t12",
        "73,999\n116,450.5\n147,12\n",
        "(73,999)(116,450.5)\n(147,12)\n",
        '73 999 "C3H9Si+ 2/3"\n116 450.5 "?; base: 2"\n147 12 ""\n',
        "147 1.2e1\n73 999.0\n116 +450.5\n",
        "  73   999  \n\n  116 450.5\n147 12\n\n\n",
        PEAKS.replace("\n", "\r\n"),
        PEAKS.replace("\n", "\r"),
    ],
)
def test_peaks(tmp_path: Path, peaks: str) -> None:
    assert_alanine(read(tmp_path, alanine(peaks)))


@pytest.mark.parametrize(
    "declaration",
    ["NUM PEAKS: 3", "Num peaks:3", "NumPeaks: 3", "Num_Peaks :  3 ", "Number of peaks: 3"],
)
def test_declarations(tmp_path: Path, declaration: str) -> None:
    assert_alanine(read(tmp_path, alanine(declaration=declaration)))


def test_peaks_on_the_line_of_their_number(tmp_path: Path) -> None:
    assert_alanine(read(tmp_path, alanine().replace("Peaks: 3\n", "Peaks: 3 ")))


@pytest.mark.parametrize("between", ["", "\n", "\n\n\r\n", "  \n"])
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_records_and_case_of_keys(tmp_path: Path, between: str, case: type[str]) -> None:
    record = "".join(f"{case(key)}: {value}\n" for key, value in HEADER.items())
    record += f"{case('Num Peaks')}: 3\n{PEAKS}"
    library = read(tmp_path, between.join([record, GOOD, record]))
    assert library.name == ("Alanine", "Good", "Alanine")
    assert_alanine(library)
    assert_alanine(library, 2)
    assert not library.skipped


@pytest.mark.parametrize(
    "line",
    [
        "RETENTIONINDEX: 1096.5",
        "Retention_index: 1096.5",
        "Retention Index: 1096.5 (n-alkanes)",
        "RetentionIndex: SemiStdNP=1096.5/4/20 StdNP=1080/3 StdPolar=1700/9",
        "Retention_index: StdPolar=1700/9 StdNP=1096.5/3",
        "Semi-standard non-polar: 1096.5",
        "Synon: L-alanine\nSynon: RI: 1096.5",
        "Synon: METB RI: 1096.5",
        'Comments: "SMILES=C" "retention index=1096.5" "retention time=7.1"',
        "Comment: column=DB-5 RI=1096.5",
        "RI: -1\nComment: RI=1096.5",
    ],
)
def test_retention_indices(tmp_path: Path, line: str) -> None:
    text = alanine(RI="").replace("Num Peaks", f"{line}\nNum Peaks")
    assert_alanine(read(tmp_path, text))


@pytest.mark.parametrize(
    "line",
    [
        "RI: 0",
        "RI: -1",
        "RI: NA",
        "RI:",
        "Comment: x\nFiehnRI=66\nRI=S.D",
        "RI: StdPolar=9",
        "RI: 12345678",
    ],
)
def test_no_retention_index(tmp_path: Path, line: str) -> None:
    text = alanine(RI="").replace("Num Peaks", f"{line}\nNum Peaks")
    assert np.isnan(read(tmp_path, text).retention_index[0])


@pytest.mark.parametrize(
    ("comment", "smiles", "inchi"),
    [
        ("SMILES=C=C InChI=InChI=1S/C2H4/c1-2/h1-2H2", "C=C", "InChI=1S/C2H4/c1-2/h1-2H2"),
        ('"computed SMILES=C" "InChI=1S/CH4/h1H4"', "C", "InChI=1S/CH4/h1H4"),
        ("nothing of this kind", "", ""),
    ],
)
def test_structures_in_comments(tmp_path: Path, comment: str, smiles: str, inchi: str) -> None:
    library = read(tmp_path, alanine(SMILES="NA", Comment=comment))
    assert (library.smiles, library.inchi) == ((smiles,), (inchi,))


@pytest.mark.parametrize(
    ("changes", "derivative"),
    [
        ({"Derivative": "2 TMS", "Comment": "[3TMS]"}, "2 TMS"),
        ({"Derivative": "[major]", "Comment": "QI=1\n[1TMS 1MeOx]"}, "1 MEOX 1 TMS"),
        ({"Comments": '"derivatization type=2 TMS" "derivative mw=313"'}, "2 TMS"),
        ({"Name": "ALANINE-DI-TMS"}, "2 TMS"),
        ({"Comment": "nothing"}, ""),
    ],
)
def test_derivatives(tmp_path: Path, changes: dict[str, str], derivative: str) -> None:
    assert read(tmp_path, alanine(**changes)).derivative == (derivative,)


@pytest.mark.parametrize(
    ("line", "families"),
    [
        ("Families: aromatic; hydrocarbon", ("aromatic", "hydrocarbon")),
        ("FAMILIES:alcohol;;alcohol ;", ("alcohol",)),
        ("Families:", ()),
        ("Families: None", ()),
        ("Families: NA", None),
        ('Comment: "families=a b; c" "x=1"', ("a b", "c")),
        ('Comment: x=1 families="a b; c" y=2', ("a b", "c")),
        ('Comment: families=""', ()),
        ("Comment: families=a", ("a",)),
        ("Comment: families=a\nFamilies: b", ("b",)),
        ("Comment: of several families", None),
    ],
)
def test_families(tmp_path: Path, line: str, families: tuple[str, ...] | None) -> None:
    text = alanine().replace("Num Peaks", f"{line}\nNum Peaks")
    library = read(tmp_path, text + GOOD)
    assert library.families == (families, None)
    assert_alanine(library)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("Name: x\nNum Peaks: 0\n", "no peaks"),
        ("Name: x\nFormula: CH4\n", "no peaks"),
        ("Name: x\nNum Peaks: 2\n41 0\n43 0\n", "no peaks"),
        ("Name: x\nNum Peaks: 3\n41 1\n43 2\n", "peak count differs from the declared"),
        ("Name: x\nNum Peaks: 1\n41 1\n43 2\n", "peak count differs from the declared"),
        ("Name: x\nNum Peaks: 1\n41 1 5\n", "peak count differs from the declared"),
        (
            "Name: x\nNum Peaks: 99999999999999999999\n41 1\n",
            "peak count differs from the declared",
        ),
        ("Name: x\nNum Peaks: many\n41 1\n", "peak count differs from the declared"),
        ("Name: x\nNum Peaks: 2\n41 1\n4z 2\n", "a peak is not a number"),
        ("Name: x\nNum Peaks: 2\n41 1\nnan 2\n", "a peak is not a number"),
        ("Name: x\nNum Peaks: 2\n41 1\n43 inf\n", "a peak is not a number"),
        ("Name: x\nNum Peaks: 2\n41 1\n-43 2\n", "an m/z or intensity is out of range"),
        ("Name: x\nNum Peaks: 2\n41 1\n43 -2\n", "an m/z or intensity is out of range"),
        ("Name: x\nNum Peaks: 2\n41 1\n9.9e36 2\n", "an m/z or intensity is out of range"),
        ("Formula: CH4\nNum Peaks: 1\n41 1\n", "no name"),
        ("Name:\nNum Peaks: 1\n41 1\n", "no name"),
        (
            "Name: x\nInstrument_type: LC-ESI-QTOF\nNum Peaks: 1\n41 1\n",
            "not electron ionisation",
        ),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_record_is_skipped(tmp_path: Path, bad: str, reason: str, place: int) -> None:
    records = [alanine(), GOOD]
    records.insert(place, bad)
    library = read(tmp_path, "".join(records))
    assert library.name == ("Alanine", "Good")
    assert library.skipped == {reason: 1}
    assert_alanine(library)
    np.testing.assert_array_equal(library.spectrum(1), [[41, 43], [10, 100]])
    assert "1 record skipped" in repr(library)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no records"),
        (b"time,mass,intensity\n1,2,3\n", "no records"),
        (bytes(range(256)), "no records"),
        (
            b"Name: x\nName: y\nNum Peaks: 2\n1 1\n",
            ("1 record: no peaks", "1 record: peak count differs"),
        ),
    ],
)
def test_a_file_without_spectra(tmp_path: Path, content: bytes, found: Facts) -> None:
    file = tmp_path / "x.msp"
    file.write_bytes(content)
    with refused(ReadError, file, found=found, expected=("MSP", "MassBank")):
        read_library(file)


def test_a_damaged_file(tmp_path: Path) -> None:
    file = tmp_path / "x.msp"
    file.write_bytes(b"\x1f\x8b\x08\x00cut short")
    with pytest.raises(ReadError, match="gzip") as caught:
        read_library(file)
    assert caught.value.source.startswith(str(file))


def test_gzip_and_encodings(tmp_path: Path) -> None:
    text = alanine(Name="β-Alanine").encode()
    (tmp_path / "x.msp.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text))
    (tmp_path / "y.msp").write_bytes(alanine(Name="Säure").encode("latin-1"))
    assert read_library(tmp_path / "x.msp.gz").name == ("β-Alanine",)
    assert read_library(str(tmp_path / "y.msp")).name == ("Säure",)


FIELDS = [f"{key}: {value}" for key, value in HEADER.items() if key != "Name"]
PLACES = ["before the name", "before", "among", "behind", "behind a blank"]


@pytest.mark.parametrize("blank", ["", "\n"])
@pytest.mark.parametrize("place", PLACES)
def test_fields_are_of_the_record_that_they_are_in(tmp_path: Path, place: str, blank: str) -> None:
    """Whether before or behind its peaks; never of a neighbour, which has none."""
    name, peaks = "Name: Alanine", PEAKS.strip()
    lines = {
        "before the name": [*FIELDS, name, "Num Peaks: 3", peaks],
        "before": [name, *FIELDS, "Num Peaks: 3", peaks],
        "among": [name, "Num Peaks: 3", *FIELDS, peaks],
        "behind": [name, "Num Peaks: 3", peaks, *FIELDS],
        "behind a blank": [name, "Num Peaks: 3", peaks, "", *FIELDS],
    }[place]
    record = "\n".join([*lines, ""])
    blank = blank or "\n" * place.endswith(
        ("the name", "a blank")
    )  # else nothing says whose they are
    library = read(tmp_path, blank.join([GOOD, record, GOOD.replace("Good", "Last")]))
    assert library.name == ("Good", "Alanine", "Last")
    assert_alanine(library, 1)
    for neighbour in (0, 2):
        assert np.isnan(library.retention_index[neighbour])
        assert (library.smiles[neighbour], library.inchikey[neighbour]) == ("", "")
        assert library.families[neighbour] is None


EI = {
    "nothing said": "",
    "an instrument": "Instrument_type: GC-EI-TOF",
    "another instrument": "Instrument_type: GC-MS",
    "a level": "Spectrum_type: MS1\nMS_level: 1",
    "an energy": "Ionization: EI 70 eV\nPrecursor_type: [M+H]+",
    "a mode": "Ion_mode: P\nPrecursorMZ: 150.1",
    "the molecular ion": "Precursor_type: [M]+.",
}
OTHER = {
    "electrospray": "Ionization: ESI",
    "a liquid": "Instrument_type: LC-QTOF",
    "a level": "Spectrum_type: MS2",
    "a number": "MS_level: 2",
    "a tandem of EI": "Instrument_type: GC-EI-QQ\nSpectrum_type: MS/MS",
    "a cell": "Instrument_type: HCD\nPrecursorMZ: 150.1",
    "an adduct": "Precursor_type: [M+H]+",
    "a loss": "PRECURSORTYPE: [2M-H]-",
}


@pytest.mark.parametrize("what", EI)
def test_what_is_of_electron_ionisation(tmp_path: Path, what: str) -> None:
    text = alanine(declaration=f"{EI[what]}\nNum Peaks: 3".lstrip())
    assert not read(tmp_path, text).skipped


@pytest.mark.parametrize("what", OTHER)
def test_what_is_not_of_electron_ionisation(tmp_path: Path, what: str) -> None:
    file = write(tmp_path, alanine(declaration=f"{OTHER[what]}\nNum Peaks: 3") + GOOD)
    with pytest.warns(gale.GaleWarning, match=r"1 of 2 records is left out: .*ionisation"):
        library = read_library(file)
    assert library.name == ("Good",)
    assert library.skipped == {"not electron ionisation": 1}


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "S"]), min_size=1).filter(
    lambda name: name not in ("NA", "N") and not name.isspace()
)
SPECTRA = st.lists(
    st.tuples(st.floats(1, 1000).map(lambda mz: round(mz, 4)), st.floats(0.001, 1e9)),
    min_size=1,
    max_size=9,
).map(sorted)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.tuples(NAMES, SPECTRA), min_size=1, max_size=5),
    separator=st.sampled_from([" ", "\t", ",", ", "]),
    end=st.sampled_from(["\n", ";", "; ", '\t"note"\n']),
    between=st.sampled_from(["", "\n", "\n\n"]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, list[tuple[float, float]]]],
    separator: str,
    end: str,
    between: str,
) -> None:
    text = between.join(
        f"Name: {name}\nNum Peaks: {len(peaks)}\n"
        + "".join(f"{mz}{separator}{intensity}{end}" for mz, intensity in peaks)
        + "\n"
        for name, peaks in records
    )
    library = read(tmp_path_factory.mktemp("msp"), text)
    assert library.name == tuple(name for name, _ in records)
    for compound, (_, peaks) in enumerate(records):
        mz, intensity = np.array(peaks).T
        found = library.spectrum(compound)
        np.testing.assert_array_equal(found[0], mz)
        np.testing.assert_allclose(np.sort(found[1]), np.sort(intensity), rtol=1e-15)
