"""Reference spectra: all different, with their families, within the range of a run's features."""

from __future__ import annotations

import numpy as np

from gale.library.substances import substances
from gale.matching.matcher import weigh
from gale.matching.references import ALIKE, reference_spectra

FAMILIES = ("aromatic", "nitrogen_bearing_compound", "mineral")


def row_like(name: str, kind: str, spectra: np.ndarray, first_mz: int) -> tuple[int, float]:
    """Find the reference that is most like a substance, and their cosine."""
    library = substances(kind)
    whole = library.nominal_spectra(first_mz + spectra.shape[1])[library.name.index(name)]
    weighted = weigh(whole[None, first_mz:], first_mz)[0]
    cosine = spectra @ weighted / np.linalg.norm(weighted)
    return int(cosine.argmax()), float(cosine.max())


def test_references_are_all_different() -> None:
    references = reference_spectra(FAMILIES, 12, 339)
    np.testing.assert_allclose(np.linalg.norm(references.spectra, axis=1), 1, rtol=1e-5)
    facts = np.column_stack([references.families, references.background])
    for row in range(0, len(facts), 50):
        same = (facts == facts[row]).all(axis=1)
        same[row] = False
        assert not (references.spectra[same] @ references.spectra[row] > ALIKE + 1e-5).any()
    assert 1000 < len(facts) < 2000


def test_they_know_families_and_what_every_laboratory_has() -> None:
    references = reference_spectra(FAMILIES, 12, 339)
    row, cosine = row_like("water", "gas", references.spectra, 12)
    assert cosine > 0.999
    assert references.background[row]
    assert references.families[row].tolist() == [False, False, True]
    row, cosine = row_like("diphenylamine", "further", references.spectra, 12)
    assert cosine > ALIKE
    assert not references.background[row]
    assert references.families[row].tolist() == [True, True, False]


def test_spectra_outside_the_range_are_left_out() -> None:
    whole, high = (reference_spectra(FAMILIES, first, 600 - first) for first in (12, 100))
    assert len(high.spectra) < len(whole.spectra)
    _, cosine = row_like("water", "gas", whole.spectra, 12)
    assert cosine > 0.999
    assert np.isfinite(high.spectra).all()
