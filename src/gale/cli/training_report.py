"""The report of a training, as `gale train` and `gale report training` write it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gale.errors import OutputError, TableError
from gale.plumbing.tables import HEADER
from gale.plumbing.text import listed

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.cache import Cache
    from gale.report import Scored


@dataclass(frozen=True)
class Beside:
    """Files beside a model, by the name of the model."""

    history: Path
    out_of_fold: Path
    report: Path

    @classmethod
    def of(cls, model: Path) -> Beside:
        """Name the files."""
        stem = model.name.removesuffix(".onnx")
        history, out_of_fold, report = (
            model.with_name(f"{stem}.{what}")
            for what in ("history.csv", "out_of_fold.csv", "report.html")
        )
        return cls(history, out_of_fold, report)


@dataclass(frozen=True)
class Baseline:
    """A logistic regression, and its predictions of the runs that it was trained on."""

    model: gale.Model
    out_of_fold: pl.DataFrame


@dataclass(frozen=True)
class TrainingReport:
    """What a report is made from."""

    campaign: gale.Campaign
    model: gale.Model
    beside: Beside
    executor: Executor | None
    cache: Cache | None
    progress: ConsoleProgress

    def write(self, output: Path, *, force: bool) -> None:
        """Train the baseline, predict the test runs if their labels are known, and write the page.

        Raises
        ------
        OutputError
            If the predictions of the labelled runs are not beside the model, or the page cannot be
            written.
        TableError
            If the labels or the predictions are not those of the training.
        """
        from gale.plumbing.files import writing
        from gale.report import training_report

        known, predictions = self._known(), self._out_of_fold()
        history, truth = self._history(), self._truth()
        baseline = self._baseline() if self._recipe["kind"] != "logistic" else None
        scored = self._score_known(known, predictions, baseline)
        test = self._score_test(baseline)
        self.progress.begin("making the report", 1)
        page = training_report(
            self.campaign, self.model, scored, test=test, history=history, truth=truth
        )
        with writing(output, force=force) as temporary:
            temporary.write_text(page, "utf-8")
        self.progress.step()

    @property
    def _recipe(self) -> Mapping[str, Any]:
        recipe: Mapping[str, Any] = self.model.facts["recipe"]
        return recipe

    def _known(self) -> gale.Campaign:
        """The runs that the model was trained and validated with."""
        facts = self.model.facts["training"]
        known = self.campaign.of_split("train", "val")
        known = known.select(known.labelled & ~np.isin(known.runs, facts["unreadable"]))
        learned = known.of_split("train") if self.model.facts["folds"] == 1 else known
        positive = (learned.labels == 1).sum(axis=0).tolist()
        if (known.families, positive) != (self.model.families, facts["positive"]):
            raise TableError(
                f"{self.campaign.root}: found other labels than those that {self.model.source} was "
                f"trained with ({facts['runs']:,} runs of {facts['campaign']}); expected the same; "
                "name the campaign, and with --labels the table, of the training"
            )
        return known

    def _out_of_fold(self) -> pl.DataFrame:
        """What members said of runs that they did not train on."""
        file = self.beside.out_of_fold
        if not file.exists():
            raise OutputError(
                f"{file}: is not there; expected what gale train writes beside a model; train again"
            )
        table = _read(file)
        if table.columns != [*HEADER, *self.model.families]:
            raise TableError(
                f"{file}: found the columns {listed(table.columns)}; expected "
                f"{listed([*HEADER, *self.model.families])}; train again"
            )
        return table

    def _history(self) -> pl.DataFrame | None:
        """Every epoch, if the file is there."""
        import polars as pl

        from gale.report.charts import HISTORY

        file = self.beside.history
        if not file.exists():
            return None
        table = pl.read_csv(file)
        if set(HISTORY) <= set(table.columns):
            return table
        self.progress.note(f"{file}: is no history of a training; the report has no curves")
        return None

    def _truth(self) -> pl.DataFrame | None:
        """How much of every compound there was, of a simulated campaign."""
        import polars as pl

        from gale.report.shares import TRUTH

        file = self.campaign.root / "truth.parquet"
        if not file.exists():
            return None
        try:
            table = pl.read_parquet(file)
        except (pl.exceptions.PolarsError, OSError):
            table = pl.DataFrame()
        if set(TRUTH) <= set(table.columns):
            return table
        self.progress.note(f"{file}: is no truth of a simulated campaign; the report does without")
        return None

    def _baseline(self) -> Baseline:
        """Train a logistic regression on the same runs, in the same folds."""
        import gale
        from gale.plumbing.work import Work

        self.progress.note("a logistic regression is trained, for the report to compare with")
        recipe = gale.Recipe.load("logistic").to_dict() | {"folds": self._recipe["folds"]}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "out_of_fold.csv"
            model = gale.train(
                self.campaign,
                gale.Recipe.model_validate(recipe),
                seed=self.model.facts["seed"],
                out_of_fold=file,
                work=Work(executor=self.executor, cache=self.cache, progress=self.progress),
            )
            return Baseline(model, _read(file))

    def _score_known(
        self, known: gale.Campaign, predictions: pl.DataFrame, baseline: Baseline | None
    ) -> Scored:
        from gale.report import BASELINE, MODEL, Scored
        from gale.training.folds import held_out_by

        n_folds, scores = self.model.facts["folds"], self.model.facts["scores"]
        validated = known.of_split("val") if n_folds == 1 else known
        return Scored.of(
            f"{{n_runs}} runs, {held_out_by(n_folds)}",
            f"{scores['caution']}. The prevalence here is that of all training runs, these among "
            f"them; with that of the other folds its log loss is {scores['prior_log_loss']:.3f}",
            validated,
            {MODEL: predictions} | ({BASELINE: baseline.out_of_fold} if baseline else {}),
            self.model.prevalence,
        )

    def _score_test(self, baseline: Baseline | None) -> Scored | None:
        """Score the labelled test runs, if there are any."""
        from gale.report import BASELINE, MODEL, Scored

        runs = self.campaign.of_split("test")
        runs = runs.select(runs.labelled)
        if not len(runs):
            return None
        models = {MODEL: self.model} | ({BASELINE: baseline.model} if baseline else {})
        return Scored.of(
            "{n_runs} test runs",
            "nothing was chosen with them",
            runs,
            {name: self._predict(model, runs) for name, model in models.items()},
            self.model.prevalence,
        )

    def _predict(self, model: gale.Model, runs: gale.Campaign) -> pl.DataFrame:
        from gale.plumbing.work import Work

        return model.predict(
            runs, work=Work(executor=self.executor, cache=self.cache, progress=self.progress)
        )


def _read(file: Path) -> pl.DataFrame:
    """Read what a training wrote of runs that it held out; names and messages are texts."""
    import polars as pl

    return pl.read_csv(file, schema_overrides={"run": pl.String, "message": pl.String})
