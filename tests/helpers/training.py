"""Small trainings: their recipe, what comes out of them, and what they tell on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import gale
from gale.plumbing.progress import Progress

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[Any]

TINY = """
name = "tiny"

[features]
mz = [18, 28, 32, 41, 43, 44, 45, 55, 57, 60, 64, 73, 77, 79, 85, 91, 105, 115]

[network]
hidden = [16, 8]
standardise = "full"

[fitting]
learning_rate = 3e-3
epochs = 5

[soup]
kind = "none"
size = 2

[folds]
count = 2
"""
"""A recipe whose fits take milliseconds."""


def tiny_recipe(**changes: object) -> gale.Recipe:
    """The tiny recipe with some choices changed: ``tiny_recipe(soup={"size": 3})``."""
    choices = gale.Recipe.parse(TINY, "tiny").to_dict()
    for key, change in changes.items():
        if isinstance(change, Mapping) and (key, change.get("kind")) != ("features", "profile"):
            change = {**choices[key], **change}
        choices[key] = change
    return gale.Recipe.model_validate(choices)


def relabelled(campaign: gale.Campaign, labels: Array) -> gale.Campaign:
    return replace(campaign, labels=labels.astype(np.float32))


def spoil(campaign: gale.Campaign, folder: Path, rows: list[int]) -> gale.Campaign:
    """The campaign in which the files of some runs are empty."""
    paths = list(campaign.paths)
    for row in rows:
        paths[row] = folder / f"{campaign.runs[row]}.csv"
        paths[row].touch()
    return replace(campaign, paths=tuple(paths))


@dataclass(frozen=True)
class Trained:
    """The model of the tiny recipe, as a file, and the history of its training."""

    model: gale.Model
    path: Path
    history: Path


@dataclass
class Exported:
    """The networks that trainings gave to the exporter, the last one's at the end."""

    networks: list[nn.Module] = field(default_factory=list)

    def weights(self, training: int = -1) -> Array:
        """All weights of each member, shape (E, number of weights)."""
        state = self.networks[training].state_dict().values()
        return np.concatenate([value.flatten(1).numpy() for value in state], axis=1)


class Recorder(Progress):
    """Remembers what it is told; may interrupt after some fits."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.steps: dict[str, int] = {}
        self.totals: dict[str, int] = {}
        self.notes: list[str] = []
        self._interrupt_after = interrupt_after

    def begin(self, what: str, total: int) -> None:
        self._what = what
        self.steps[what], self.totals[what] = 0, total

    def step(self, text: str = "") -> None:
        self.steps[self._what] += 1
        if self._what == "training" and self.steps["training"] == self._interrupt_after:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)
