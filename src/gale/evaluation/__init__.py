"""Evaluation of predictions against labels, beside a baseline.

The baseline predicts the training prevalence for every run.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gale.campaign import Campaign
from gale.campaign.beside import files_beside
from gale.campaign.labels import LabelTable, order_of, prevalence_of, read_label_table
from gale.campaign.matching import match_runs
from gale.errors import TableError, warn
from gale.evaluation.bootstrap import Estimate
from gale.evaluation.calls import Calls
from gale.evaluation.content import Content, check_contents, read_contents, unknown_note
from gale.evaluation.metrics import Scores, log_loss_difference, score
from gale.evaluation.predictions import Predictions, read_predictions, sidecar
from gale.plumbing.arguments import check_whole
from gale.plumbing.display import ShownInNotebooks
from gale.plumbing.frames import Tabular
from gale.plumbing.kinds import checked
from gale.plumbing.text import counted, listed, shown
from gale.plumbing.work import Work
from gale.run import Floats, Floats32

__all__ = [
    "Comparison",
    "Evaluation",
    "Predictions",
    "compare",
    "evaluate",
    "read_label_tables",
    "read_labelled_contents",
    "read_predictions",
    "training_prevalence",
]

PrevalenceFrom = Literal["argument", "sidecar", "labels"]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(ShownInNotebooks):
    """Scores of predictions on the labelled runs, beside those of the baseline.

    Parameters
    ----------
    source : str
        Name of the predictions.
    runs : tuple of str, length R
        The scored runs, as the labels name and order them.
    families : tuple of str, length K
        The labelled families.
    labels : array of shape (R, K), float32
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
    prevalence : array of shape (K,)
        What the baseline predicts for every run.
    prevalence_from : str
        Where the prevalence is from: ``argument``, ``sidecar`` of the predictions, or ``labels``,
        those evaluated, which flatters the baseline.
    scores, prior : Scores
        Scores of the predictions, and of the baseline on the same runs.
    difference : Estimate
        Log loss of the predictions minus that of the baseline, with its paired interval.
    missing : tuple of str
        Labelled runs without a prediction.
    failed : mapping of str to str
        Labelled runs whose prediction failed, and why.
    unlabelled : tuple of str
        Predicted runs without a known label.
    extra_families : tuple of str
        Predicted families that the labels lack.
    model_sha256 : str, optional
        SHA-256 of the model file that predicted, if it is known.
    trained_on : tuple of str
        The scored runs that the model was trained on, as far as it says so.
    content : mapping of str to Content
        What was predicted of the scored runs, as far as the predictions say it.
    by_name_alone : mapping of str to tuple of str
        The scored runs of which it is unknown whether they are those predicted, by the reason.
    calls : Calls, optional
        How good the calls are, if the predictions have any.
    """

    source: str
    runs: tuple[str, ...]
    families: tuple[str, ...]
    labels: Floats32
    probability: Floats
    prevalence: Floats
    prevalence_from: PrevalenceFrom
    scores: Scores
    prior: Scores
    difference: Estimate
    missing: tuple[str, ...]
    failed: Mapping[str, str]
    unlabelled: tuple[str, ...]
    extra_families: tuple[str, ...]
    model_sha256: str | None = None
    trained_on: tuple[str, ...] = ()
    content: Mapping[str, Content] = field(default_factory=dict)
    by_name_alone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: Calls | None = None

    def __repr__(self) -> str:
        own, prior = (each.mean["log_loss"] for each in (self.scores, self.prior))
        return (
            f"<Evaluation {self.source}: {counted(len(self.runs), 'run')}, "
            f"{counted(len(self.families), 'family', 'families')}, log loss {own.value:.3f} "
            f"[{own.low:.3f}, {own.high:.3f}] (baseline {prior.value:.3f})>"
        )

    @property
    def by_name_notes(self) -> list[str]:
        """Of how many scored runs it is unknown whether they are those predicted, in words."""
        return [unknown_note(reason, runs) for reason, runs in self.by_name_alone.items()]

    @property
    def trained_on_note(self) -> str:
        """How many of the scored runs the model was trained on, in words."""
        return (
            f"the model was trained on {len(self.trained_on):,} of the "
            f"{counted(len(self.runs), 'scored run')} ({listed(self.trained_on, 3)}), so these "
            "scores flatter it"
        )

    @property
    def not_scored(self) -> dict[str, tuple[str, ...]]:
        """What could not be scored: names of runs and families, by the reason in words."""
        reasons = {
            "labelled runs without a prediction": self.missing,
            "labelled runs whose prediction failed": tuple(self.failed),
            "predicted runs without a label": self.unlabelled,
            "predicted families without labels": self.extra_families,
        }
        return {reason: names for reason, names in reasons.items() if names}

    def to_dict(self) -> dict[str, Any]:
        """Return everything except labels and probabilities as values that JSON can hold."""
        return {
            "predictions": self.source,
            "model_sha256": self.model_sha256,
            "missing": list(self.missing),
            "failed": dict(self.failed),
            "unlabelled": list(self.unlabelled),
            "extra_families": list(self.extra_families),
            "by_name_alone": {reason: list(runs) for reason, runs in self.by_name_alone.items()},
            "scores": self.scores.to_dict(),
            "prior": {
                "prevalence_from": self.prevalence_from,
                "prevalence": [
                    None if np.isnan(share) else float(share) for share in self.prevalence
                ],
                **self.prior.to_dict(),
            },
            "log_loss_difference_to_prior": self.difference.to_dict(),
            **({} if self.calls is None else {"calls": self.calls.to_dicts()}),
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Log loss of the first predictions minus that of the second, on the runs scored in both."""

    first: str
    second: str
    n_runs: int
    difference: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as values that JSON can hold."""
        return {
            "first": self.first,
            "second": self.second,
            "runs": self.n_runs,
            "log_loss_difference": self.difference.to_dict(),
        }


def read_label_tables(paths: Sequence[Path]) -> LabelTable:
    """Read label tables, of the same families and different runs, as one.

    Raises
    ------
    TableError
        If a file is not a label table, the families differ, or a run is in two tables.
    """
    tables = [read_label_table(path) for path in paths]
    families = tables[0].families
    origin: dict[str, Path] = {}
    for path, table in zip(paths, tables, strict=True):
        if set(table.families) != set(families):
            raise TableError(
                path,
                f"has the families {', '.join(table.families)}",
                f"those of {paths[0]}: {', '.join(families)}",
                "give all label tables the same columns",
            )
        for row, run in zip(table.rows, table.runs, strict=True):
            if run in origin:
                raise TableError(
                    f"{path}: row {row}",
                    f"has the run {shown(run)}, which is also in {origin[run]}",
                    "each run in one table",
                    "give each table once",
                )
        origin |= dict.fromkeys(table.runs, path)
    return LabelTable(
        runs=tuple(origin),
        families=families,
        values=np.concatenate([_in_order(table, families) for table in tables]),
    )


def training_prevalence(labels: LabelTable, families: Sequence[str]) -> dict[str, float]:
    """Return the share of each family's known labels that are positive; NaN if none is known.

    Raises
    ------
    TableError
        If the labels lack one of the families.
    """
    if lacking := [family for family in families if family not in labels.families]:
        raise TableError(
            "training labels",
            f"have no column for {listed(lacking)}",
            "one for every labelled family",
            "give the labels that the model was trained with",
        )
    share = prevalence_of(_in_order(labels, families))
    return dict(zip(families, share.tolist(), strict=True))


@checked
def evaluate(
    predictions: Predictions | Tabular,
    labels: LabelTable | Campaign | Tabular,
    *,
    prevalence: Mapping[str, float] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    content: Mapping[str, Content] | None = None,
    work: Work | None = None,
) -> Evaluation:
    """Score predictions on the labelled runs, beside the baseline.

    Runs are matched by name; if that fails, by the name of their file without its folder; and
    then also without its extension. Rows without any known label are ignored. Where the sidecar of
    the predictions says what was read, that has to be the content of the labelled runs.

    Warns (`gale.GaleWarning`) of runs and families that could not be scored, if the baseline
    predicts the prevalence of the labels evaluated, which flatters it, and of runs of predictions
    from a file whose content could not be compared.

    Parameters
    ----------
    predictions : Predictions, table, or list of tables
        Predictions from a file (`gale.read_predictions`), from `gale.Model.predict`, or any table
        with a column ``run`` or ``sample_id`` and one for each family. Tables are of polars, pandas
        or any other library that speaks Arrow.
    labels : Campaign, LabelTable, table, or list of tables
        A table has the same columns; 1, 0, or NaN, null or blank where unknown.
    prevalence : mapping of str to float, optional
        Training prevalence of each labelled family, such as `gale.Model.prevalence`. By default
        that of the predictions' sidecar, or else that of the labels evaluated.
    resamples : int
        Number of bootstrap resamples for the intervals, 1 or more.
    seed : int
        The same seed gives the same intervals.
    content : mapping of str to Content, optional
        What the labelled runs hold, see :func:`read_labelled_contents`. By default the files of a
        campaign are read, those of runs of which the predictions say what they hold.
    work : Work, optional
        Its progress makes one step for each file that is read.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError
        If the predictions lack a labelled family, names of runs are ambiguous, no run can be
        scored, a run has other content than the one predicted, or the prevalence lacks a family.
    GaleError
        If an argument is of another type.

    Examples
    --------
    >>> import polars as pl
    >>> from gale import evaluate
    >>> labels = pl.DataFrame({"run": ["S1", "S2", "S3"], "alcohol": [1, 0, 1]})
    >>> predictions = pl.DataFrame({"run": ["S1", "S2", "S3"], "alcohol": [0.8, 0.3, 0.6]})
    >>> evaluation = evaluate(predictions, labels, prevalence={"alcohol": 0.5})
    >>> for scores in (evaluation.scores, evaluation.prior):
    ...     print(f"{scores.mean['log_loss'].value:.3f}")
    0.364
    0.693
    """
    if not isinstance(predictions, Predictions):
        predictions = read_predictions(predictions)
    said = predictions.content or {}
    campaign = labels if isinstance(labels, Campaign) else None
    labels = _label_table(labels)
    check_whole("resamples", resamples, 1)
    check_whole("seed", seed)
    _check_families(predictions, labels)
    label_row = {
        run: row for row, run in enumerate(labels.runs) if not np.isnan(labels.values[row]).all()
    }
    match = match_runs(label_row, predictions.runs, predictions.source)
    why = predictions.failed
    failed = {run: why[match[run]] for run in match if match[run] in why}
    scored = [run for run in label_row if run in match and run not in failed]
    _check_scored(scored, predictions, label_row)
    if content is None:
        content = _contents(campaign, [run for run in scored if match[run] in said], work)
    of_scored = {run: match[run] for run in scored}
    by_name_alone = check_contents(said, content, of_scored, predictions.source)

    y = labels.values[[label_row[run] for run in scored]]
    p = _aligned(predictions, predictions.probability, of_scored.values(), labels.families)
    share, share_from = _prior(predictions, labels.families, y, prevalence)
    prior = np.tile(share, (len(y), 1))
    bootstrap = {"resamples": resamples, "seed": seed}
    matched = set(match.values())
    evaluation = Evaluation(
        source=predictions.source,
        runs=tuple(scored),
        families=labels.families,
        labels=y,
        probability=p,
        prevalence=share,
        prevalence_from=share_from,
        scores=score(y, p, labels.families, **bootstrap),
        prior=score(y, prior, labels.families, **bootstrap),
        difference=log_loss_difference(y, p, prior, **bootstrap),
        missing=tuple(run for run in label_row if run not in match),
        failed=failed,
        unlabelled=tuple(run for run in predictions.runs if run not in matched),
        extra_families=tuple(f for f in predictions.families if f not in labels.families),
        model_sha256=predictions.model_sha256,
        trained_on=tuple(run for run in scored if match[run] in predictions.trained_on),
        content={run: said[name] for run, name in of_scored.items() if name in said},
        by_name_alone=by_name_alone,
        calls=_calls(predictions, of_scored.values(), labels.families, y),
    )
    _warn_of(evaluation, in_memory=predictions.content is None)
    return evaluation


def _label_table(labels: LabelTable | Campaign | Tabular) -> LabelTable:
    if isinstance(labels, Campaign):
        return LabelTable(labels.runs, labels.families, labels.labels)
    return labels if isinstance(labels, LabelTable) else read_label_table(labels)


def read_labelled_contents(
    labels: LabelTable,
    tables: Sequence[Path],
    predictions: Sequence[Predictions],
    work: Work | None = None,
) -> dict[str, Content]:
    """Hash the files of labelled runs that lie in the folders of their label tables.

    Only runs are read of which some of the predictions say what they hold.

    Parameters
    ----------
    labels : LabelTable
        Those of all tables, see :func:`read_label_tables`.
    tables : sequence of Path
        The label tables.
    predictions : sequence of Predictions
    work : Work, optional
        Its progress makes one step for each file that is read.

    Returns
    -------
    dict of str to Content
        As :func:`evaluate` takes it, by the runs whose files are found.

    Raises
    ------
    TableError
        If names of runs are ambiguous.
    """
    progress = (work or Work()).progress
    labelled = [run for run, known in zip(labels.runs, labels.labelled, strict=True) if known]
    names: dict[str, list[str]] = {}
    for each in predictions:
        said = each.content or {}
        for run, name in match_runs(labelled, each.runs, each.source).items():
            if name in said:
                names.setdefault(run, []).extend((name, said[name].file))
    files: dict[str, Path] = {}
    for folder in dict.fromkeys(table.parent for table in tables):
        files = files_beside(folder, names, progress) | files
    return read_contents(files, progress)


def _contents(
    campaign: Campaign | None, runs: Sequence[str], work: Work | None
) -> dict[str, Content]:
    """Hash the files of these runs; a table has none, nor have runs in memory."""
    if campaign is None:
        return {}
    source_of = dict(zip(campaign.runs, campaign.sources, strict=True))
    files = {run: file for run in runs if isinstance(file := source_of[run], Path)}
    return read_contents(files, (work or Work()).progress)


def _warn_of(evaluation: Evaluation, *, in_memory: bool) -> None:
    """Warn of what could not be scored, and of what flatters the scores or the baseline."""
    source = evaluation.source
    if evaluation.trained_on:
        warn(f"{source}: {evaluation.trained_on_note}")
    for reason, names in evaluation.not_scored.items():
        warn(f"{source}: not scored: {reason}: {len(names):,} ({listed(names)})")
    for note in () if in_memory else evaluation.by_name_notes:
        warn(f"{source}: {note}")
    if evaluation.prevalence_from == "labels":
        warn(
            f"{source}: the baseline predicts the prevalence of the labels evaluated, which "
            "flatters it; pass prevalence=model.prevalence"
        )


def compare(first: Evaluation, second: Evaluation) -> Comparison:
    """Compare two predictions, evaluated with the same labels, on the runs scored in both.

    Raises
    ------
    TableError
        If there is no such run, or one has other content in the second predictions.
    """
    second_row = {run: row for row, run in enumerate(second.runs)}
    pairs = [(row, second_row[run]) for row, run in enumerate(first.runs) if run in second_row]
    if not pairs:
        raise TableError(
            f"{first.source} and {second.source}",
            "have no scored run in common",
            "predictions of the same runs",
            "evaluate them one at a time",
        )
    same = {first.runs[row]: first.runs[row] for row, _ in pairs}
    check_contents(second.content, first.content, same, second.source, first.source)
    rows, second_rows = map(list, zip(*pairs, strict=True))
    difference = log_loss_difference(
        first.labels[rows],
        first.probability[rows],
        second.probability[second_rows],
        resamples=first.scores.resamples,
        seed=first.scores.seed,
    )
    return Comparison(first.source, second.source, len(pairs), difference)


def _check_families(predictions: Predictions, labels: LabelTable) -> None:
    if lacking := [f for f in labels.families if f not in predictions.families]:
        raise TableError(
            predictions.source,
            f"has no column for {listed(lacking)}",
            "one for every labelled family",
            "predict with a model of these families, or leave them out of the labels",
        )


def _check_scored(scored: Sequence[str], predictions: Predictions, labelled: Iterable[str]) -> None:
    if not scored:
        raise TableError(
            predictions.source,
            f"has no run that can be scored: it predicts {listed(predictions.runs, 3)} "
            f"({len(predictions.failed):,} failed), and labels are known for "
            f"{listed(labelled, 3) or 'no run'}",
            "runs with the same names in both",
            "name the runs as in the labels",
        )


def _aligned(
    predictions: Predictions, values: Floats, runs: Iterable[str], families: Sequence[str]
) -> Floats:
    """Return the values of these runs and families in this order."""
    row = {run: row for row, run in enumerate(predictions.runs)}
    columns = order_of(predictions.families, families)
    return values[np.ix_([row[run] for run in runs], columns)]


def _calls(
    predictions: Predictions, runs: Iterable[str], families: tuple[str, ...], labels: Floats32
) -> Calls | None:
    if predictions.calls is None:
        return None
    calls = _aligned(predictions, predictions.calls, runs, families)
    return Calls.of(labels.astype(np.float64), calls, families)


def _in_order(labels: LabelTable, families: Sequence[str]) -> Floats32:
    return labels.values[:, order_of(labels.families, families)]


def _prior(
    predictions: Predictions,
    families: tuple[str, ...],
    y: Floats32,
    given: Mapping[str, float] | None,
) -> tuple[Floats, PrevalenceFrom]:
    """Return the prevalence of each family and where it is from."""
    origin: PrevalenceFrom
    if given is not None:
        stated, origin, source = given, "argument", "prevalence"
    elif predictions.prevalence is not None:
        stated, origin = predictions.prevalence, "sidecar"
        source = str(sidecar(Path(predictions.source)))
    else:
        return prevalence_of(y), "labels"
    share = np.array([stated.get(family, np.nan) for family in families], dtype=np.float64)
    fits = (share >= 0) & (share <= 1) | np.isnan(y).all(axis=0)
    if not fits.all():
        at = int(np.argmin(fits))
        raise TableError(
            source,
            f"gives the training prevalence {share[at]:g} for {shown(families[at])}",
            "a number from 0 to 1 for every labelled family",
            "use that of the runs that the model was trained with",
        )
    return share, origin
