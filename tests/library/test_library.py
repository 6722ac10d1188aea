"""The columns of a library, and the library that comes with gale."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.errors import GaleError
from gale.library import Library, embedded_library, read_library
from gale.library.embedded import from_table
from helpers.errors import refused

ROOT = Path(__file__).parents[2]
COLUMNS = ("spectrum_start", "mz", "intensity", "retention_index")
TEXTS = ("name", "formula", "smiles", "inchi", "inchikey", "derivative", "families")


@pytest.fixture(scope="module")
def embedded() -> Library:
    return embedded_library()


def base_peak(library: Library, name: str) -> set[float]:
    spectra = [library.spectrum(c) for c in range(len(library)) if library.name[c] == name]
    return {float(mz[intensity.argmax()]) for mz, intensity in spectra}


def test_the_embedded_library_fits_together(embedded: Library) -> None:
    assert len(embedded) == 1284
    assert {len(getattr(embedded, column)) for column in (*TEXTS, "retention_index")} == {1284}
    assert embedded.spectrum_start[0] == 0
    assert embedded.spectrum_start[-1] == len(embedded.mz) == len(embedded.intensity) == 134_179
    assert (np.diff(embedded.spectrum_start) > 0).all()
    for compound in range(len(embedded)):
        mz, intensity = embedded.spectrum(compound)
        assert (np.diff(mz) > 0).all()
        assert intensity.max() == 1000
    assert "1,284 spectra, 1,284 with retention index" in repr(embedded)


def test_the_embedded_compounds(embedded: Library) -> None:
    assert all(embedded.name)
    assert [sum(map(bool, texts)) for texts in (embedded.smiles, embedded.inchi)] == [1283, 1283]
    assert embedded.retention_index.min() == 998.7
    assert embedded.retention_index.max() == 4435.6
    index = dict(zip(embedded.name, embedded.retention_index, strict=True))
    assert index["Methyl Caprylate"] == 1123.8
    assert index["Methyl Stearate"] == 2128
    assert abs(index["tetratriacontane"] - 3400) < 15
    assert embedded.formula[embedded.name.index("naphthalene")] == "C10H8"
    derivatives = Counter(embedded.derivative)
    assert (derivatives["2 TMS"], derivatives["1 MEOX 1 TMS"]) == (142, 25)
    assert (derivatives["n TMS"], derivatives["n MEOX"], derivatives[""]) == (696, 19, 70)
    esters = [c for c, name in enumerate(embedded.name) if name.startswith("Methyl ")]
    assert {embedded.derivative[c] for c in esters} == {""}
    assert len(esters) == 13


def test_the_families_of_the_embedded_compounds(embedded: Library) -> None:
    families = dict(zip(embedded.name, embedded.families, strict=True))
    assert families["naphthalene"] == ("aromatic", "hydrocarbon")
    assert families["glycine"] == ("carboxylic_acid", "nitrogen_bearing_compound")
    assert families["Impurity"] is None
    assert embedded.families.count(None) == 1


def test_embedded_base_peaks(embedded: Library) -> None:
    assert base_peak(embedded, "naphthalene") == {128}
    assert base_peak(embedded, "succinic acid") == {147}
    assert base_peak(embedded, "glycine") == {174}
    silylated = [c for c in range(len(embedded)) if embedded.derivative[c].endswith("TMS")]
    with_73 = [73 in embedded.spectrum(c)[0] for c in silylated]
    assert np.mean(with_73) > 0.98


def test_a_library_is_read_only(embedded: Library) -> None:
    for column in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(embedded, column)[0] = 1
    with pytest.raises(TypeError):
        embedded.skipped["x"] = 1  # type: ignore[index]


@pytest.mark.slow
def test_a_library_goes_to_another_process(embedded: Library) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(repr, embedded).result() == repr(embedded)


def test_spectra_are_numbered_as_in_a_sequence(embedded: Library) -> None:
    np.testing.assert_array_equal(embedded.spectrum(-1), embedded.spectrum(1283))
    for compound in (1284, -1285):
        with pytest.raises(IndexError):
            embedded.spectrum(compound)


def test_take(embedded: Library) -> None:
    taken = embedded.take([7, 3, -1, 3])
    assert taken.name == tuple(embedded.name[c] for c in (7, 3, 1283, 3))
    assert taken.families == tuple(embedded.families[c] for c in (7, 3, 1283, 3))
    np.testing.assert_array_equal(taken.retention_index, embedded.retention_index[[7, 3, -1, 3]])
    for at, compound in enumerate((7, 3, -1, 3)):
        np.testing.assert_array_equal(taken.spectrum(at), embedded.spectrum(compound))
    mask = embedded.retention_index > 3000
    masked = embedded.take(mask)
    assert masked.name == embedded.take(np.flatnonzero(mask)).name
    assert len(masked.mz) == masked.spectrum_start[-1]
    nothing = embedded.take([])
    assert len(nothing) == len(nothing.mz) == 0
    assert "0 spectra" in repr(nothing)


@pytest.mark.parametrize("compounds", [[1284], [-1285], [True], [0.5]])
def test_what_cannot_be_taken(embedded: Library, compounds: list[float]) -> None:
    with pytest.raises(IndexError):
        embedded.take(compounds)


def test_join(embedded: Library) -> None:
    first = replace(embedded.take([5, 6]), source="a", skipped={"no peaks": 1})
    second = replace(embedded.take([7]), source="b", skipped={"no peaks": 2, "no name": 1})
    joined = Library.join([first, second])
    for column in COLUMNS:
        np.testing.assert_array_equal(
            getattr(joined, column), getattr(embedded.take([5, 6, 7]), column)
        )
    for text in TEXTS:
        assert getattr(joined, text) == getattr(embedded, text)[5:8]
    assert (joined.source, joined.skipped) == ("a + b", {"no peaks": 3, "no name": 1})
    with refused(GaleError, "libraries", expected="at least one"):
        Library.join([])


def test_structures(embedded: Library) -> None:
    one = replace(embedded.take([0, 0, 0]), smiles=("C", "", ""), inchi=("x", "InChI=1S/CH4", ""))
    assert one.structure == ("C", "InChI=1S/CH4", "")


@pytest.mark.slow
def test_the_maker_of_the_embedded_library(tmp_path: Path) -> None:
    (tmp_path / "x.msp").write_text(
        "Name: a\nRI: 900.25\nComment: [2TMS]\nSMILES: CO\nNum Peaks: 2\n73 1000\n147 1\n"
        "Name: b\nFormula: CH4\nRI: 1800\nNum Peaks: 1\n16 7\n"
    )
    maker = str(ROOT / "tools" / "make_embedded_library.py")
    subprocess.run([sys.executable, maker, "x.msp", "x.parquet"], check=True, cwd=tmp_path)
    made = from_table(pl.read_parquet(tmp_path / "x.parquet"), "x")
    read = read_library(tmp_path / "x.msp")
    for column in ("spectrum_start", "mz", "intensity"):
        np.testing.assert_array_equal(getattr(made, column), getattr(read, column))
    for text in TEXTS[:-1]:
        assert getattr(made, text) == getattr(read, text)
    np.testing.assert_array_equal(made.retention_index, [1224.4, 2128.0])
    assert made.families == (("alcohol",), None)


@pytest.mark.slow
@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set")
def test_a_real_library() -> None:
    file = Path(os.environ["GALE_EXTRA_DATA"]) / "libraries" / "massbank_ei.msp.gz"
    library = read_library(file)
    assert len(library) == 7542
    assert not library.skipped
    assert np.isfinite(library.retention_index).sum() == 627  # and 51 are given as 0
    assert all(library.smiles)
