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
    from gale.chemistry.adding import add_library
    from gale.chemistry.derivatives import guess_derivatives
    from gale.chemistry.families import (
        default_family_table,
        families_of,
        parent_of,
        read_family_table,
    )
    from gale.chemistry.retention_index import estimate_retention_index
    from gale.estimators.classifier import FamilyClassifier
    from gale.estimators.features import (
        ApexFeatures,
        EventFeatures,
        ProfileFeatures,
        SummaryFeatures,
    )
    from gale.evaluation import evaluate
    from gale.evaluation.predictions import read_predictions
    from gale.evaluation.second_look import second_look
    from gale.evidence import explain
    from gale.evidence.attribution import find_attributions
    from gale.evidence.table import evidence_table, write_evidence
    from gale.evidence.windows import find_windows
    from gale.inspection import oddities
    from gale.library import (
        InstalledLibrary,
        Library,
        embedded_library,
        installed_libraries,
        read_library,
        remove_library,
    )
    from gale.matching import IndexTable, Matcher
    from gale.model import Model
    from gale.model.bundled import bundled_model
    from gale.model.stream import Stream
    from gale.peaks import (
        Peaks,
        find_ladder,
        find_peaks,
        write_mztab,
        write_peak_matches,
        write_peak_spectra,
        write_peaks,
    )
    from gale.plotting import plot_run, save_figure
    from gale.plumbing.cache import Cache
    from gale.plumbing.cluster import dask_executor
    from gale.plumbing.progress import Progress
    from gale.plumbing.work import Work
    from gale.portable import export_page, export_whole
    from gale.readers import read_run
    from gale.report import model_card, run_pages, run_report, write_crate
    from gale.report.training import training_report
    from gale.run import Run
    from gale.serve.app import web_service
    from gale.serve.watching import watch
    from gale.simulation import simulate
    from gale.training import train
    from gale.training.recalibration import recalibrate
    from gale.training.recipe import Recipe
    from gale.training.stored import write_features
    from gale.writers import write_run

__all__ = [
    "ApexFeatures",
    "Cache",
    "Campaign",
    "EventFeatures",
    "FamilyClassifier",
    "GaleError",
    "GaleWarning",
    "IndexTable",
    "InstalledLibrary",
    "Library",
    "Matcher",
    "Model",
    "Peaks",
    "ProfileFeatures",
    "Progress",
    "Recipe",
    "Run",
    "Stream",
    "SummaryFeatures",
    "Work",
    "__version__",
    "ablate",
    "add_library",
    "bundled_model",
    "dask_executor",
    "default_family_table",
    "embedded_library",
    "errors",
    "estimate_retention_index",
    "evaluate",
    "evidence_table",
    "explain",
    "export_page",
    "export_whole",
    "families_of",
    "find_attributions",
    "find_ladder",
    "find_peaks",
    "find_windows",
    "guess_derivatives",
    "installed_libraries",
    "model_card",
    "oddities",
    "parent_of",
    "plot_run",
    "read_family_table",
    "read_library",
    "read_predictions",
    "read_run",
    "recalibrate",
    "remove_library",
    "run_pages",
    "run_report",
    "save_ablation",
    "save_figure",
    "second_look",
    "simulate",
    "train",
    "training_report",
    "watch",
    "web_service",
    "write_crate",
    "write_evidence",
    "write_features",
    "write_mztab",
    "write_peak_matches",
    "write_peak_spectra",
    "write_peaks",
    "write_run",
]

_HOMES = {
    "ApexFeatures": "estimators.features",
    "Cache": "plumbing.cache",
    "Campaign": "campaign",
    "EventFeatures": "estimators.features",
    "FamilyClassifier": "estimators.classifier",
    "IndexTable": "matching",
    "InstalledLibrary": "library",
    "Library": "library",
    "Matcher": "matching",
    "Model": "model",
    "Peaks": "peaks",
    "ProfileFeatures": "estimators.features",
    "Progress": "plumbing.progress",
    "Recipe": "training.recipe",
    "Run": "run",
    "Stream": "model.stream",
    "SummaryFeatures": "estimators.features",
    "Work": "plumbing.work",
    "ablate": "ablation",
    "add_library": "chemistry.adding",
    "bundled_model": "model.bundled",
    "dask_executor": "plumbing.cluster",
    "default_family_table": "chemistry.families",
    "embedded_library": "library",
    "estimate_retention_index": "chemistry.retention_index",
    "evaluate": "evaluation",
    "evidence_table": "evidence.table",
    "explain": "evidence",
    "export_page": "portable",
    "export_whole": "portable",
    "families_of": "chemistry.families",
    "find_attributions": "evidence.attribution",
    "find_ladder": "peaks",
    "find_peaks": "peaks",
    "find_windows": "evidence.windows",
    "guess_derivatives": "chemistry.derivatives",
    "installed_libraries": "library",
    "model_card": "report",
    "oddities": "inspection",
    "parent_of": "chemistry.families",
    "plot_run": "plotting",
    "read_family_table": "chemistry.families",
    "read_library": "library",
    "read_predictions": "evaluation.predictions",
    "read_run": "readers",
    "recalibrate": "training.recalibration",
    "remove_library": "library",
    "run_pages": "report",
    "run_report": "report",
    "save_ablation": "ablation.saving",
    "save_figure": "plotting",
    "second_look": "evaluation.second_look",
    "simulate": "simulation",
    "train": "training",
    "training_report": "report.training",
    "watch": "serve.watching",
    "web_service": "serve.app",
    "write_evidence": "evidence.table",
    "write_crate": "report",
    "write_features": "training.stored",
    "write_mztab": "peaks",
    "write_peak_matches": "peaks",
    "write_peak_spectra": "peaks",
    "write_peaks": "peaks",
    "write_run": "writers",
}

_EXTRAS = {
    **dict.fromkeys(("pydantic", "threadpoolctl", "torch"), "train"),
    "sklearn": "sklearn",
    **dict.fromkeys(("python_multipart", "starlette", "uvicorn", "watchfiles"), "serve"),
}
"""The extra that brings a package."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("gale-ms")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"gale.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        if _HOMES[name].startswith("estimators."):
            extra = "sklearn"
        raise MissingExtraError(
            f"gale.{name}",
            f"needs {error.name}, which is not installed",
            remedy=f"install the extra: pip install 'gale-ms[{extra}]'",
        ) from None


def __dir__() -> list[str]:
    return __all__
