"""What the benchmarks of this room share: their options, campaigns and fits."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import options
from benchmarks.ablation.fits import Fits, Runs
from benchmarks.ablation.scores import Score, logistic_score
from benchmarks.campaigns import campaign_folders
from gale.training.recipe import Recipe

SEEDS = {"embedded": 11, "massbank": 12, "embedded-new": 14, "massbank-new": 13}
"""Of gale simulate, for each kind of campaign; not those of benchmarks.accuracy.recipes, which are
for judging: here test runs are looked at again and again."""

Change = Callable[[dict[str, Any]], object]
"""Changes the choices of a recipe in place."""


def study_parser(module: str, description: str | None, **more: Any) -> argparse.ArgumentParser:
    """Make the parser of a benchmark of this room, with more of the shared options."""
    made = options.parser(module, description, out="ablation", campaigns=None, library=None, **more)
    made.add_argument(
        "--recipe",
        default=str(options.EARLIER),
        help="of elution networks and networks on the profile (default: earlier_default.toml)",
    )
    made.add_argument("--kept", action="store_true", help="fit nothing, show what is there")
    return made


@dataclass(frozen=True)
class Study:
    """A recipe on campaigns.

    Parameters
    ----------
    out : Path
        Folder that keeps everything.
    recipe : Recipe
    campaigns : mapping of a name to Runs
    kept : bool
        Whether only what is kept is shown, and nothing is fitted.
    """

    out: Path
    recipe: Recipe
    campaigns: Mapping[str, Runs]
    kept: bool

    @classmethod
    def begin(cls, asked: argparse.Namespace) -> Study:
        """Read the campaigns, and simulate those that are missing."""
        recipe = Recipe.load(asked.recipe)
        folders = campaign_folders(asked.out, asked.campaigns, asked.library, SEEDS)
        runs = {name: Runs.read(folder, recipe) for name, folder in folders.items()}
        return cls(asked.out, recipe, runs, asked.kept)

    def fits(
        self, name: str, runs: Runs, seed: int, change: Change | None = None, **more: bool
    ) -> Fits | None:
        """Give the fits of the recipe with a change, fitted if they are missing and may be.

        Parameters
        ----------
        name : str
            Of the folder that keeps them.
        runs : Runs
        seed : int
        change : callable, optional
        **more
            See :class:`Fits`.
        """
        choices = self.recipe.to_dict()
        for part in choices["parts"]:
            part["soup"]["kind"] = "none"
        if change is not None:
            change(choices)
        fits = Fits(self.out / name, Recipe.model_validate(choices), runs, seed, **more)
        if not self.kept:
            fits.fit()
        return fits if fits.finished else None

    def logistic(self, name: str, runs: Runs, seed: int) -> Score:
        """Score the recipe `logistic`, trained if it is missing and may be."""
        return logistic_score(self.out / f"{name}.json", runs, seed, fit=not self.kept)
