"""Retention indices from structures: known substances, derivatives, structures without one."""

from __future__ import annotations

import numpy as np
import pytest

from gale.chemistry.retention_index import count_terms, estimate_retention_index, term_table
from gale.errors import GaleError
from gale.library import embedded_library
from gale.library.derivative_names import UNKNOWN
from helpers.errors import refused

ALKANES = {"C" * n: 100 * n for n in (5, 8, 12, 20, 30)}
KNOWN = {"c1ccc2ccccc2c1": 1185, "Oc1ccccc1": 980, "CCCCCCCCCC(=O)O": 1370, "CCCCCCCC=O": 1003}


def test_alkanes_define_the_scale() -> None:
    estimate = estimate_retention_index(list(ALKANES))
    np.testing.assert_allclose(estimate, list(ALKANES.values()), atol=50)


def test_known_substances() -> None:
    np.testing.assert_allclose(
        estimate_retention_index(list(KNOWN)), list(KNOWN.values()), atol=120
    )


@pytest.mark.slow
def test_the_embedded_library_within_the_stated_error() -> None:
    library = embedded_library()
    chosen = library.take([each != "" and UNKNOWN not in each for each in library.derivative])
    error = estimate_retention_index(chosen.structure, chosen.derivative) - chosen.retention_index
    assert np.isfinite(error).sum() > 480
    assert np.nanmedian(np.abs(error)) < 80
    assert np.abs(np.nanmedian(error)) < 40


def test_stated_and_drawn_derivatives_agree() -> None:
    drawn = ["CC(N[Si](C)(C)C)C(=O)O[Si](C)(C)C", "CON=C(C)C(=O)O[Si](C)(C)C(C)(C)C"]
    parents, stated = ["CC(N)C(=O)O", "CC(=O)C(=O)O"], ["2 TMS", "1 MEOX 1 TBDMS"]
    one = estimate_retention_index(drawn)
    np.testing.assert_array_equal(one, estimate_retention_index(parents, stated))
    np.testing.assert_array_equal(one, estimate_retention_index(drawn, ["n TMS", "7 TMS"]))
    assert (one > estimate_retention_index(parents)).all()


def test_an_unknown_number_is_that_of_the_sites_in_the_structure() -> None:
    one = estimate_retention_index(["NCC(=O)O", "OCC(=O)C=O"], ["n TMS", "n MEOX n TMS"])
    other = estimate_retention_index(["NCC(=O)O", "OCC(=O)C=O"], ["2 TMS", "2 MEOX 1 TMS"])
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("structure", "derivative"),
    [
        ("", ""),
        (None, ""),
        ("C1CC", ""),
        ("O", ""),
        ("CC[Sn](CC)(CC)CC", ""),
        ("CC(O)=O", "1 TFA"),
    ],
)
def test_no_estimate(structure: str | None, derivative: str) -> None:
    estimate = estimate_retention_index(["CCO", structure], ["", derivative])
    np.testing.assert_array_equal(np.isnan(estimate), [False, True])


def test_shapes_and_bounds() -> None:
    assert estimate_retention_index([]).shape == (0,)
    assert count_terms(["C", None]).shape == (2, len(term_table()))
    perfluorinated = "C(F)(F)" * 30
    assert (estimate_retention_index([f"F{perfluorinated}F", "C"]) >= 0).all()
    with refused(GaleError, "derivatives", found="1", expected="2"):
        estimate_retention_index(["C", "CC"], [""])


def test_terms_are_counted() -> None:
    (counts,) = count_terms(["OCc1ccccc1Cl"], ["1 TMS"])
    found = {name: n for name, n in zip(term_table()["term"], counts, strict=True) if n}
    assert found == {
        "carbon": 7,
        "aromatic carbon": 6,
        "alcohol": 1,
        "chlorine": 1,
        "TMS": 1,
    }
