"""The report of a training, as `gale train` and `gale report training` write it."""

from __future__ import annotations

import tempfile
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gale.errors import CampaignError, OutputError, TrainingError

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.campaign.labels import LabelTable
    from gale.cli.progress import ConsoleProgress
    from gale.features.cache import Cache
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
        """
        import polars as pl

        from gale.output import writing
        from gale.report import training_report

        campaign, beside = self.campaign, self.beside
        if not beside.out_of_fold.exists():
            raise OutputError(
                f"{beside.out_of_fold}: is not there; expected what gale train writes beside a "
                "model; train again"
            )
        baseline = None if self.model.facts["recipe"]["kind"] == "logistic" else self._baseline()
        out_of_fold, test = self._out_of_fold(baseline), self._test(baseline)
        self.progress.begin("making the report", 1)
        truth = campaign.root / "truth.parquet"
        page = training_report(
            campaign,
            self.model,
            out_of_fold,
            test=test,
            history=pl.read_csv(beside.history) if beside.history.exists() else None,
            truth=pl.read_parquet(truth) if truth.exists() else None,
        )
        with writing(output, force=force) as temporary:
            temporary.write_text(page, "utf-8")
        self.progress.step()

    def _baseline(self) -> Baseline | None:
        """Train a logistic regression on the same runs, if there are enough of them."""
        import polars as pl

        self.progress.note("a logistic regression is trained, for the report to compare with")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "out_of_fold.csv"
            try:
                model = self._train_baseline(file)
            except (CampaignError, TrainingError) as error:
                self.progress.note(f"the report has no logistic regression beside it: {error}")
                return None
            return Baseline(model, pl.read_csv(file, schema_overrides={"run": pl.String}))

    def _train_baseline(self, out_of_fold: Path) -> gale.Model:
        import gale

        return gale.train(
            self.campaign,
            "logistic",
            seed=self.model.facts["seed"],
            out_of_fold=out_of_fold,
            executor=self.executor,
            cache=self.cache,
            progress=self.progress,
        )

    def _out_of_fold(self, baseline: Baseline | None) -> Scored:
        from gale.campaign.labels import LabelTable
        from gale.evaluation import read_predictions
        from gale.report import Scored

        predictions = read_predictions(self.beside.out_of_fold)
        known = set(predictions.runs)
        rows = np.array([run in known for run in self.campaign.runs])
        chosen = self.campaign.select(rows)
        labels = LabelTable(chosen.runs, chosen.families, chosen.labels)
        scores = self.model.facts["scores"]
        return Scored.of(
            scores["measured_on"],
            scores["caution"],
            labels,
            predictions,
            None if baseline is None else baseline.out_of_fold,
            self.model.prevalence,
        )

    def _test(self, baseline: Baseline | None) -> Scored | None:
        labels = self._test_labels()
        if labels is None:
            return None
        from gale.report import Scored

        runs = self.campaign.of_split("test")
        return Scored.of(
            f"{len(runs):,} test runs",
            "nothing was chosen with them",
            labels,
            self._predict(self.model, runs),
            None if baseline is None else self._predict(baseline.model, runs),
            self.model.prevalence,
        )

    def _test_labels(self) -> LabelTable | None:
        """Labels of the test runs, if there are test runs and the campaign has labels of them."""
        from gale.evaluation import read_label_tables

        file = self.campaign.root / "test_labels.csv"
        if "test" not in self.campaign.split or not file.exists():
            return None
        labels = read_label_tables([file])
        return labels if set(labels.families) <= set(self.model.families) else None

    def _predict(self, model: gale.Model, runs: gale.Campaign) -> pl.DataFrame:
        self.progress.begin(f"predicting with {model.facts['recipe']['name']}", len(runs))
        return model.predict(
            runs, executor=self.executor, cache=self.cache, advance=self.progress.step
        )
