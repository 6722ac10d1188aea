"""Libraries that say different things of the same compound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gale.library.agreement import disagreements
from helpers.small_libraries import library

IONS = {57: 9.0, 71: 5.0}


def test_indices_that_differ_are_named() -> None:
    one = replace(library(IONS, IONS, index=(1000.0, 1200.0)), inchikey=("A", "B"), source="one")
    other = replace(one, retention_index=np.array([1100.0, 1230.0]), source="other")
    (note,) = disagreements([one, other])
    assert "one and other disagree" in note
    assert "1 compound (compound 0 1000 and 1100)" in note


@pytest.mark.parametrize(
    ("inchikey", "derivative"), [(("", ""), ("", "")), (("A", "B"), ("1 TMS", "2 TMS"))]
)
def test_other_compounds_are_not_compared(
    inchikey: tuple[str, str], derivative: tuple[str, str]
) -> None:
    one = replace(library(IONS, IONS, index=(1000.0, 1200.0)), inchikey=("A", "B"))
    other = replace(
        one,
        retention_index=one.retention_index + 100,
        inchikey=inchikey,
        derivative=derivative,
    )
    assert list(disagreements([one, other])) == []
