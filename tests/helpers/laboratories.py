"""Physics, instruments and laboratories of which everything is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from gale.library import Library
from gale.simulation import Physics
from gale.simulation.compounds import Booleans, Compounds, read_compounds
from gale.simulation.design import Design, design_runs
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import prevalence_of
from gale.simulation.laboratory import Laboratory, build_laboratory
from gale.simulation.peaks import Conditions, Peak
from gale.simulation.physics import draw
from gale.simulation.plan import Plan
from gale.simulation.published import RUNS

DEFAULT = Physics.default()
EFFECTS = sorted(
    {
        effect
        for level in (DEFAULT.instrument, DEFAULT.run)
        for effect, ranges in level.items()
        if any(each.off is not None for each in ranges.values())
    }
)
"""Every effect that can be switched off."""

USUAL = {
    "column.start_c": 50.0,
    "column.hold_min": 1.0,
    "column.ramp_c_per_min": 20.0,
    "column.end_c": 300.0,
    "column.end_hold_min": 1.0,
    "column.dead_time_min": 1.2,
    "column.phase_ratio": 250.0,
    "scan.rate_hz": 1.0,
    "scan.first_mz": 2.0,
    "scan.last_mz": 350.0,
    "peaks.width_s": 2.0,
    "bleed.rise_c": 25.0,
    "chemical_noise.fall_mz": 100.0,
    "threshold.ions": 1.0,
    "unit.decades": 2.5,
    "sample.lowest_decade": 2.0,
    "sample.highest_decade": 3.0,
    "minerals.width_min": 1.0,
    "minerals.lowest_decade": 2.0,
    "minerals.highest_decade": 3.0,
}
"""What cannot be switched off; other such parameters have their lowest value."""

MEMBERS: Sequence[tuple[str, str, float, dict[int, float], tuple[str, ...]]] = (
    # name, derivative, retention index, ions, families
    ("toluene", "", 763, {91: 100, 92: 60, 65: 10}, ("aromatic", "hydrocarbon")),
    ("decane", "", 1000, {43: 100, 57: 90, 85: 30}, ("hydrocarbon",)),
    ("dodecane", "", 1200, {43: 90, 57: 100, 85: 40}, ("hydrocarbon",)),
    ("octanol", "", 1072, {56: 100, 41: 80, 31: 30}, ("alcohol",)),
    ("octanol", "1 TMS", 1190, {187: 100, 75: 80, 73: 50}, ("alcohol",)),
    ("octanoic acid", "", 1180, {60: 100, 73: 70, 43: 50}, ("carboxylic_acid",)),
    ("octanoic acid", "1 TMS", 1265, {201: 100, 73: 90, 117: 50}, ("carboxylic_acid",)),
    ("quinoline", "", 1240, {129: 100, 102: 20}, ("aromatic", "nitrogen_bearing_compound")),
    ("octylamine", "", 1060, {30: 100, 44: 10}, ("nitrogen_bearing_compound",)),
    ("thiophene", "", 668, {84: 100, 58: 60}, ("aromatic", "sulfur_bearing_compound")),
    ("decanethiol", "", 1320, {41: 100, 55: 90, 174: 10}, ("sulfur_bearing_compound",)),
    ("chlorodecane", "", 1360, {91: 100, 93: 32, 43: 60}, ("chlorine_bearing_compound",)),
    ("chlorobenzene", "", 850, {112: 100, 114: 32, 77: 60},
     ("aromatic", "chlorine_bearing_compound")),
    ("decanone", "", 1193, {58: 100, 43: 80}, ("other_oxygen_bearing_compound",)),
    ("sulfolane", "", 1180, {41: 100, 56: 80, 120: 30},
     ("sulfur_bearing_compound", "other_oxygen_bearing_compound")),
)  # fmt: skip


def library(members: Sequence[tuple[Any, ...]] = MEMBERS, **changes: Any) -> Library:
    """A library with the families and indices of its compounds."""
    spectra = [sorted(ions.items()) for _, _, _, ions, _ in members]
    nothing = ("",) * len(members)
    made = Library(
        name=tuple(member[0] for member in members),
        spectrum_start=np.append(0, np.cumsum([len(ions) for ions in spectra])),
        mz=np.array([mz for ions in spectra for mz, _ in ions], dtype=float),
        intensity=np.array([height for ions in spectra for _, height in ions], dtype=float),
        retention_index=np.array([member[2] for member in members], dtype=float),
        formula=nothing,
        smiles=nothing,
        inchi=nothing,
        inchikey=nothing,
        derivative=tuple(member[1] for member in members),
        families=tuple(member[4] for member in members),
        source="small library",
    )
    return replace(made, **changes)


def changed(physics: Physics, **values: float) -> Physics:
    """Give parameters one value, both of instruments and of runs: ``bleed__level=3``."""
    known = {f"{effect}.{name}" for level in (physics.instrument, physics.run)
             for effect, ranges in level.items() for name in ranges}  # fmt: skip
    wanted = {name.replace("__", "."): value for name, value in values.items()}
    assert wanted.keys() <= known, wanted.keys() - known
    levels = [
        {
            effect: {
                name: replace(each, low=value, high=value, log=False)
                if (value := wanted.get(f"{effect}.{name}")) is not None
                else each
                for name, each in ranges.items()
            }
            for effect, ranges in level.items()
        }
        for level in (physics.instrument, physics.run)
    ]
    return Physics(*levels)


def bare(**values: float) -> Physics:
    """No effect at all, but for those given."""
    off = DEFAULT.without(*EFFECTS)
    lowest = {
        f"{effect}__{name}": each.low
        for level in (off.instrument, off.run)
        for effect, ranges in level.items()
        for name, each in ranges.items()
    }
    usual = {name.replace(".", "__"): value for name, value in USUAL.items()}
    return changed(off, **lowest | usual | values)


def default_but(**values: float) -> Physics:
    """Every effect, on an instrument that makes small runs."""
    small = {"scan__rate_hz": 0.5, "column__ramp_c_per_min": 25.0, "scan__last_mz": 350.0}
    return changed(DEFAULT, **small | values)


@cache
def analytes() -> Compounds:
    return read_compounds(library())


def laboratory(physics: Physics, *, instruments: int = 1, seed: int = 1) -> Laboratory:
    drawn = tuple(Instrument.draw(physics, seed + number) for number in range(instruments))
    return build_laboratory(analytes(), drawn, physics)


def conditions(physics: Physics, seed: int = 0) -> Conditions:
    return Conditions(**draw(physics.run, np.random.default_rng(seed)))


def plan(
    physics: Physics, *peaks: Peak, derivatized: bool = False, seed: tuple[int, ...] = (1,)
) -> Plan:
    nothing = np.zeros(9, dtype=bool)
    return Plan(0, derivatized, conditions(physics), peaks, nothing, seed)


def design(
    physics: Physics, runs: int | dict[str, int] = 60, *, instruments: int = 1, seed: int = 3
) -> tuple[Laboratory, Design]:
    """Plans of runs of all compounds."""
    splits = {"train": runs} if isinstance(runs, int) else runs
    assert splits.keys() <= RUNS.keys()
    made = laboratory(physics, instruments=instruments)
    everything: Booleans = np.ones(len(made.compounds), dtype=bool)
    wanted = prevalence_of(made.compounds.family_names)
    allowed = dict.fromkeys(splits, everything)
    return made, design_runs(made, splits, allowed, wanted, (), seed)


def record_of(made: Laboratory, name: str) -> int:
    return made.compounds.name.index(name)
