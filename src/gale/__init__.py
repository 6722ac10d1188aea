"""gale: which compound families are in a GC-MS run, how sure, and what in the run says so.

Names are imported when first used, so that ``import gale`` is fast and needs none of the extras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gale import errors
from gale.errors import GaleError, GaleWarning, MissingExtraError

if TYPE_CHECKING:
    from gale.ablation import ablate
    from gale.ablation.saving import save_ablation
    from gale.campaign import Campaign
    from gale.chemistry.families import families_of
    from gale.evaluation import evaluate
    from gale.evaluation.predictions import read_predictions
    from gale.evaluation.second_look import second_look
    from gale.evidence import explain
    from gale.evidence.table import evidence_table
    from gale.inspection import oddities
    from gale.library import Library, read_library
    from gale.model import Model
    from gale.plotting import plot_run
    from gale.plumbing.cache import Cache
    from gale.plumbing.progress import Progress
    from gale.plumbing.work import Work
    from gale.readers import read_run
    from gale.report import model_card, run_pages, run_report
    from gale.report.training import training_report
    from gale.run import Run
    from gale.simulation import simulate
    from gale.training import Recipe, train
    from gale.writers import write_run

__all__ = [
    "Cache",
    "Campaign",
    "GaleError",
    "GaleWarning",
    "Library",
    "Model",
    "Progress",
    "Recipe",
    "Run",
    "Work",
    "__version__",
    "ablate",
    "errors",
    "evaluate",
    "evidence_table",
    "explain",
    "families_of",
    "model_card",
    "oddities",
    "plot_run",
    "read_library",
    "read_predictions",
    "read_run",
    "run_pages",
    "run_report",
    "save_ablation",
    "second_look",
    "simulate",
    "train",
    "training_report",
    "write_run",
]

_HOMES = {
    "Cache": "plumbing.cache",
    "Campaign": "campaign",
    "Library": "library",
    "Model": "model",
    "Progress": "plumbing.progress",
    "Recipe": "training.recipe",
    "Run": "run",
    "Work": "plumbing.work",
    "ablate": "ablation",
    "evaluate": "evaluation",
    "evidence_table": "evidence.table",
    "explain": "evidence",
    "families_of": "chemistry.families",
    "model_card": "report",
    "oddities": "inspection",
    "plot_run": "plotting",
    "read_library": "library",
    "read_predictions": "evaluation.predictions",
    "read_run": "readers",
    "run_pages": "report",
    "run_report": "report",
    "save_ablation": "ablation.saving",
    "second_look": "evaluation.second_look",
    "simulate": "simulation",
    "train": "training",
    "training_report": "report.training",
    "write_run": "writers",
}

_TRAIN_EXTRA = ("onnx", "onnxscript", "pydantic", "sklearn", "threadpoolctl", "torch")


def __getattr__(name: str) -> object:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("gale-ms")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"gale.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _TRAIN_EXTRA:
            raise
        raise MissingExtraError(
            f"gale.{name}",
            f"needs {error.name}, which is not installed",
            remedy="install the extra: pip install 'gale-ms[train]'",
        ) from None


def __dir__() -> list[str]:
    return __all__
