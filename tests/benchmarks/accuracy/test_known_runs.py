"""The yardstick of real runs: runs of components, and what counts as found and as false."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import gale
from benchmarks.accuracy import known_runs
from benchmarks.accuracy.known_runs import Known, run_of_components, summary, table

COMPONENTS = """NAME: |SC10|CN1|MP1-MODN:57(%100.0)|AM1|PC9.6|RT2.0|FR9-11|IS4000|OR1|NT0
RE
1000 2000 1000 
NUM PEAKS: 3
(57,750 )(71,250 )(73,90 N0.3)

NAME: |SC30|CN2|MP1-MODN:91(%85.8)|AM2|RT4.0|FR29-30|IS800|OR1|NT0
RE
400 400 
NUM PEAKS: 3
(91,799 )
(92,200 )(65,1 B0.4)
"""  # noqa: W291


def known(holds: set[str], **probability: float) -> Known:
    return Known("r", "c", frozenset(holds), "ok", probability)


def test_components_elute_as_their_profiles_say() -> None:
    run = run_of_components(COMPONENTS, "c.ELU")
    np.testing.assert_allclose(run.time_min, [1.9, 2.0, 2.1, 3.9, 4.0])
    np.testing.assert_allclose(run.total_ion_current, [1000, 2000, 1000, 400, 400])
    assert sorted(set(run.mz)) == [57, 71, 91, 92], "without m/z 65 and 73, which are doubtful"
    assert run.intensity.max() == 1500


def test_what_is_found_and_what_is_false() -> None:
    ladder = known({"hydrocarbon"}, hydrocarbon=0.9, mineral=0.97, aromatic=0.5, alcohol=0.1)
    ester = known({"ester"}, ester=0.4, alcohol=0.2)
    assert ladder.false == ["mineral", "aromatic"]
    assert (ladder.found, ester.found) == (["hydrocarbon"], [])
    assert summary([ladder, ester]) == (
        "Of 2 families that are in, 1 have 0.5 or more; of 4 that are not, 2 have."
    )
    _, row, other = table([ladder, ester])
    assert row[3:5] == ["hydrocarbon 0.90", "mineral 0.97, aromatic 0.50"]
    assert other[4] == "none"


@pytest.mark.slow
@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="needs files that are not shipped")
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_the_model_that_comes_with_gale_knows_alkanes() -> None:
    folder = Path(os.environ["GALE_EXTRA_DATA"], "real")
    model = gale.bundled_model()
    ladder, silylated, *others = known_runs.look(model, folder)
    assert (ladder.found, ladder.false) == (["hydrocarbon"], [])
    assert ladder.probability.keys() == set(model.families)
    assert "mineral" not in silylated.probability, "neither surely in nor surely not"
    assert {each.judging for each in others} == {False, True}
    titles = {row[0] for row in known_runs.others(model, folder)[1:]}
    assert titles, "runs of unknown content"
    assert not titles & {each["file"] for each in known_runs.content()}


def test_content_names_families_once() -> None:
    families = set(gale.bundled_model().families)
    for each in known_runs.content():
        holds, unsure = each["holds"], each.get("open", [])
        assert {*holds, *unsure} <= families, each["file"]
        assert len({*holds, *unsure}) == len(holds) + len(unsure), each["file"]
