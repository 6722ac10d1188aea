"""What samples are made of: what comes with gale, what was added, and what was named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gale
from gale.errors import ReadError, SimulationError
from gale.library import default_libraries, substances
from gale.library.installed import install
from gale.simulation import Physics
from gale.simulation.alkanes import alkanes
from gale.simulation.compounds import join, read_compounds
from gale.simulation.series import DIFFERENT, MARS, read_analytes
from helpers.errors import refused
from helpers.small_libraries import library
from helpers.training import Recorder

PUBLISHED = sum(map(len, default_libraries())) - 1
"""One record of the embedded library has no structure."""

MINE = replace(
    library({31: 999.0, 45: 500.0}, {43: 999.0, 58: 400.0}, index=(427.0, 500.0)),
    families=(("alcohol",), ("other_oxygen_bearing_compound",)),
)
SHORT_RUNS = Path(__file__).parents[2] / "examples" / "short_runs.toml"


def test_by_default_they_are_those_of_the_published_figures() -> None:
    """The same records in the same order: seeds keep their meaning."""
    for design, libraries in (
        (DIFFERENT, default_libraries()), (MARS, (*default_libraries(), alkanes())),
    ):  # fmt: skip
        found = read_analytes(None, None, Recorder(), design)
        expected = join([read_compounds(each) for each in libraries])
        assert found.compounds.name == expected.name
        np.testing.assert_array_equal(found.compounds.spectrum, expected.spectrum)
        assert [each["name"] for each in found.libraries] == [each.source for each in libraries]
    assert len(read_analytes(None, None, Recorder()).compounds) == PUBLISHED


def test_what_was_added_is_used_without_being_named() -> None:
    install(MINE, "mine")
    progress = Recorder()
    found = read_analytes(None, None, progress)
    assert len(found.compounds) == PUBLISHED + 2
    assert found.libraries[-1] == replace(MINE, source="mine").facts
    assert found.source.endswith(" and mine")
    assert progress.notes == []
    alone = read_analytes("gale", None, progress)
    assert [each["name"] for each in alone.libraries] == [
        each.source for each in default_libraries()
    ]
    assert len(alone.compounds) == PUBLISHED


def test_one_that_cannot_be_simulated_stops_nothing() -> None:
    install(library({31: 999.0}).take([0]), "indexless")
    install(replace(MINE, families=(None, None)), "unknown")
    install(MINE, "usable")
    progress = Recorder()
    found = read_analytes(None, None, progress)
    assert [each["name"] for each in found.libraries][2:] == ["usable"]
    assert ["indexless" in progress.notes[0], "unknown" in progress.notes[1]] == [True, True]
    assert len(progress.notes) == 2
    with pytest.raises(SimulationError):  # named, it has to be of use
        read_analytes(["gale", "unknown"], None, Recorder())


def test_named_ones(tmp_path: Path) -> None:
    install(MINE, "mine")
    further = read_analytes(["gale", "further"], None, Recorder(), MARS)
    assert len(further.compounds) == PUBLISHED + len(alkanes()) + len(substances("further"))
    assert [each["name"] for each in read_analytes("mine", None, Recorder()).libraries] == ["mine"]
    both = read_analytes([MINE, "mine"], None, Recorder())
    assert [each["name"] for each in both.libraries] == ["memory", "mine"]
    with refused(ReadError, tmp_path / "none.msp"):
        read_analytes(tmp_path / "none.msp", None, Recorder())


def test_a_campaign_says_which_libraries_it_is_made_of(tmp_path: Path) -> None:
    install(MINE, "mine")
    physics = Physics.load(SHORT_RUNS)
    gale.simulate(tmp_path / "c", runs={"train": 2}, ions=500, physics=physics, instruments=1)
    facts = json.loads((tmp_path / "c" / "simulation.json").read_text())
    assert facts["libraries"][-1] == replace(MINE, source="mine").facts
    assert facts["libraries"][0]["spectra"] == len(gale.embedded_library())
