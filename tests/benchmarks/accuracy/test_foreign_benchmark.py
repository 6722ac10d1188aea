"""benchmarks.accuracy.foreign: its seeds, its ratios, and what it asks of the simulator."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import foreign
from benchmarks.accuracy.scores import Figures
from benchmarks.commands import Measured


def figures(log_loss: float) -> Figures:
    return Figures(np.array([log_loss]), np.array([log_loss]), np.array([log_loss]), 0.0, 0.5, None)


def test_no_seed_that_judges_is_developed_on() -> None:
    assert foreign.DEVELOPMENT.keys() == foreign.JUDGING.keys() == foreign.KINDS.keys()
    judging = list(itertools.chain(*foreign.JUDGING.values()))
    assert len(set(judging)) == len(judging) == 3 * len(foreign.KINDS)
    assert not set(judging) & set(foreign.DEVELOPMENT.values())


def test_ratios_are_to_the_stack_of_the_same_kind() -> None:
    table = foreign.ratios(
        {
            "mars": {"stack": figures(0.1), "default": figures(0.09)},
            "compounds": {"stack": figures(0.2), "default": figures(0.1)},
        }
    )
    assert [row[-1] for row in table] == ["default", "0.900", "0.500"]


def test_without_the_stack_there_is_no_ratio() -> None:
    assert foreign.ratios({"mars": {"default": figures(0.09)}})[1] == ["mars", "-"]


def test_a_campaign_is_made_once_and_only_of_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[object, ...]] = []

    def simulate(*words: object) -> Measured:
        made.append(words)
        Path(str(words[2])).mkdir()
        return Measured(1.0, 1.0, "")

    monkeypatch.setattr(foreign, "measured", simulate)
    folder = tmp_path / "campaigns" / "mars-101"
    for _ in range(2):
        foreign.simulate(folder, tmp_path, ["--seed", "101", "--mars"])
    assert folder.is_dir()
    assert [words[3:] for words in made] == [("--seed", "101", "--mars")]
    with pytest.raises(SystemExit, match="was not made with --seed 102"):
        foreign.simulate(folder, tmp_path, ["--seed", "102"])


def test_the_simulator_has_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GALE_EXTRA_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="GALE_EXTRA_DATA"):
        foreign.main(["--out", str(tmp_path / "out")])
