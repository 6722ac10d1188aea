"""Novelty: which spectra of training runs are kept, and how new a run is beside them."""

from __future__ import annotations

import numpy as np
import pytest

from gale.matching import novelty as module
from gale.matching.novelty import Strong, known_spectra, novelty, strong_spectra

FIRST_MZ, N_MZ, N_SPECTRA = 15, 80, 3
Array = np.ndarray


def spectrum(*mz: int, height: float = 4000.0) -> Array:
    """A spectrum with these ions, equally high."""
    signal = np.zeros(N_MZ, dtype=np.float32)
    signal[np.array(mz) - FIRST_MZ] = height / len(mz)
    return signal


def runs_of(*runs: list[Array]) -> Strong:
    """The strong spectra of runs, each with some spectra; the others are empty."""
    features = np.zeros((len(runs), N_SPECTRA, N_MZ), dtype=np.float32)
    for row, spectra in enumerate(runs):
        for at, each in enumerate(spectra):
            features[row, at] = np.log1p(each)
    return strong_spectra(features.reshape(len(runs), -1), N_MZ, FIRST_MZ)


ONE, OTHER, THIRD = spectrum(41, 55), spectrum(77, 51), spectrum(30, 44)


def test_a_run_of_known_compounds_is_not_new_and_one_of_others_is() -> None:
    known = known_spectra(runs_of([ONE], [OTHER, ONE]))
    assert known.shape == (2, N_MZ)
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, atol=1e-6)
    found = novelty(runs_of([OTHER], [], [THIRD, ONE], [3 * ONE]), known, 4)
    assert found.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_weak_spectra_do_not_count_and_others_as_much_as_they_stand_out() -> None:
    known = known_spectra(runs_of([ONE]))
    heights = [np.exp(module.LEAST_HEIGHT + above) for above in (-0.5, 0.5, 1.0, 3.0)]
    found = novelty(runs_of(*([spectrum(30, 44, height=each)] for each in heights)), known, 4)
    np.testing.assert_allclose(found, [0, 0.5 / module.WHOLE, 1 / module.WHOLE, 1], atol=0.01)


def test_between_the_two_cosines_a_spectrum_is_new_in_part() -> None:
    known = known_spectra(runs_of([spectrum(50)]))
    share = []
    for cosine in (0.95, 0.85, 0.7):
        part = (np.sqrt(1 - cosine**2) / cosine * 50 / 60) ** 2  # of the ion of m/z 60
        signal = spectrum(50, height=1e5) + part * spectrum(60, height=1e5)
        share.append(float(novelty(runs_of([signal]), known, 1)[0]))
    assert share[0] == 0
    assert share[1] == pytest.approx(min(0.5 * (np.log(1e5 * 1.3) - 5) / module.WHOLE, 1), abs=0.1)
    assert share[2] == 1


def test_where_no_spectrum_is_strong_nothing_is_known() -> None:
    known = known_spectra(runs_of([], [spectrum(41, height=3)]))
    assert known.shape == (1, N_MZ)
    assert novelty(runs_of([ONE], []), known, 2).tolist() == [1.0, 0.0]


def test_of_many_spectra_the_strongest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SPECTRA", 2)
    runs = runs_of([ONE], [5 * OTHER], [2 * THIRD])
    np.testing.assert_allclose(known_spectra(runs), runs.spectra[[1, 2]])
    monkeypatch.setattr(module, "MOST_COMPARED", 1)
    np.testing.assert_allclose(known_spectra(runs), runs.spectra[[1]])


def test_spectra_of_some_of_the_runs() -> None:
    runs = runs_of([ONE, OTHER], [THIRD], [ONE])
    assert runs.of(np.array([0, 2])).run.tolist() == [0, 0, 2]
    assert runs.of(np.array([], dtype=int)).spectra.shape == (0, N_MZ)
