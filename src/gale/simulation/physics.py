"""Ranges of all physical parameters, from ``gale/data/physics.toml`` and files that change it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from gale.errors import SimulationError
from gale.plumbing.toml import parse_toml, read_toml_text, unknown_key

WHAT = "physical parameters"
"""How messages call the content of such a file."""

_FORMS = (
    "a number, [low, high], { value = ..., off = ... } or { log = [low, high], off = ... }, "
    "with low at most high and both above 0 in a logarithm"
)


@dataclass(frozen=True)
class Range:
    """The range from which a parameter is drawn.

    Parameters
    ----------
    low, high : float
    log : bool
        Whether it is drawn uniformly in its logarithm.
    off : float, optional
        The value that switches the effect off, if there is one.
    """

    low: float
    high: float
    log: bool = False
    off: float | None = None

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        place = rng.random()
        if self.log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + (self.high - self.low) * place


@dataclass(frozen=True)
class Physics:
    """All effects of the simulator with the ranges of their parameters.

    Parameters
    ----------
    instrument, run : mapping of effect to mapping of parameter to Range
        Parameters that are drawn once per instrument, and once per run.

    Examples
    --------
    >>> from gale.simulation import Physics
    >>> physics = Physics.default()
    >>> physics.instrument["bleed"]["level"]
    Range(low=10.0, high=300.0, log=True, off=0.0)
    >>> physics.without("bleed").instrument["bleed"]["level"]
    Range(low=0.0, high=0.0, log=False, off=0.0)
    """

    instrument: Mapping[str, Mapping[str, Range]]
    run: Mapping[str, Mapping[str, Range]]

    @classmethod
    def default(cls) -> Physics:
        """Return the ranges of ``gale/data/physics.toml``."""
        return _default()

    @classmethod
    def load(cls, path: Path | str) -> Physics:
        """Read a TOML file that changes some of the ranges; the others keep their defaults.

        Raises
        ------
        SimulationError
            If the file cannot be read as TOML, names an unknown effect or parameter, or gives one
            that is not a range of finite numbers.
        """
        changes = parse_toml(
            read_toml_text(Path(path), WHAT, SimulationError), str(path), WHAT, SimulationError
        )
        return _overlay(_default(), changes, str(path))

    def to_dict(self) -> dict[str, Any]:
        """Return all ranges as plain values."""
        return asdict(self)

    def without(self, *effects: str) -> Physics:
        """Switch effects off.

        Raises
        ------
        SimulationError
            If there is no such effect, or it cannot be switched off.
        """
        known = sorted(
            {
                effect
                for level in (self.instrument, self.run)
                for effect, ranges in level.items()
                if any(parameter.off is not None for parameter in ranges.values())
            }
        )
        for effect in effects:
            if effect not in known:
                raise SimulationError(
                    f"effect {effect!r}", "cannot be switched off", f"one of {', '.join(known)}"
                )
        return Physics(_switched_off(self.instrument, effects), _switched_off(self.run, effects))


def draw(ranges: Mapping[str, Mapping[str, Range]], rng: np.random.Generator) -> dict[str, float]:
    """Draw every parameter; the keys are ``<effect>_<parameter>``."""
    return {
        f"{effect}_{name}": parameter.draw(rng)
        for effect, parameters in ranges.items()
        for name, parameter in parameters.items()
    }


@cache
def _default() -> Physics:
    source = resources.files("gale") / "data" / "physics.toml"
    data = parse_toml(source.read_text("utf-8"), "gale/data/physics.toml", WHAT, SimulationError)
    return Physics(
        *(
            {
                effect: {
                    name: _range(value, f"{effect}.{name}") for name, value in parameters.items()
                }
                for effect, parameters in data[level].items()
            }
            for level in ("instrument", "run")
        )
    )


def _overlay(default: Physics, changes: dict[str, Any], source: str) -> Physics:
    merged = {"instrument": dict(default.instrument), "run": dict(default.run)}
    for level, effects in changes.items():
        if level not in merged:
            raise SimulationError(f"{source}: {level}", *unknown_key(level, list(merged)))
        for effect, parameters in _table(effects, f"{source}: {level}").items():
            if effect not in merged[level]:
                raise SimulationError(
                    f"{source}: {level}.{effect}", *unknown_key(effect, list(merged[level]))
                )
            ranges = dict(merged[level][effect])
            for name, value in _table(parameters, f"{source}: {level}.{effect}").items():
                where = f"{source}: {level}.{effect}.{name}"
                if name not in ranges:
                    raise SimulationError(where, *unknown_key(name, list(ranges)))
                ranges[name] = _changed(ranges[name], _range(value, where), where)
            merged[level][effect] = ranges
    return Physics(**merged)


def _changed(default: Range, wanted: Range, where: str) -> Range:
    """Put a range in place of the default, which decides whether it must be above 0."""
    off = default.off if wanted.off is None else wanted.off
    if default.log and wanted.low <= 0 and not wanted.low == wanted.high == off:
        raise SimulationError(where, f"begins at {wanted.low:g}", "values above 0")
    return replace(wanted, off=off)


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SimulationError(where, f"is {value!r}", "a table")
    return value


def _range(value: Any, where: str) -> Range:
    """Read a parameter in any of its forms."""
    table = value if isinstance(value, dict) else {"value": value}
    log, off = "log" in table, table.get("off")
    ends = table.get("log" if log else "value")
    ends = ends if isinstance(ends, list) else [ends, ends]
    numbers = [*ends, 0.0 if off is None else off]
    fits = (
        len(ends) == 2
        and table.keys() - {"off"} == {"log" if log else "value"}
        and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
    )
    if not fits or ends[0] > ends[1] or (log and ends[0] <= 0):
        raise SimulationError(where, f"is {value!r}", _FORMS)
    return Range(float(ends[0]), float(ends[1]), log, None if off is None else float(off))


def _switched_off(
    level: Mapping[str, Mapping[str, Range]], effects: tuple[str, ...]
) -> dict[str, dict[str, Range]]:
    return {
        effect: {
            name: replace(parameter, low=parameter.off, high=parameter.off, log=False)
            if effect in effects and parameter.off is not None
            else parameter
            for name, parameter in ranges.items()
        }
        for effect, ranges in level.items()
    }
