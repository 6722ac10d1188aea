"""Arguments of a wrong kind or range, to every public function: a result or a GaleError."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

import gale
from gale.errors import GaleError
from gale.plumbing.files import write_csv
from helpers.run_files import csv, small_run

MODEL = Path(__file__).parent / "model" / "models" / "elution.onnx"

WRONG: list[Any] = [
    *(None, True, 3, -1, 0, 1.5, math.nan, math.inf, 1j, "text", "", "\0", b"bytes"),
    *([], [1], ["a"], [None], (1,), (1, 2), {}, {"a": 1}, {1: "a"}, {"a", "b"}, object()),
    *(Path(), Path("none"), len, pl.DataFrame(), pl.DataFrame({"run": [1]}), np.zeros(2)),
    *(np.zeros((2, 2)), np.array(["a"]), range(3), iter([1]), GaleError, small_run(2)),
]  # fmt: skip
"""Values of many kinds; each is wrong for most arguments."""

OTHERWISE = {
    **dict.fromkeys(("Campaign.select", "Library.take"), (IndexError,)),
    **dict.fromkeys(("FamilyClassifier.fit", "FamilyClassifier.predict"), (ValueError, TypeError)),
}
"""What says something else: where there is no such position, as lists and arrays do, and where an
array does not fit, as scikit-learn wants it of its estimators."""

Call = tuple[Callable[..., object], dict[str, Any]]
"""A function, and arguments that it takes."""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning"),  # of small runs
]


def is_public(name: str) -> bool:
    return callable(getattr(gale, name)) and name not in ("GaleError", "GaleWarning", "Progress")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with labels, predictions and a table of indices."""
    folder = tmp_path_factory.mktemp("wrong")
    runs = folder / "runs"
    runs.mkdir()
    for at in range(2):
        (runs / f"{at}.csv").write_bytes(csv(small_run(30, seed=at)))
    (runs / "labels.csv").write_text("run,alcohol,mineral\n0,1,0\n1,0,1\n")
    (folder / "families.toml").write_text('[phenol]\nany = ["[OX2H]c"]')
    (folder / "index.csv").write_text("time_min,index\n1,800\n2,900\n")
    (folder / "mine.msp").write_text("Name: a\nRI: 100\nNum Peaks: 2\n15 888\n16 999\n")
    (folder / "recipe.toml").write_text("features.mz = [57, 91]")
    table = pl.DataFrame({"sample_id": ["0", "1"], "alcohol": [0.8, 0.3], "mineral": [0.2, 0.7]})
    write_csv(table, folder / "submission.csv")
    return folder


@pytest.fixture(scope="module")
def calls(folder: Path) -> dict[str, Call]:
    """Each public name, or method, with arguments that are right."""
    run = gale.read_run(folder / "runs" / "0.csv")
    model = gale.Model.load(MODEL)
    campaign = gale.Campaign.open(folder / "runs")
    library = gale.read_library(folder / "mine.msp")
    predictions = gale.read_predictions(folder / "submission.csv")
    labels = {"families": ["a"], "labels": [[1], [0]], "probability": [[0.9], [0.8]]}
    rows = {"time_min": [1.0, 2.0], "mz": [18.0, 18.0], "intensity": [5.0, 7.0]}
    found = dict.fromkeys(("matcher", "index", "least"))
    work: dict[str, Any] = {"work": None}
    table = model.predict([run])
    classifier = gale.FamilyClassifier("logistic").fit(np.eye(12)[:, :2], np.eye(12)[:, 0])
    known = table.row(0, named=True)
    peaks = gale.find_peaks(run, names=False)
    return {
        "Cache": (gale.Cache, {"folder": folder / "cache"}),
        "Campaign": (gale.Campaign.open, {"path": folder / "runs", "labels": None}),
        "Campaign.from_runs": (gale.Campaign.from_runs, {
            "runs": [run], "labels": [[1]], "families": ["a"], "groups": None, "split": None,
            "names": ["a"], "columns": None,
        }),
        "Campaign.from_runs.table": (gale.Campaign.from_runs, {
            "runs": [run], "labels": pl.DataFrame({"a": [1]}), "families": None,
        }),
        "Campaign.select": (campaign.select, {"indices": [0]}),
        "Campaign.of_split": (campaign.of_split, {"*": "train"}),
        "ApexFeatures": (gale.ApexFeatures, {}),
        "EventFeatures": (gale.EventFeatures, {}),
        "FamilyClassifier": (gale.FamilyClassifier, {}),
        "FamilyClassifier.fit": (
            gale.FamilyClassifier("quick").fit, {"X": [run], "y": [[1]], "groups": None}
        ),
        "FamilyClassifier.predict": (classifier.predict, {"X": np.zeros((2, 2))}),
        **{
            f"FamilyClassifier({name})": (
                lambda **given: gale.FamilyClassifier(**given).fit([run], [[1]]), {name: value}
            )
            for name, value in gale.FamilyClassifier("quick").get_params().items()
        },
        **{
            f"{kind.__name__}({name})": (
                lambda kind=kind, **given: kind(**given).fit_transform([run]), {name: value}
            )
            for kind in (
                gale.SummaryFeatures, gale.ProfileFeatures, gale.EventFeatures, gale.ApexFeatures
            )
            for name, value in kind(cache=False).get_params().items()
        },
        "ProfileFeatures": (gale.ProfileFeatures, {}),
        "SummaryFeatures": (gale.SummaryFeatures, {}),
        "SummaryFeatures.fit": (gale.SummaryFeatures().fit, {"X": [run]}),
        "SummaryFeatures.transform": (gale.SummaryFeatures().fit([run]).transform, {"X": [run]}),
        "IndexTable": (gale.IndexTable.read, {"path": folder / "index.csv"}),
        "Library": (gale.Library.join, {"libraries": [library]}),
        "InstalledLibrary": (gale.installed_libraries, {}),
        "Library.take": (library.take, {"compounds": [0]}),
        "Library.nominal_spectra": (library.nominal_spectra, {"n_mz": 20}),
        "Matcher": (gale.Matcher, {"library": library}),
        "Matcher.of": (gale.Matcher.of, {"*": "gale"}),
        "Model": (gale.Model.load, {"path": MODEL}),
        "Model.of_bytes": (gale.Model, {"data": MODEL.read_bytes(), "source": "a"}),
        "Model.save": (model.save, {"path": folder / "m.onnx", "force": True}),
        "Model.predict": (model.predict, {"runs": [run], **work}),
        "Model.submission": (model.submission, {"campaign": campaign, "predictions": table}),
        "Model.cutoffs": (model.cutoffs, {"at": {"alcohol": 0.5}}),
        "Cutoffs.call": (model.cutoffs({"alcohol": 0.5}).call, {"predictions": table}),
        "Model.evidence": (model.evidence, {"run": run}),
        "Peaks": (gale.find_peaks, {"run": run}),
        "Recipe": (gale.Recipe, {"name": "a", "share": None, "parts": (), "calibrate": False}),
        "Recipe.load": (gale.Recipe.load, {"name_or_path": folder / "recipe.toml"}),
        "Recipe.parse": (gale.Recipe.parse, {"text": "", "source": "a", "default_name": "a"}),
        "Run": (gale.Run.from_rows, {**rows, "source": "a", "facts": None, "notes": ()}),
        "Run.from_scans": (gale.Run.from_scans, {**rows, "ions_per_scan": [1, 1]}),
        "Run.chromatogram": (run.chromatogram, {"mz": 18}),
        "Run.spectrum": (run.spectrum, {"at_min": 3.0}),
        "Stream": (gale.Stream, {"model": model, "every_min": 1.0, "source": "a"}),
        "Stream.add": (gale.Stream(model).add, {"time_min": 1.0, "mz": [18.0], "intensity": [5.0]}),
        "Work": (gale.Work, dict.fromkeys(("executor", "device", "columns"))),
        "ablate": (gale.ablate, {"campaign": campaign, "recipe": "published", "trainings": 1,
                                 "iterations": 1, "seed": 0, "journal": None, **work}),
        "add_library": (gale.add_library, {"name": "a", "source": library, "force": True}),
        "bundled_model": (gale.bundled_model, {}),
        "default_family_table": (gale.default_family_table, {}),
        "embedded_library": (gale.embedded_library, {}),
        "estimate_retention_index": (
            gale.estimate_retention_index, {"structures": ["CCO"], "derivatives": [""]}
        ),
        "evaluate": (gale.evaluate, {"predictions": predictions, "labels": campaign,
                                     "prevalence": None, "resamples": 10, "seed": 0}),
        "evaluate.tables": (gale.evaluate, {
            "predictions": table, "labels": pl.DataFrame({"run": table["run"], "alcohol": [1]}),
            "resamples": 10,
        }),
        "evidence_table": (gale.evidence_table, {"model": model, "runs": [run], **found, **work}),
        "explain": (gale.explain, {"model": model, "run": run, **found}),
        "export_page": (gale.export_page, {"model": model, "path": folder / "page.html",
                                           "runtime": folder, "int8": False, "force": True}),
        "export_whole": (gale.export_whole, {"model": model, "path": folder / "whole.onnx",
                                             "int8": False, "force": True}),
        "families_of": (gale.families_of, {"structures": ["CCO"], "table": None}),
        "find_attributions": (gale.find_attributions, {"model": model, "run": run, "least": 0.5}),
        "find_ladder": (gale.find_ladder, {"run": run, "first_alkane": None}),
        "find_peaks": (gale.find_peaks, {"run": run, "matcher": None, "index": None,
                                         "least_share": 0.0}),
        "find_windows": (gale.find_windows, {"model": model, "run": run, **found}),
        "guess_derivatives": (gale.guess_derivatives, {"library": library, "silylated": False}),
        "installed_libraries": (gale.installed_libraries, {}),
        "model_card": (gale.model_card, {"model": model, "scores": ()}),
        "oddities": (gale.oddities, {"run": run}),
        "parent_of": (gale.parent_of, {"structure": "CCO"}),
        "plot_run": (gale.plot_run, {"run": run, "mz": [18], "at_min": None, "time_range": None,
                                     "mz_range": None, "lanes": None, "theme": "light"}),
        "read_family_table": (gale.read_family_table, {"path": folder / "families.toml"}),
        "read_library": (gale.read_library, {"path": folder / "mine.msp"}),
        "read_predictions": (gale.read_predictions, {"path": folder / "submission.csv"}),
        "read_run": (
            gale.read_run, {"path": folder / "runs" / "0.csv", "name": None, "columns": None}
        ),
        "recalibrate": (gale.recalibrate, {"model": model, "campaign": campaign, **work}),
        "remove_library": (gale.remove_library, {"name": "a"}),
        "run_pages": (gale.run_pages, {"model": model, "runs": [], "folder": folder / "pages",
                                       "matcher": None, "index": None, "provenance": None, **work}),
        "run_report": (gale.run_report, {"model": model, "run": run, "matcher": None,
                                         "index": None, "prediction": known, "provenance": None}),
        "save_ablation": (gale.save_ablation, {"ablation": None, "folder": folder / "ablation"}),
        "save_figure": (
            gale.save_figure, {"figure": Figure(), "file": folder / "a.png", "form": "png"}
        ),
        "second_look": (
            gale.second_look, {"runs": ["a", "b"], **labels, "prevalence": [0.5], "most": None}
        ),
        "simulate": (gale.simulate, {
            "folder": folder / "simulated", "design": "mars", "library": None, "families": None,
            "prevalence": None,
            "runs": {"train": 2}, "ions": 500, "compounds": None, "instruments": 1,
            "new_instrument": (), "new_compounds": (), "label_noise": 0.0, "physics": None,
            "seed": 0, "keep": False, "resume": False, "restart": False, **work,
        }),
        "train": (gale.train, {"campaign": campaign, "recipe": "published", "seed": 0,
                               "journal": None, "history": None, "out_of_fold": None, **work}),
        "training_report": (gale.training_report, {"campaign": campaign, "model": MODEL, **work}),
        "watch": (gale.watch, {"folder": folder / "none", "model": model, "output": folder / "seen",
                               "once": True}),
        "web_service": (gale.web_service, {"models": {"a": MODEL}, "data": folder / "served"}),
        "write_evidence": (
            gale.write_evidence, {"table": pl.DataFrame({"run": ["a"]}), "path": folder / "e.csv"}
        ),
        **{
            name: (getattr(gale, name), {"peaks": peaks, "path": folder / file, "force": True})
            for name, file in (
                ("write_peaks", "p.csv"), ("write_peak_matches", "m.csv"),
                ("write_peak_spectra", "s.msp"), ("write_mztab", "p.mztab"),
            )
        },
        "dask_executor": (gale.dask_executor, {"address": "local:1"}),
        "write_crate": (gale.write_crate, {
            "table": folder / "submission.csv", "include": (), "name": None, "license": None,
            "authors": (), "force": True,
        }),
        "write_features": (gale.write_features, {
            "campaign": campaign, "folder": folder / "features", "recipe": "quick", "force": True,
            **work,
        }),
        "write_run": (gale.write_run, {"run": run, "path": folder / "w.csv", "format": None}),
    }  # fmt: skip


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Stop before the work of verbs that take long, and keep what is written together."""

    def reached(*_: object, **__: object) -> object:
        raise GaleError("work", "was reached")

    monkeypatch.chdir(folder)
    monkeypatch.setattr("gale.training.read_training_runs", reached)
    monkeypatch.setattr("gale.estimators.classifier.train_features", reached)
    monkeypatch.setattr("gale.ablation.read_training_runs", reached)
    monkeypatch.setattr("gale.simulation.campaign.read_analytes", reached)
    monkeypatch.setattr("gale.serve.watching.Worker", reached)


def test_every_public_function_has_a_call(calls: dict[str, Call]) -> None:
    assert {name for name in gale.__all__ if is_public(name)} <= {
        name.partition(".")[0] for name in calls
    }
    for name, (function, arguments) in calls.items():
        inspect.signature(function).bind_partial(
            *((arguments["*"],) if "*" in arguments else ()),
            **{key: value for key, value in arguments.items() if key != "*"},
        )
        assert name


def outcomes(calls: dict[str, Call]) -> Iterator[tuple[str, str, object, BaseException | None]]:
    for name, (function, arguments) in calls.items():
        for key, wrong in itertools.product(arguments, WRONG):
            given = {**arguments, key: wrong}
            positional = (given.pop("*"),) if "*" in given else ()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    function(*positional, **given)
            except GaleError:
                yield name, key, wrong, None
            except BaseException as error:  # noqa: BLE001 - a mistake, whatever it is
                yield name, key, wrong, error
            else:
                yield name, key, wrong, None


@pytest.mark.usefixtures("cheap")
def test_a_wrong_argument_is_an_error_of_gale(calls: dict[str, Call]) -> None:
    found = {
        f"{name}({key}={wrong!r:.40}): {type(error).__name__}: {error!s:.80}"
        for name, key, wrong, error in outcomes(calls)
        if error is not None and not isinstance(error, OTHERWISE.get(name, ()))
    }
    assert not found, "\n".join(sorted(found))
