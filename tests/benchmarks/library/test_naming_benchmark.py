"""Naming of measured spectra, where the answer is known."""

from __future__ import annotations

import pytest

from benchmarks.library.naming import naming
from gale.library import Library, substances


@pytest.mark.slow
def test_substances_find_themselves() -> None:
    further, volatile = substances("further"), substances("volatile")
    few = [further.name.index(name) for name in ("coronene", "1-decanethiol")]
    measured = Library.join([further.take(few), volatile.take([volatile.name.index("pyrrole")])])
    _, others, new = naming(measured)
    assert others == ["the others", "1", "100 %", "100 %", "100 %", "100 %"]
    assert new == ["further substances", "2", "0 %", "0 %", "100 %", "100 %"]
