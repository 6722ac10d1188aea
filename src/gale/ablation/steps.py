"""The steps of the ablation: a recipe with one more ingredient each, and what its author reported.

The author of the published system switched its ingredients on one after the other, and gave the
validation log loss of each step, mean and standard deviation of ten trainings.
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
        What files and messages call the step.
    section, key : str
        Where the recipe has the switch.
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
"""What the author's figures are of: so many trainings a step, so many iterations of a soup."""


@dataclass(frozen=True)
class AblationStep:
    """A step: what it is called, its recipe, and the log loss that the author reported of it."""

    name: str
    recipe: Recipe
    reported: tuple[float, float]

    @property
    def slug(self) -> str:
        """The name in names of files."""
        return self.name.replace(" ", "_")


def ablation_steps(recipe: Recipe, iterations: int) -> list[AblationStep]:
    """Make the steps that lead to a recipe, each with one more ingredient than the one before.

    Ingredients that the recipe does without are no steps. The recipes train one network on the
    train split and validate it on the val split; that of the last step makes a FixedSoup of as
    many members as the recipe's soup has, or as the published one, if the recipe makes none.

    Parameters
    ----------
    recipe : Recipe
    iterations : int
        Of the FixedSoup.

    Raises
    ------
    RecipeError
        If the recipe is none of a network that begins with random weights.
    """
    _check(recipe)
    there = [each for each in INGREDIENTS if _value(recipe, each) != each.off]
    one = recipe.model_copy(
        update={
            "folds": FoldSettings(count=1),
            "soup": SoupSettings(kind="none", size=1),
            "calibrate": False,
        }
    )
    for each in there:
        one = _with(one, each, each.off)
    steps = [AblationStep(BASE, one, BASE_REPORTED)]
    for each in there:
        one = _with(one, each, _value(recipe, each))
        steps.append(AblationStep(each.name, one, each.reported))
    size = SoupSettings().size if recipe.soup.kind == "none" else recipe.soup.size
    soup = SoupSettings(kind="fixed", size=size, iterations=iterations)
    return [*steps, AblationStep(SOUP, one.model_copy(update={"soup": soup}), SOUP_REPORTED)]


def _check(recipe: Recipe) -> None:
    if recipe.kind != "network":
        raise RecipeError(
            f"recipe {recipe.name}: its kind is {recipe.kind}; expected network, whose ingredients "
            "are switched on; choose another, such as published or quick"
        )
    if recipe.pretrain is not None:
        raise RecipeError(
            f"recipe {recipe.name}: its networks are pre-trained; expected such as begin with "
            "random weights; remove pretrain"
        )


def _value(recipe: Recipe, ingredient: Ingredient) -> Any:
    return getattr(getattr(recipe, ingredient.section), ingredient.key)


def _with(recipe: Recipe, ingredient: Ingredient, value: object) -> Recipe:
    """Give the recipe with another value of a switch."""
    section = getattr(recipe, ingredient.section)
    changed = section.model_copy(update={ingredient.key: value})
    return recipe.model_copy(update={ingredient.section: changed})
