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
from gale.simulation.instrument import Instrument
from gale.simulation.peaks import Conditions
from gale.simulation.physics import Range, draw
from helpers.errors import refused
from helpers.laboratories import EFFECTS


def load(folder: Path, text: str) -> Physics:
    path = folder / "physics.toml"
    path.write_text(text, "utf-8")
    return Physics.load(path)


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
    ("text", "place", "facts"),
    [
        ("[instrument.bled]\nlevel = 1", ": instrument.bled", {"remedy": "bleed"}),
        ("[instrument.bleed]\nlevle = 1", ": instrument.bleed.levle", {"remedy": "level"}),
        ("[instruments.bleed]\nlevel = 1", ": instruments", {"remedy": "instrument"}),
        ("[instrument]\nbleed = 1", ": instrument.bleed", {"found": "1", "expected": "table"}),
        ("instrument = 'new'", ": instrument", {"found": "'new'", "expected": "table"}),
        ("[instrument.bleed\n", "", {"found": "line 1", "expected": "TOML"}),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, text: str, place: str, facts: dict[str, str]
) -> None:
    with refused(SimulationError, f"{tmp_path / 'physics.toml'}{place}", **facts):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "value",
    [
        "[4, 3]",
        "[1, 2, 3]",
        "'much'",
        "true",
        "nan",
        "{log = [0, 3]}",
        "{log = [1, 3], value = 2}",
        "{off = 2}",
    ],
)
def test_what_is_not_a_range(tmp_path: Path, value: str) -> None:
    text = f"[instrument.bleed]\nlevel = {value}"
    source = f"{tmp_path / 'physics.toml'}: instrument.bleed.level"
    read = repr(tomllib.loads(text)["instrument"]["bleed"]["level"])
    with refused(SimulationError, source, found=read, expected=("[low, high]", "log", "off")):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "parameter", "found"),
    [
        ("[instrument.bleed]\nlevel = -1", "bleed.level", "-1"),
        ("[instrument.scan]\nrate_hz = 0", "scan.rate_hz", "0"),
        ("[instrument.peaks]\nwidth_s = [-1, 1]", "peaks.width_s", "-1"),
    ],
)
def test_a_logarithm_needs_values_above_0(
    tmp_path: Path, text: str, parameter: str, found: str
) -> None:
    source = f"{tmp_path / 'physics.toml'}: instrument.{parameter}"
    with refused(SimulationError, source, found=found, expected="above 0"):
        load(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with refused(SimulationError, tmp_path / "physics.toml", found="No such file"):
        Physics.load(tmp_path / "physics.toml")


def test_effects_that_can_be_switched_off() -> None:
    with refused(SimulationError, "effect 'gravity'", expected=", ".join(EFFECTS)):
        Physics.default().without("bleed", "gravity")


def test_the_threshold_cannot_be_switched_off() -> None:
    with refused(SimulationError, "effect 'threshold'"):
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
    ("text", "found"),
    [
        ("[instrument.column]\nstart_c = 300\nend_c = 200", "300 to 200"),
        ("[instrument.scan]\ndelay_min = 90", "scans: 0"),
        ("[instrument.scan]\nfirst_mz = 400\nlast_mz = 300", "m/z: 0"),
    ],
)
def test_an_instrument_that_records_nothing(tmp_path: Path, text: str, found: str) -> None:
    with refused(SimulationError, "physics", found=found, remedy=("column", "scan")):
        Instrument.draw(load(tmp_path, text), 1)
