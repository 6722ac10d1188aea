"""Which precision of matrix products is the fastest here, for recipes that leave it open.

Processors and GPUs with instructions for bfloat16 are up to eight times as fast with it; others
convert each number and are slower. What a processor says of itself does not tell how fast its
instructions are, so the products of a hidden layer are measured.
"""

from __future__ import annotations

import time

import torch

from gale.plumbing.progress import Progress
from gale.training.recipe import Part, Recipe

FASTER = 1.2
"""How many times as fast bfloat16 has to be: a training is more than products."""

SHAPE = (4, 128, 1500, 1024)
"""Members, runs of a batch, inputs and outputs of the layer that is measured."""

TRIALS = 3


def settled(recipe: Recipe, device: torch.device, progress: Progress) -> Recipe:
    """Put a precision in place of the word ``fastest`` in the parts of a recipe.

    Examples
    --------
    >>> recipe = Recipe.load("quick")
    >>> settled(recipe, torch.device("cpu"), Progress()) is recipe
    True
    """
    if all(part.fitting.products != "fastest" for part in recipe.members_of):
        return recipe
    times = speedup(device)
    chosen = "bfloat16" if times >= FASTER else "float32"
    progress.note(
        f"matrix products in {chosen}: bfloat16 is {times:.1f} times as fast as float32 here"
    )

    def choice(part: Part) -> dict[str, object]:
        if part.fitting.products != "fastest":
            return {}
        return {"fitting": part.fitting.model_copy(update={"products": chosen})}

    parts = tuple(part.model_copy(update=choice(part)) for part in recipe.parts)
    return recipe.model_copy(update=choice(recipe) | {"parts": parts})


def speedup(device: torch.device) -> float:
    """Measure how many times as fast a step is in bfloat16, with what it costs to convert."""
    return _seconds(torch.float32, device) / _seconds(torch.bfloat16, device)


def _seconds(dtype: torch.dtype, device: torch.device) -> float:
    """Least time of the products of one layer in one step, forward and backward."""
    members, n_runs, n_in, n_out = SHAPE
    single_x = torch.ones(members, n_runs, n_in, device=device)
    single_weight = torch.ones(members, n_in, n_out, device=device)
    least = float("inf")
    for _ in range(1 + TRIALS):  # the first one warms up
        begin = time.perf_counter()
        x, weight = single_x.to(dtype), single_weight.to(dtype)
        y = torch.bmm(x, weight).float().to(dtype)
        of_weight, of_x = torch.bmm(x.mT, y).float(), torch.bmm(y, weight.mT).float()
        (of_weight[0, 0, 0] + of_x[0, 0, 0]).item()  # waits for the device
        least = min(least, time.perf_counter() - begin)
    return least
