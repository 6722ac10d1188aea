"""The steps of an ablation: a recipe with one more ingredient each, and the author's figures.

The author of the published system switched its ingredients on one after the other and reported the
validation log loss of each step, as mean and standard deviation over ten trainings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gale.errors import RecipeError
from gale.training.recipe import Recipe
from gale.training.settings import FoldSettings, SoupSettings


@dataclass(frozen=True)
class Ingredient:
    """A switch of a recipe that one step turns on.

    Parameters
    ----------
    name : str
        Name of the step in files and messages.
    section, key : str
        Place of the switch in the recipe.
    off : object
        Its value in the steps before.
    reported : pair of float
        The author's mean and standard deviation of the validation log loss.
    """

    name: str
    section: str
    key: str
    off: object
    reported: tuple[float, float]


INGREDIENTS = (
    Ingredient("hinge", "loss", "hinge", 0.0, (0.1837, 0.0062)),
    Ingredient("prior bias", "network", "prior_bias", False, (0.1825, 0.0064)),
    Ingredient("BatchNorm", "network", "batch_norm", False, (0.1825, 0.0035)),
    Ingredient("LayerNorm", "network", "layer_norm", False, (0.1544, 0.0036)),
    Ingredient("LCG loss", "loss", "label_correlation", 0.0, (0.1508, 0.0016)),
)
"""In the author's order."""

BASE, BASE_REPORTED = "base", (0.1820, 0.0029)
SOUP, SOUP_REPORTED = "FixedSoup", (0.1423, 0.0014)

REPORTED_TRAININGS = 10
REPORTED_ITERATIONS = 40
"""Trainings per step, and iterations per soup, behind the author's figures."""


@dataclass(frozen=True)
class AblationStep:
    """A step: its name, its recipe, and the log loss that the author reported for it."""

    name: str
    recipe: Recipe
    reported: tuple[float, float]

    @property
    def slug(self) -> str:
        """The name, as used in names of files."""
        return self.name.replace(" ", "_")


def ablation_steps(recipe: Recipe, iterations: int) -> list[AblationStep]:
    """Make the steps that lead to a recipe, each with one more ingredient than the one before.

    An ingredient that the recipe lacks makes no step. The recipes train one network on the train
    split and validate it on the val split. The last one makes a FixedSoup with as many members as
    the recipe's soup, or as the published one if the recipe makes none.

    Parameters
    ----------
    recipe : Recipe
    iterations : int
        Iterations of the FixedSoup.

    Raises
    ------
    RecipeError
        If the recipe is not of kind ``network``, or is pre-trained.
    """
    _check(recipe)
    ingredients = [each for each in INGREDIENTS if _value(recipe, each) != each.off]
    step_recipe = recipe.model_copy(
        update={
            "folds": FoldSettings(count=1),
            "soup": SoupSettings(kind="none", size=1),
            "calibrate": False,
        }
    )
    for each in ingredients:
        step_recipe = _with(step_recipe, each, each.off)
    steps = [AblationStep(BASE, step_recipe, BASE_REPORTED)]
    for each in ingredients:
        step_recipe = _with(step_recipe, each, _value(recipe, each))
        steps.append(AblationStep(each.name, step_recipe, each.reported))
    size = SoupSettings().size if recipe.soup.kind == "none" else recipe.soup.size
    soup = SoupSettings(kind="fixed", size=size, iterations=iterations)
    step_recipe = step_recipe.model_copy(update={"soup": soup})
    return [*steps, AblationStep(SOUP, step_recipe, SOUP_REPORTED)]


def _check(recipe: Recipe) -> None:
    if recipe.kind != "network":
        raise RecipeError(
            f"recipe {recipe.name}: kind",
            f"is {recipe.kind!r}",
            "'network', whose ingredients can be switched on",
            "choose another recipe, such as published or quick",
        )
    if recipe.pretrain is not None:
        raise RecipeError(
            f"recipe {recipe.name}: pretrain",
            "is there",
            "networks that begin with random weights",
            "remove it",
        )


def _value(recipe: Recipe, ingredient: Ingredient) -> Any:
    return getattr(getattr(recipe, ingredient.section), ingredient.key)


def _with(recipe: Recipe, ingredient: Ingredient, value: object) -> Recipe:
    """Return the recipe with another value of a switch."""
    section = getattr(recipe, ingredient.section)
    changed = section.model_copy(update={ingredient.key: value})
    return recipe.model_copy(update={ingredient.section: changed})
