"""Substances and instruments together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gale.simulation.laboratory import (
    ANALYTE,
    BLEED,
    EVOLVED,
    GAS,
    Laboratory,
    build_laboratory,
)
from helpers.laboratories import analytes, bare, laboratory, record_of


def spectra(made: Laboratory, name: str) -> np.ndarray:
    """Spectrum of one record on each instrument, its ions alone."""
    record = record_of(made, name)
    ions = np.flatnonzero(made.compounds.spectrum[record])
    return np.array([made.spectrum(record, each)[ions] for each in made.instruments])


def test_every_laboratory_has_its_substances() -> None:
    made = laboratory(bare())
    assert np.count_nonzero(made.kind == ANALYTE) == len(analytes())
    for kind in ("gas", "solvent", "reagent", "contaminant", "bleed"):
        assert np.count_nonzero(made.kind == kind) >= 2
    assert len(made.kind) == len(made.compounds)


def test_minerals_give_off_gases() -> None:
    made = laboratory(bare())
    names = {made.compounds.name[record] for record in np.flatnonzero(made.evolved)}
    assert names == set(EVOLVED)
    assert set(made.kind[made.evolved]) == {GAS}
    for record in np.flatnonzero(made.evolved).tolist():
        assert "mineral" in made.compounds.families_of(record)


def test_a_compound_elutes_differently_from_each_column() -> None:
    retained = laboratory(bare()).kind == ANALYTE
    spread = laboratory(bare(column__index_spread=15.0), instruments=3)
    same = laboratory(bare(), instruments=3).retention_time_min[:, retained]
    np.testing.assert_array_equal(same[0], same[1])
    off = spread.retention_time_min[:, retained] - same
    assert np.all(off[0] != off[1])
    per_index = np.diff(same[0, [1, 2]])[0] / 200  # decane and dodecane
    assert off.std() == pytest.approx(15 * per_index, rel=0.35)


def test_instruments_differ_in_relative_intensities() -> None:
    made = laboratory(bare(spectra__ion_spread=0.2), instruments=60)
    of_toluene = spectra(made, "toluene")
    spread = np.log(of_toluene / np.array([[0.1, 1.0, 0.6]]))
    assert spread.std() == pytest.approx(0.2, rel=0.25)
    assert abs(np.corrcoef(spread.T)[0, 1]) < 0.4, "each ion on its own"
    np.testing.assert_array_equal(of_toluene, spectra(made, "toluene"), "always the same")
    plain = spectra(laboratory(bare(), instruments=2), "toluene")
    np.testing.assert_allclose(plain, [[0.1, 1, 0.6]] * 2, rtol=1e-6)


def test_bleed_is_one_of_the_columns() -> None:
    made = laboratory(bare(), instruments=12)
    known = made.compounds.spectrum[made.kind == BLEED]
    chosen = [
        int(np.flatnonzero((known == made.bleed(each)).all(axis=1))[0]) for each in made.instruments
    ]
    assert set(chosen) == {0, 1}


def test_an_analyte_called_like_a_gas_is_another_substance() -> None:
    own = analytes()
    named = replace(own, name=("water", *own.name[1:]))
    made = build_laboratory(named, laboratory(bare()).instruments, bare())
    assert np.argmax(made.gas("water")) == 18


def test_the_bleed_of_siloxane_is_highest_at_207() -> None:
    made = laboratory(bare())
    assert np.argmax(made.bleed(made.instruments[0])) == 207
    assert np.argmax(made.gas("carbon dioxide")) == 44
