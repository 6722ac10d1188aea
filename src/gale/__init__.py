"""gale: which compound families are in a GC-MS run, how sure, and what in the run says so.

Names are imported when first used, so that ``import gale`` is fast and needs none of the extras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gale.errors import GaleError, MissingExtraError

if TYPE_CHECKING:
    from gale.ablation import ablate
    from gale.campaign import Campaign
    from gale.ensemble import train
    from gale.evaluation import evaluate
    from gale.library import Library, read_library
    from gale.model import Model
    from gale.plotting import plot_run
    from gale.readers import read_run
    from gale.recipe import Recipe
    from gale.run import Run
    from gale.simulation import simulate
    from gale.writers import write_run

__all__ = [
    "Campaign",
    "GaleError",
    "Library",
    "Model",
    "Recipe",
    "Run",
    "ablate",
    "evaluate",
    "plot_run",
    "read_library",
    "read_run",
    "simulate",
    "train",
    "write_run",
]

_HOMES = {
    "Campaign": "campaign",
    "Library": "library",
    "Model": "model",
    "Recipe": "recipe",
    "Run": "run",
    "ablate": "ablation",
    "evaluate": "evaluation",
    "plot_run": "plotting",
    "read_library": "library",
    "read_run": "readers",
    "simulate": "simulation",
    "train": "ensemble",
    "write_run": "writers",
}

_TRAIN_EXTRA = ("onnx", "onnxscript", "pydantic", "sklearn", "torch")


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"gale.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _TRAIN_EXTRA:
            raise
        raise MissingExtraError(
            f"gale.{name} needs {error.name}, which is not installed; "
            "install the extra: pip install 'gale-ms[train]'"
        ) from None


def __dir__() -> list[str]:
    return __all__
