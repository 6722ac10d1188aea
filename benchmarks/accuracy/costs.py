"""What a recipe costs on a campaign: the real commands, each measured from outside."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import campaigns, results
from benchmarks.commands import Measured, gale
from benchmarks.options import tell
from gale import errors
from gale.campaign import Campaign
from gale.evaluation import read_predictions
from gale.model.bundled import bundled_model
from gale.training.recipe import Recipe

WARM_UP = """
name = "warm-up"
network.hidden = [8]
fitting.epochs = 1
soup = { kind = "none", size = 1 }
folds.count = 1
"""
"""The least training: it leaves the features of all runs of train and val in gale's cache."""


@dataclass(frozen=True)
class Costs:
    """What one training and the prediction of the test runs took."""

    train_seconds: float
    train_peak_mb: float
    predict_runs_per_s: float
    predict_peak_mb: float
    model_mb: float

    @classmethod
    def mean(cls, several: Sequence[Costs]) -> Costs:
        """Average each figure."""
        return cls(*np.mean([astuple(each) for each in several], axis=0).tolist())


@dataclass(frozen=True)
class Result:
    """What predicted, its costs (none where nothing was trained), and where its predictions are."""

    predictions: Path
    costs: Costs | None
    code: str
    machine: str


class Bench:
    """Measures recipes on one campaign, and keeps what is finished.

    Parameters
    ----------
    campaign : Path
        Folder of the campaign.
    folder : Path
        Where results are kept, each in a folder of its own: result.json, the model, predictions.
    """

    def __init__(self, campaign: Path, folder: Path) -> None:
        self._campaign, self._folder = campaign, folder
        self._identity = campaigns.identity(campaign)
        self._warm: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def prior(self) -> Result:
        """Write the training prevalence, that of train and val, for every test run."""
        opened = Campaign.open(self._campaign)
        known, test = opened.of_split("train", "val"), opened.of_split("test")
        shares = dict(zip(known.families, known.prevalence().tolist(), strict=True))
        table = pl.DataFrame({"run": test.runs}).with_columns(
            pl.lit("ok").alias("status"),
            pl.lit("").alias("message"),
            *(pl.lit(share).alias(family) for family, share in shares.items()),
        )
        predictions = self._folder / "prior.csv"
        table.write_csv(predictions)
        return Result(predictions, None, code_fingerprint(), machine())

    def bundled(self) -> Result:
        """Predict the test runs with the model that comes with gale, which no run here trained."""
        file = self._folder / "bundled" / "result.json"
        predictions = file.with_name("predictions.csv")
        made_of = {"campaign": self._identity, "model": bundled_model().sha256}
        kept = results.find(file, made_of)
        if kept is None:
            file.parent.mkdir(exist_ok=True)
            model = file.with_name("model.onnx")
            bundled_model().save(model, force=True)
            words = ("--split", "test", "--model", model, "-o", predictions)
            gale("predict", self._campaign, *words, "--force", "--quiet")
            kept = {"code": code_fingerprint(), "machine": machine()}
            results.keep(file, made_of, kept)
        return Result(predictions, None, kept["code"], kept["machine"])

    def recipe(self, name: str, recipe: str, seed: int) -> Result:
        """Train, predict and measure, unless a result of the same recipe and campaign is kept."""
        loaded = Recipe.load(recipe)
        made_of = {"campaign": self._identity, "recipe": loaded.to_dict(), "seed": seed}
        folder = self._folder / f"{name}-{seed}"
        file, predictions = folder / "result.json", folder / "predictions.csv"
        kept = results.find(file, made_of)
        if kept is None:
            self._warm_up(loaded)
            folder.mkdir(exist_ok=True)
            costs = self._measure(recipe, seed, folder / "model.onnx", predictions)
            kept = {"costs": asdict(costs), "code": code_fingerprint(), "machine": machine()}
            results.keep(file, made_of, kept)
            tell(f"{folder}: trained in {costs.train_seconds:.0f} s")
        return Result(predictions, Costs(**kept["costs"]), kept["code"], kept["machine"])

    def _warm_up(self, recipe: Recipe) -> None:
        """See that gale's cache has the features that a recipe trains on."""
        features = "".join(
            f"features.{key} = {json.dumps(value)}\n"
            for key, value in recipe.to_dict()["features"].items()
            if value is not None
        )
        if features not in self._warm:
            text, model = self._folder / "warm-up.toml", self._folder / "warm-up.onnx"
            text.write_text(WARM_UP + features, "utf-8")
            self._train(text, 0, model)
            self._warm.add(features)

    def _train(self, recipe: Path | str, seed: int, model: Path) -> Measured:
        """Train from the beginning, whatever an interrupted training left behind."""
        words = ("-o", model, "--recipe", recipe, "--seed", seed, "--force", "--quiet")
        return gale("train", self._campaign, *words, "--no-report")

    def _measure(self, recipe: str, seed: int, model: Path, predictions: Path) -> Costs:
        training = self._train(recipe, seed, model)
        words = ("--split", "test", "--model", model, "-o", predictions, "--no-cache")
        prediction = gale("predict", self._campaign, *words, "--force", "--quiet")
        return Costs(
            train_seconds=training.seconds,
            train_peak_mb=training.peak_mb,
            predict_runs_per_s=len(read_predictions(predictions).runs) / prediction.seconds,
            predict_peak_mb=prediction.peak_mb,
            model_mb=model.stat().st_size / 1e6,
        )


def machine() -> str:
    """Name what the commands run on."""
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, " + (
        f"OMP_NUM_THREADS {threads}, Python {platform.python_version()}"
    )


def code_fingerprint() -> str:
    """Hash of gale's own files."""
    root = Path(errors.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix not in (".pyc", "")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
