"""A model: one file, written by training and read by prediction. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import CampaignError, ModelError, warn
from gale.features import PathOrRun, compute_features
from gale.features.events import EventSpec
from gale.features.spec import feature_spec
from gale.inspection.batch import batch_notes
from gale.model.file import EVIDENCE, OUTPUTS, check_shapes, open_session, read_facts
from gale.model.unlike import unlike_notes
from gale.plumbing.arguments import check_kind
from gale.plumbing.files import writing
from gale.plumbing.tables import SPREAD, UNLIKE
from gale.plumbing.text import counted, display_name, listed
from gale.plumbing.work import Work
from gale.readers.tables.headers import RememberedColumns
from gale.run import Floats32, Run

Runs = Campaign | Sequence[str | Path | Run] | str | Path | Run
"""What can be predicted: a campaign, paths and runs in memory, or one of these."""

FEW_POSITIVES = 30
"""A family with fewer positive training runs is reported as learned from few."""

BATCH_VALUES = 2**21
"""Features that go through the graph at once, counted over runs; it bounds the memory."""

UNCALIBRATED = (
    "these are scores from 0 to 1, trained as probabilities but not calibrated on held-out runs"
)
"""What has to be said of the predictions of a model without calibration."""


class Model:
    """An ensemble of networks, and everything that is needed to predict with it.

    Parameters
    ----------
    data : bytes
        Content of the model file.
    source : str
        Name of the file, for messages.

    Raises
    ------
    ModelError
        If the bytes are not a model, or are a model that this version of gale cannot use.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> from gale import Model
    >>> model = Model.load(model_file)
    >>> model
    <Model small: 9 families, 6 members, trained on 84 runs>
    >>> predictions = model.predict(run_file)
    >>> predictions.columns[:7]
    ['run', 'status', 'message', 'unlike', 'aromatic', 'hydrocarbon', 'carboxylic_acid']
    >>> round(predictions["hydrocarbon"][0], 2), round(model.prevalence["hydrocarbon"], 2)
    (0.28, 0.33)
    """

    def __init__(self, data: bytes, source: str = "memory") -> None:
        self._data = data
        self.source = source
        self._session = open_session(data, source)
        self.facts: Mapping[str, Any] = MappingProxyType(read_facts(self._session, source))
        self.spec = feature_spec(self.facts["features"], source)
        check_shapes(self._session, self.spec, self.families, source)

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model file.

        Raises
        ------
        ModelError
            If the file cannot be read, or is not a model that this version of gale can use.
        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(
                path, f"cannot be read ({error.strerror})", "a model file (.onnx)", "check the path"
            ) from None
        return cls(data, str(path))

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model file, completely or not at all.

        Raises
        ------
        OutputError
            If the file exists and `force` is false, or cannot be written.
        """
        with writing(Path(path), force=force) as temporary:
            temporary.write_bytes(self._data)

    def __repr__(self) -> str:
        return (
            f"<Model {self.facts['recipe']['name']}: "
            f"{counted(len(self.families), 'family', 'families')}, "
            f"{counted(self.facts['members'], 'member')}, "
            f"trained on {counted(self.facts['training']['runs'], 'run')}>"
        )

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families, in the order of all outputs."""
        return tuple(self.facts["families"])

    @property
    def prevalence(self) -> dict[str, float]:
        """Training prevalence of each family: the share of the training runs that hold it."""
        return dict(zip(self.families, self.facts["prevalence"], strict=True))

    def predict_features(self, features: Floats32) -> tuple[Floats32, Floats32]:
        """Predict from features (R, D), computed with :attr:`spec`.

        Returns
        -------
        probability : array of shape (R, K)
        member_probability : array of shape (E, R, K)

        Raises
        ------
        ModelError
            If they are not as many features as the model has.
        """
        features = np.asarray(features, dtype=np.float32)
        wanted = self.spec.n_features
        if features.ndim != 2 or features.shape[1] != wanted:
            raise ModelError(
                self.source,
                f"has {wanted:,} features, not those of an array of shape {features.shape}",
                f"an array of shape (R, {wanted})",
                "compute them with model.spec.features_of(run)",
            )
        probability, member_probability, _ = self._predict(features)
        return probability, member_probability

    def _predict(self, features: Floats32) -> tuple[Floats32, Floats32, Floats32]:
        """Probability (R, K), that of each member (E, R, K), and distance (R,) of features (R, D).

        The distance is that from the training runs, see `gale.model.unlike`; NaN if the model is
        too old to have it.
        """
        names = [*OUTPUTS, *{UNLIKE} & self._output_names]
        probability, member_probability, *unlike = self._run(names, features)
        return (
            np.concatenate(probability),
            np.concatenate(member_probability, axis=1),
            np.concatenate(unlike[0]) if unlike else np.full(len(features), np.nan, np.float32),
        )

    def evidence(self, run: Run) -> pl.DataFrame:
        """Score each family over time, with the elution network.

        Parameters
        ----------
        run : Run

        Returns
        -------
        DataFrame
            One row for each of the N spectra that the network looks at, in order of time:
            ``time_min``, then a column for each family, 0 to 1. These are uncalibrated scores of
            single spectra.

        Raises
        ------
        ModelError
            If the model has no elution network.
        ReadError
            If the model's features leave out every ion of the run.
        """
        check_kind("run", run, Run)
        features, times = self.event_spec.describe(run)
        ((evidence,),) = self._run([EVIDENCE], features[None])
        columns = {name: evidence[0, :, at] for at, name in enumerate(self.families)}
        return pl.DataFrame({"time_min": times, **columns})

    def evidence_of_spectra(self, spectra: Floats32) -> Floats32:
        """Score each family in any spectra, as :meth:`evidence` does in those of a run.

        Parameters
        ----------
        spectra : array of shape (N', M)
            Rows of elution images, see `gale.features.elution`.

        Returns
        -------
        array of shape (N', K)

        Raises
        ------
        ModelError
            If the model has no elution network, or the spectra have another number of m/z.
        """
        spec = self.event_spec
        (n_events, n_mz), wanted = spec.shape, len(spectra)
        if np.shape(spectra) != (wanted, n_mz):
            raise ModelError(
                self.source,
                f"sees {n_mz} m/z, not an array of shape {np.shape(spectra)}",
                f"an array of shape (N', {n_mz}), from m/z {spec.mz[0]} on",
            )
        features = np.zeros((-(-wanted // n_events), spec.n_features), dtype=np.float32)
        padded = np.zeros((len(features) * n_events, n_mz), dtype=np.float32)
        padded[:wanted] = spectra
        features[:, spec.profile.n_features :] = padded.reshape(len(features), -1)
        (batches,) = self._run([EVIDENCE], features)
        return np.concatenate(batches).reshape(-1, len(self.families))[:wanted]

    @property
    def has_elution_network(self) -> bool:
        """Whether the model can say when a family elutes."""
        return EVIDENCE in self._output_names and isinstance(self.spec, EventSpec)

    @property
    def remembered_columns(self) -> RememberedColumns | None:
        """Names of columns that the tables of the training had; other tables may have none."""
        columns = self.facts["columns"]
        return RememberedColumns(columns) if columns else None

    @property
    def event_spec(self) -> EventSpec:
        """The features that the elution network looks at.

        Raises
        ------
        ModelError
            If the model has no elution network, and so no evidence over time.
        """
        if EVIDENCE not in self._output_names or not isinstance(self.spec, EventSpec):
            raise ModelError(
                self.source,
                "has no elution network, so it cannot say when a family elutes",
                "a model with one",
                "train with a recipe that has one, such as default",
            )
        return self.spec

    @property
    def _output_names(self) -> set[str]:
        """Names of the outputs of the graph."""
        return {output.name for output in self._session.get_outputs()}

    def _run(self, outputs: Sequence[str], features: Floats32) -> list[tuple[Floats32, ...]]:
        """Compute outputs of the graph for features (R, D), batch by batch.

        The graph computes all its outputs in any case, so they are best asked for together.
        """
        rows = max(BATCH_VALUES // self.spec.n_features, 1)
        batches = [
            self._session.run(outputs, {"summary": features[start : start + rows]})
            for start in range(0, max(len(features), 1), rows)
        ]
        return list(zip(*batches, strict=True))

    def predict(
        self,
        runs: Runs,
        work: Work | None = None,
    ) -> pl.DataFrame:
        """Predict runs: files, runs in memory, or a campaign.

        Warns (`gale.GaleWarning`) of runs that failed or have a message, of a batch that differs
        from the training runs, and of a model that is not calibrated.

        Parameters
        ----------
        runs : Campaign, sequence of length R of paths and Runs, or one of these
        work : Work, optional
            How and where runs are read. Its columns are by default those of the campaign, or else
            those of the training.

        Returns
        -------
        DataFrame
            One row per run, in the order given: ``run``, ``status`` (``ok`` or ``failed``),
            ``message`` (why the run failed, or the reader's notes on it, and a note if it is far
            from the training runs), ``unlike`` (distance from the training runs; 1 is their own
            95th percentile, see `gale.model.unlike`), then a column for each family, and for each
            ``<family>_spread``, the standard deviation over members. Numbers are null if the run
            failed, spreads also if there is only one member, and ``unlike`` also if the model is
            too old to have it.

        Raises
        ------
        GaleError
            If `runs` has something else in it, or a process of the executor ends from outside.
        """
        names, sources, work = self.sources_of(runs, work)
        work.progress.begin("predicting", len(sources))
        table = compute_features(sources, self.spec, work)
        probability, member_probability, unlike = self._predict(table.values[table.ok])
        spread = member_probability.std(axis=0)
        if len(member_probability) < 2:
            spread[:] = np.nan
        distance = _columns([UNLIKE], unlike[:, None], table.ok)
        messages = [
            error or "; ".join((*notes, *unlike_notes(each))) or None
            for error, notes, each in zip(table.errors, table.notes, distance[UNLIKE], strict=True)
        ]
        predictions = pl.DataFrame(
            {
                "run": pl.Series(names, dtype=pl.String),
                "status": pl.Series(["ok" if ok else "failed" for ok in table.ok], dtype=pl.String),
                "message": pl.Series(messages, dtype=pl.String),
                **distance,
                **_columns(self.families, probability, table.ok),
                **_columns([f"{name}{SPREAD}" for name in self.families], spread, table.ok),
            }
        )
        self._warn_of(predictions)
        return predictions

    def sources_of(
        self, runs: Runs, work: Work | None = None
    ) -> tuple[list[str], list[PathOrRun], Work]:
        """List runs as :meth:`predict` takes them, and say how their tables are read.

        Returns
        -------
        names : list of str, length R
            What the column ``run`` of predictions calls them.
        sources : list of Path or Run, length R
        work : Work
            With columns: its own, or else those of the campaign, or else those of the training.

        Raises
        ------
        GaleError
            If `runs` has something else in it.
        """
        work = work or Work()
        check_kind("work", work, Work)
        of_campaign = None
        if isinstance(runs, Campaign):
            of_campaign = runs.columns
            names, sources = list(runs.runs), list[PathOrRun](runs.paths)
        else:
            several = [runs] if isinstance(runs, (str, Path, Run)) else runs
            for each in several:
                check_kind("run", each, str, Path, Run)
            sources = [run if isinstance(run, Run) else Path(run) for run in several]
            names = [run.source if isinstance(run, Run) else display_name(run) for run in sources]
        columns = work.columns or of_campaign or self.remembered_columns
        return names, sources, replace(work, columns=columns)

    def _warn_of(self, predictions: pl.DataFrame) -> None:
        """Warn of everything that a user of predictions should know."""
        n_failed = predictions.filter(status="failed").height
        n_notes = predictions.filter(pl.col("message").is_not_null(), status="ok").height
        runs = counted(len(predictions), "run")
        for number, what in ((n_failed, "failed"), (n_notes, "predicted with a note")):
            if number:
                warn(f"{number:,} of {runs} {what}: see the column message")
        for note in batch_notes(predictions, self.prevalence):
            warn(note)
        if not self.facts["calibrated"]:
            warn(UNCALIBRATED)

    def submission(self, campaign: Campaign, predictions: pl.DataFrame) -> pl.DataFrame:
        """Put predictions into the format that the competition of a campaign asks for.

        Warns (`gale.GaleWarning`) if the training prevalence stands in for runs that failed.

        Parameters
        ----------
        campaign : Campaign
        predictions : DataFrame
            What :meth:`predict` returned for it.

        Returns
        -------
        DataFrame
            The runs and families of ``submission_format.csv``, in its order, with the training
            prevalence for runs that failed.

        Raises
        ------
        CampaignError
            If the campaign has no such file, or it asks for a family that the model lacks.
        """
        wanted = campaign.submission_families
        if campaign.submission is None:
            raise CampaignError(
                campaign.root, "has no submission_format.csv", "a campaign of the competition"
            )
        if unknown := [name for name in wanted if name not in self.families]:
            raise CampaignError(
                campaign.root / "submission_format.csv",
                f"asks for {listed(unknown)}",
                f"families of {self.source}: {listed(self.families)}",
                "use a model of these families",
            )
        asked = pl.DataFrame({"sample_id": campaign.submission})
        found = asked.join(
            predictions, how="left", left_on="sample_id", right_on="run", maintain_order="left"
        ).select("sample_id", *wanted)
        if n_missing := len(found) - len(found.drop_nulls()):
            runs = counted(n_missing, "run")
            warn(f"the training prevalence stands in for {runs} without a prediction")
        return found.with_columns(pl.col(name).fill_null(self.prevalence[name]) for name in wanted)


def _columns(
    names: Sequence[str], values: Floats32, rows: NDArray[np.bool_]
) -> dict[str, pl.Series]:
    """Make columns of R rows: the values (R', K) in the chosen rows (R,), null elsewhere."""
    all_rows = np.full((len(rows), len(names)), np.nan)
    all_rows[rows] = values
    return {
        name: pl.Series(all_rows[:, at], nan_to_null=True, dtype=pl.Float64)
        for at, name in enumerate(names)
    }
