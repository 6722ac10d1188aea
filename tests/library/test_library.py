"""The columns of a library, and the library that comes with gale."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.library import Library, embedded_library, read_library
from gale.library.embedded import from_table

ROOT = Path(__file__).parents[2]
COLUMNS = ("spectrum_start", "mz", "intensity", "retention_index")
TEXTS = ("name", "formula", "smiles", "inchi", "inchikey", "derivative")


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
    assert embedded.retention_index.min() == 675.5
    assert embedded.retention_index.max() == 4097.82
    index = dict(zip(embedded.name, embedded.retention_index, strict=True))
    assert index["Methyl Caprylate"] == 800
    assert index["Methyl Stearate"] == 1800
    assert embedded.formula[embedded.name.index("naphthalene")] == "C10H8"
    derivatives = Counter(embedded.derivative)
    assert (derivatives["2 TMS"], derivatives["1 MEOX 1 TMS"], derivatives[""]) == (142, 25, 776)


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


def test_a_library_goes_to_another_process(embedded: Library) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(repr, embedded).result() == repr(embedded)


def test_spectra_are_numbered_as_in_a_sequence(embedded: Library) -> None:
    np.testing.assert_array_equal(embedded.spectrum(-1), embedded.spectrum(1283))
    for compound in (1284, -1285):
        with pytest.raises(IndexError):
            embedded.spectrum(compound)


def test_the_maker_of_the_embedded_library(tmp_path: Path) -> None:
    (tmp_path / "x.msp").write_text(
        "Name: a\nRI: 900.25\nComment: [2TMS]\nSMILES: CO\nNum Peaks: 2\n73 1000\n147 1\n"
        "Name: b\nFormula: CH4\nNum Peaks: 1\n16 7\n"
    )
    maker = str(ROOT / "tools" / "make_embedded_library.py")
    subprocess.run([sys.executable, maker, "x.msp", "x.parquet"], check=True, cwd=tmp_path)
    made = from_table(pl.read_parquet(tmp_path / "x.parquet"), "x")
    read = read_library(tmp_path / "x.msp")
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(made, column), getattr(read, column))
    for text in TEXTS:
        assert getattr(made, text) == getattr(read, text)


@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set")
def test_a_real_library() -> None:
    file = Path(os.environ["GALE_EXTRA_DATA"]) / "libraries" / "massbank_ei.msp.gz"
    library = read_library(file)
    assert len(library) == 7542
    assert not library.skipped
    assert np.isfinite(library.retention_index).sum() == 627  # and 51 are given as 0
    assert all(library.smiles)
