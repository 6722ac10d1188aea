"""Ranges of parameters: as the table has them, as a user changes them, and switched off."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from gale.errors import SimulationError
from gale.simulation import Physics
from gale.simulation.contents import Conditions
from gale.simulation.instrument import Instrument
from gale.simulation.physics import Range, draw
from helpers.laboratories import EFFECTS


def load(folder: Path, text: str) -> Physics:
    path = folder / "physics.toml"
    path.write_text(text, "utf-8")
    return Physics.load(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(SimulationError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert str(folder / "physics.toml") in message
    return message


@pytest.mark.parametrize(
    ("level", "made", "besides"),
    [("instrument", Instrument, {"seed"}), ("run", Conditions, set())],
)
def test_parameters_are_those_of_the_table(level: str, made: type, besides: set[str]) -> None:
    text = (files("gale") / "data" / "physics.toml").read_text("utf-8")
    named = {
        f"{effect}_{name}"
        for effect, parameters in tomllib.loads(text)[level].items()
        for name in parameters
    }
    assert {field.name for field in dataclasses.fields(made)} == named | besides


def test_what_is_drawn_is_in_its_range() -> None:
    physics = Physics.default()
    for seed in range(20):
        for level in (physics.instrument, physics.run):
            drawn = draw(level, np.random.default_rng(seed))
            for effect, ranges in level.items():
                for name, each in ranges.items():
                    assert each.low <= drawn[f"{effect}_{name}"] <= each.high


def test_a_logarithmic_range_is_even_in_its_decades() -> None:
    rng = np.random.default_rng(0)
    drawn = [Range(1, 1e4, log=True).draw(rng) for _ in range(400)]
    assert 0.4 < np.mean(np.array(drawn) < 100) < 0.6
    uniform = [Range(1, 1e4).draw(rng) for _ in range(400)]
    assert np.mean(np.array(uniform) < 100) < 0.05


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    physics = load(tmp_path, "[instrument.bleed]\nlevel = [3, 4]\n[run.injection]\namount = 2\n")
    assert physics.instrument["bleed"]["level"] == Range(3, 4, off=0)
    assert physics.run["injection"]["amount"] == Range(2, 2, off=1)
    default = Physics.default()
    assert physics.instrument["bleed"]["rise_c"] == default.instrument["bleed"]["rise_c"]
    assert physics.instrument["column"] == default.instrument["column"]
    off = physics.without("bleed")
    assert off.instrument["bleed"]["level"] == Range(0, 0, off=0)
    assert off.without("bleed") == off


def test_forms_of_a_range(tmp_path: Path) -> None:
    physics = load(
        tmp_path,
        "[instrument.air]\nnitrogen = {log = [1, 10], off = 0.5}\nwater = {value = 0}\n",
    )
    assert physics.instrument["air"]["nitrogen"] == Range(1, 10, log=True, off=0.5)
    assert physics.instrument["air"]["water"] == Range(0, 0, off=0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[instrument.bled]\nlevel = 1", "instrument.bled: is not known; did you mean bleed?"),
        ("[instrument.bleed]\nlevle = 1", "bleed.levle: is not known; did you mean level?"),
        ("[instruments.bleed]\nlevel = 1", "did you mean instrument?"),
        ("[instrument]\nbleed = 1", "instrument.bleed = 1: expected a table"),
        ("[instrument.bleed]\nlevel = [4, 3]", "low at most high"),
        ("[instrument.bleed]\nlevel = [1, 2, 3]", "expected a number"),
        ("[instrument.bleed]\nlevel = 'much'", "expected a number"),
        ("[instrument.bleed]\nlevel = true", "expected a number"),
        ("[instrument.bleed]\nlevel = nan", "expected a number"),
        ("[instrument.bleed]\nlevel = {log = [0, 3]}", "expected a number"),
        ("[instrument.bleed]\nlevel = {log = [1, 3], value = 2}", "expected a number"),
        ("[instrument.bleed]\nlevel = {off = 2}", "expected a number"),
        ("[instrument.bleed]\nlevel = -1", "expected values above 0"),
        ("[instrument.scan]\nrate_hz = 0", "expected values above 0"),
        ("[instrument.peaks]\nwidth_s = [-1, 1]", "expected values above 0"),
        ("[instrument.bleed\n", "expected physical parameters in TOML"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, found: str) -> None:
    assert found in complaint(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="cannot be read"):
        Physics.load(tmp_path / "physics.toml")


def test_effects_that_can_be_switched_off() -> None:
    with pytest.raises(SimulationError) as caught:
        Physics.default().without("bleed", "gravity")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("'gravity' is no effect")
    assert message.endswith(", ".join(EFFECTS))


def test_the_threshold_cannot_be_switched_off() -> None:
    with pytest.raises(SimulationError, match="'threshold' is no effect that can be switched off"):
        Physics.default().without("threshold")


@pytest.mark.parametrize("effect", EFFECTS)
def test_switching_off_changes_that_effect_alone(effect: str) -> None:
    default, off = Physics.default(), Physics.default().without(effect)
    for before, after in ((default.instrument, off.instrument), (default.run, off.run)):
        assert before.keys() == after.keys()
        for name, ranges in before.items():
            for parameter, each in ranges.items():
                switched = name == effect and each.off is not None
                low = each.off if switched else each.low
                assert after[name][parameter].low == low
    assert off.instrument != default.instrument or off.run != default.run


@pytest.mark.parametrize(
    "text",
    [
        "[instrument.column]\nstart_c = 300\nend_c = 200",
        "[instrument.scan]\ndelay_min = 90",
        "[instrument.scan]\nfirst_mz = 400\nlast_mz = 300",
    ],
)
def test_an_instrument_that_records_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(SimulationError, match="expected a rise, two scans or more") as caught:
        Instrument.draw(load(tmp_path, text), 1)
    assert len(str(caught.value).splitlines()) == 1
