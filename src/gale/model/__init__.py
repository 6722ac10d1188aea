"""A model: one file, written by training and read by prediction. Nothing here needs torch."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import CampaignError, ModelError, TableError, warn
from gale.features import FeatureTable, PathOrRun, compute_features
from gale.features.events import EventSpec
from gale.features.joined import specs_of
from gale.features.kinds import feature_spec
from gale.features.versions import TRAIN_AGAIN
from gale.inspection.batch import batch_notes
from gale.inspection.verdict import is_too_short, verdict
from gale.model.cutoffs import At, Cutoffs, find_cutoffs
from gale.model.facts import MODEL_FILE
from gale.model.file import EVIDENCE, NOVELTY, OUTPUTS, check_shapes, open_file, run_graph
from gale.model.novelty import novel_notes
from gale.model.unlike import elsewhere_notes, unlike_notes
from gale.plumbing.arguments import check_kind
from gale.plumbing.display import ShownInNotebooks
from gale.plumbing.files import writing
from gale.plumbing.frames import Tabular, frame_of
from gale.plumbing.kinds import checked, checked_but
from gale.plumbing.reading import read_bytes
from gale.plumbing.remote import address_of
from gale.plumbing.tables import DOUBTFUL, FAILED, OK, SPREAD, TRAINED_ON, UNLIKE
from gale.plumbing.text import counted, display_name, listed
from gale.plumbing.work import Work
from gale.readers import DIGITS
from gale.readers.tables.headers import RememberedColumns
from gale.run import Floats32, Run

LOG = logging.getLogger("gale.model")

Runs = Campaign | Sequence[str | Path | Run] | str | Path | Run
"""What can be predicted: a campaign, paths and runs in memory, or one of these."""

FEW_RUNS = 30
"""From fewer training runs, a model learns little about other runs."""

FEW_POSITIVES = 30
"""A family with fewer positive training runs is reported as learned from few."""

BATCH_VALUES = 2**21
"""Features that go through the graph at once, counted over runs; it bounds the memory."""

MOST_SAID = 4
"""Sentences of a message; further ones are counted."""

UNCALIBRATED = (
    "these are scores from 0 to 1, trained as probabilities but not calibrated on held-out runs"
)
"""What has to be said of the predictions of a model without calibration."""


class Model(ShownInNotebooks):
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

    @checked
    def __init__(self, data: bytes, source: str = "memory") -> None:
        self._data = data
        self.source = source
        self._session, facts = open_file(data, source)
        self.facts: Mapping[str, Any] = MappingProxyType(facts)
        self.spec = feature_spec(facts["features"], source)
        check_shapes(self._session, self.spec, facts, source)

    @classmethod
    @checked
    def load(cls, path: str | Path) -> Model:
        """Read a model file, also at an address such as ``s3://bucket/model.onnx``.

        Raises
        ------
        ModelError
            If the file cannot be read, or is not a model that this version of gale can use.
        """
        source = address_of(path) or str(path)
        try:
            data = read_bytes(path)
        except OSError as error:
            raise ModelError(
                source,
                f"cannot be read ({error.strerror})",
                "a model file (.onnx)",
                getattr(error, "remedy", "check the path"),
            ) from None
        model = cls(data, source)
        LOG.info("model %s: SHA-256 %s", source, model.sha256)
        return model

    @checked
    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model file, completely or not at all.

        Raises
        ------
        OutputError
            If the file exists and `force` is false, or cannot be written.
        """
        with writing(Path(path), force=force) as temporary:
            temporary.write_bytes(self._data)

    def __reduce__(self) -> tuple[type[Model], tuple[bytes, str]]:
        return Model, (self._data, self.source)

    def __repr__(self) -> str:
        return (
            f"<Model {self.facts['recipe']['name']}: "
            f"{counted(len(self.families), 'family', 'families')}, "
            f"{counted(self.facts['members'], 'member')}, "
            f"trained on {counted(self.facts['training']['runs'], 'run')}>"
        )

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal digits, by which its predictions name it."""
        return hashlib.sha256(self._data).hexdigest()

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self._data

    @property
    def has_checksum(self) -> bool:
        """Whether the file has a checksum; damage of older ones may go unnoticed."""
        return "checksum" in self.facts

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families, in the order of all outputs."""
        return tuple(self.facts["families"])

    @property
    def prevalence(self) -> dict[str, float]:
        """Training prevalence of each family: the share of the training runs that hold it."""
        return dict(zip(self.families, self.facts["prevalence"], strict=True))

    @property
    def number(self) -> str:
        """What one of its numbers is called: ``probability``, or ``score`` if not calibrated."""
        return "probability" if self.facts["calibrated"] else "score"

    @property
    def numbers(self) -> str:
        """The plural of :attr:`number`."""
        return "probabilities" if self.facts["calibrated"] else "scores"

    @property
    def caution(self) -> str:
        """What has to be said with everything that the model gives; empty for most models.

        The one that comes with gale learned from simulated runs alone; its log loss was measured on
        campaigns of another simulator, beside that of their training prevalence. Others may have
        learned from fewer than :data:`FEW_RUNS` runs.
        """
        bundled = self.facts.get("bundled")
        if bundled is None:
            n_runs = self.facts["training"]["runs"]
            if n_runs >= FEW_RUNS:
                return ""
            only = counted(n_runs, "run")
            return f"{self.source} was trained on only {only}, and may know these alone"
        said = [f"{self.source} learned from simulated runs alone"]
        if corrected := self.facts.get("recalibrated"):
            runs = counted(corrected["runs"], "labelled run")
            said.append(f"its probabilities were corrected on {runs} of {corrected['campaign']}")
        elif foreign := bundled["foreign"]:
            own, prior = (
                " and ".join(f"{each[key]:.2f}" for each in foreign)
                for key in ("log_loss", "prior")
            )
            campaigns = counted(len(foreign), "campaign")
            said.append(
                f"on {campaigns} of another simulator its log loss is {own} (of their training "
                f"prevalence: {prior})"
            )
        said.append("take its numbers for hints, and train on runs of your own with gale.train")
        return "; ".join(said)

    def predict_features(self, features: Floats32) -> tuple[Floats32, Floats32]:
        """Predict from features (R, D), computed with :attr:`spec`.

        Returns
        -------
        probability : array of shape (R, K)
        member_probability : array of shape (E, R, K)

        Raises
        ------
        ModelError
            If they are not as many features as the model has, or not all finite.
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
        _check_finite("features", features)
        probability, member_probability, unlike, _ = self._predict(features)
        if bad := next(filter(None, self._faults(probability, member_probability, unlike)), ""):
            raise ModelError(self.source, bad, MODEL_FILE, TRAIN_AGAIN)
        return probability, member_probability

    def _predict(self, features: Floats32) -> tuple[Floats32, Floats32, Floats32, Floats32]:
        """Probability (R, K), that of each member (E, R, K), distance and novelty, both (R,).

        They are of features (R, D). The distance is that from the training runs, see
        `gale.model.unlike`, the novelty that of what is in the runs, see `gale.matching.novelty`;
        NaN if the model does not measure them. A run has the same probabilities whichever others it
        is predicted with; the others may differ by rounding.
        """
        n_runs, further = len(features), self.further_outputs
        if n_runs % self._rows_at_once == 1:  # a product of one row is rounded in another way
            features = np.concatenate([features, features[-1:]])
        probability, members, *others = self._run([*OUTPUTS, *further], features)
        nothing = np.full(n_runs, np.nan, np.float32)
        found = {
            name: np.concatenate(each)[:n_runs] for name, each in zip(further, others, strict=True)
        }
        return (
            np.concatenate(probability)[:n_runs],
            np.concatenate(members, axis=1)[:, :n_runs],
            found.get(UNLIKE, nothing),
            found.get(NOVELTY, nothing),
        )

    @property
    def _rows_at_once(self) -> int:
        """Number of runs that go through the graph at once."""
        return max(BATCH_VALUES // self.spec.n_features, 2)

    @cached_property
    def _content(self) -> frozenset[str]:
        """What names the content of the training runs; empty for a model of an older gale."""
        return frozenset(self.facts["training"].get("content", ()))

    def is_trained_on(self, *checksums: str) -> bool:
        """Whether the model was trained on what has one of these SHA-256, as far as it knows.

        They are those of the content of a run, and of its file, by which models of an older gale
        know packed ones.
        """
        return any(each[:DIGITS] in self._content for each in checksums if each)

    def _known(self, table: FeatureTable) -> list[tuple[str, ...]]:
        """Say of each run whether the model was trained on its content, if it knows."""
        return [
            (TRAINED_ON,) if self.is_trained_on(*each) else ()
            for each in zip(table.contents, table.checksums, strict=True)
        ]

    def _faults(
        self, probability: Floats32, member_probability: Floats32, unlike: Floats32
    ) -> list[str]:
        """Say, for each of R runs, which of its numbers is none that a model may give; else empty.

        Probabilities, also those of members, are from 0 to 1, a distance is 0 or more.
        """
        low = np.minimum(probability, member_probability.min(axis=0, initial=1.0))
        high = np.maximum(probability, member_probability.max(axis=0, initial=0.0))
        fits = (low >= 0) & (high <= 1)  # false, too, where one is NaN
        faults = [""] * len(fits)
        for row in np.flatnonzero(~fits.all(axis=1)):
            family = int(np.argmin(fits[row]))
            value = high[row, family] if low[row, family] >= 0 else low[row, family]
            faults[row] = f"gives {self.families[family]} the {self.number} {value:g}"
        if self.has_distance:
            for row in np.flatnonzero(~(np.isfinite(unlike) & (unlike >= 0))):
                faults[row] = faults[row] or f"gives the distance {unlike[row]:g}"
        return faults

    @checked
    def evidence(self, run: Run) -> pl.DataFrame:
        """Score each family over time, with the elution network.

        The model that comes with gale has a matching network besides, which counts, too.

        Parameters
        ----------
        run : Run

        Returns
        -------
        DataFrame
            One row for each spectrum that the network looks at, at most N, in order of time:
            ``time_min``, then a column for each family, 0 to 1. These are uncalibrated scores of
            single spectra.

        Raises
        ------
        ModelError
            If the model has no elution network.
        ReadError
            If the model's features leave out every ion of the run.
        """
        spec = self.event_spec
        of_events, times = spec.describe(run)
        features = np.zeros((1, self.spec.n_features), dtype=np.float32)
        features[:, : spec.n_features] = of_events
        ((evidence,),) = self._run([EVIDENCE], features)
        self._check_evidence(evidence)
        scores = evidence[0, : len(times)]
        columns = {name: scores[:, at] for at, name in enumerate(self.families)}
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
            If the model has no elution network, or the spectra have another number of m/z or are
            not all finite.
        """
        spec = self.event_spec
        (n_events, n_mz), wanted = spec.shape, len(spectra)
        if np.shape(spectra) != (wanted, n_mz):
            raise ModelError(
                self.source,
                f"sees {n_mz} m/z, not an array of shape {np.shape(spectra)}",
                f"an array of shape (N', {n_mz}), from m/z {spec.mz[0]} on",
            )
        _check_finite("spectra", spectra)
        features = np.zeros((-(-wanted // n_events), self.spec.n_features), dtype=np.float32)
        padded = np.zeros((len(features) * n_events, n_mz), dtype=np.float32)
        padded[:wanted] = spectra
        columns = slice(spec.profile.n_features, spec.n_features)
        features[:, columns] = padded.reshape(len(features), -1)
        (batches,) = self._run([EVIDENCE], features)
        evidence = np.concatenate(batches)
        self._check_evidence(evidence)
        return evidence.reshape(-1, len(self.families))[:wanted]

    def _check_evidence(self, evidence: Floats32) -> None:
        """Refuse evidence that is not a score from 0 to 1."""
        if not ((evidence >= 0) & (evidence <= 1)).all():
            raise ModelError(
                self.source, "gives evidence that is not from 0 to 1", MODEL_FILE, TRAIN_AGAIN
            )

    @property
    def has_elution_network(self) -> bool:
        """Whether the model can say when a family elutes."""
        return self._events is not None

    @property
    def has_distance(self) -> bool:
        """Whether the model measures how far a run is from the training runs."""
        return UNLIKE in self._output_names

    @property
    def further_outputs(self) -> list[str]:
        """Outputs (R,) that not all models have: the distance of runs, and their novelty."""
        return sorted({UNLIKE, NOVELTY} & self._output_names)

    @property
    def far(self) -> float | None:
        """Distance from which only the calibration for other instruments counts, if it has one."""
        elsewhere = self.facts.get("elsewhere", {})
        return float(elsewhere["far"]) if "calibration" in elsewhere else None

    @property
    def remembered_columns(self) -> RememberedColumns | None:
        """Names of columns that the tables of the training had; other tables may have none."""
        columns = self.facts["columns"]
        return RememberedColumns(columns) if columns else None

    @property
    def event_spec(self) -> EventSpec:
        """The features that the elution network looks at: the first, where several are joined.

        Raises
        ------
        ModelError
            If the model has no elution network, and so no evidence over time.
        """
        if self._events is None:
            raise ModelError(
                self.source,
                "has no elution network, so it cannot say when a family elutes",
                "a model with one",
                "train with a recipe that has one, such as default",
            )
        return self._events

    @property
    def _events(self) -> EventSpec | None:
        """The features of the elution network; None without one."""
        spec = specs_of(self.spec)[0]
        return spec if EVIDENCE in self._output_names and isinstance(spec, EventSpec) else None

    @property
    def _output_names(self) -> set[str]:
        """Names of the outputs of the graph."""
        return {output.name for output in self._session.get_outputs()}

    def _run(self, outputs: Sequence[str], features: Floats32) -> list[tuple[Floats32, ...]]:
        """Compute outputs of the graph for features (R, D), batch by batch.

        The graph computes all its outputs in any case, so they are best asked for together.
        """
        rows = self._rows_at_once
        batches = [
            run_graph(self._session, outputs, features[start : start + rows], self.source)
            for start in range(0, max(len(features), 1), rows)
        ]
        return list(zip(*batches, strict=True))

    @checked_but("runs")
    def predict(
        self,
        runs: Runs,
        work: Work | None = None,
        *,
        at: At | None = None,
    ) -> pl.DataFrame:
        """Predict runs: files, runs in memory, or a campaign.

        Warns (`gale.GaleWarning`) of runs that failed, are doubtful or were not read as they are
        written, of a batch that differs from the training runs, of a model that is not calibrated,
        and of families without a threshold where calls are asked for.

        Parameters
        ----------
        runs : Campaign, sequence of length R of paths and Runs, or one of these
        work : Work, optional
            How and where runs are read. Its columns are by default those of the campaign, or else
            those of the training.
        at : str, Path or mapping, optional
            Cut-offs by which runs are called, see :meth:`cutoffs`.

        Returns
        -------
        DataFrame
            One row per run, in the order given: ``run``, ``status`` (``ok``, ``doubtful`` or
            ``failed``), ``message`` (why the run failed; or why its numbers are doubtful, then what
            else is odd about it, see :func:`gale.oddities`), ``unlike`` (distance from the training
            runs; 1 is their own 95th percentile, see `gale.model.unlike`), then a column for each
            family, and for each ``<family>_spread``, the standard deviation over members. Numbers
            are null if the run failed, spreads also if there is only one member, and ``unlike``
            also if the run has too few scans to be like any, or the model is too old to have it. A
            run is doubtful if it is far from the
            training runs, or none that a model of full scans can judge, such as selected-ion
            monitoring, a blank, or a file that is cut short. With `at`, ``<family>_call`` of each
            family follows: ``yes``, ``no``, or null where there is no threshold, or the run failed
            or is doubtful.

        Raises
        ------
        GaleError
            If `runs` has something else in it, a process of the executor ends from outside, or
            there are no such cut-offs.
        """
        cutoffs = None if at is None else self.cutoffs(at)
        predictions = self.predict_read(runs, work)[0]
        if cutoffs is None:
            return predictions
        for note in cutoffs.notes():
            warn(note)
        return cutoffs.call(predictions)

    @checked
    def cutoffs(self, at: At) -> Cutoffs:
        """Find the thresholds from which on runs are called positive.

        Parameters
        ----------
        at : str, Path or mapping
            What thresholds are to reach on held-out runs of the training: ``"precision=0.9"``,
            ``"recall=0.9"`` (or any other number up to 1) or ``"f1"``, the best F1. Or thresholds
            of your own: a TOML file (a path, or a name that ends in ``.toml``) or a mapping, with
            a number or such an aim for each family. A family that it lacks has no threshold.

        Returns
        -------
        Cutoffs

        Raises
        ------
        ModelError
            If an aim is asked for, and the model is too old to have cut-offs.
        TableError
            If the file or mapping has an unknown family, or something else for one.
        GaleError
            If it is none of these.

        Examples
        --------
        Here ``model_file`` is the path of a small model.

        >>> from gale import Model
        >>> model = Model.load(model_file)
        >>> cutoffs = model.cutoffs({"alcohol": 0.4, "mineral": 0.7})
        >>> cutoffs.thresholds["alcohol"], cutoffs.missing["aromatic"]
        (0.4, 'no threshold in the mapping at')
        """
        return find_cutoffs(self.facts, at, self.source)

    def predict_read(
        self, runs: Runs, work: Work | None = None
    ) -> tuple[pl.DataFrame, FeatureTable]:
        """Predict runs as :meth:`predict` does, and say from which bytes.

        Returns
        -------
        predictions : DataFrame
        table : FeatureTable
            What was read of each run; by its checksums, what is said of a run later is known to be
            of the same bytes.
        """
        names, sources, work = self.sources_of(runs, work)
        work.progress.begin("predicting", len(sources))
        predictions, table, n_noted = self.predict_sources(names, sources, work)
        self._warn_of(predictions, n_noted)
        return predictions, table

    def predict_sources(
        self, names: Sequence[str], sources: Sequence[PathOrRun], work: Work
    ) -> tuple[pl.DataFrame, FeatureTable, int]:
        """Predict what :meth:`sources_of` lists, without warnings.

        Returns
        -------
        predictions, table
            As of :meth:`predict_read`.
        n_noted : int
            How many runs that are ``ok`` were not read as they are written.
        """
        table = compute_features(sources, self.spec, work, look=verdict)
        probability, member_probability, unlike, novelty = self._predict(table.values[table.ok])
        faults = self._faults(probability, member_probability, unlike)
        errors, ok = list(table.errors), table.ok.copy()
        for row, fault in zip(np.flatnonzero(table.ok), faults, strict=True):
            if fault:
                errors[row], ok[row] = f"{self.source}: {fault}; {TRAIN_AGAIN}", False
        sound = [not fault for fault in faults]
        spread = member_probability[:, sound].std(axis=0)
        if len(member_probability) < 2:
            spread[:] = np.nan
        beside = np.stack([unlike, novelty], axis=1)
        beside[[is_too_short(said) for said in compress(table.weighty, table.ok)]] = np.nan
        of_run = _columns([UNLIKE, NOVELTY], beside[sound], ok)
        far = [unlike_notes(each) for each in of_run[UNLIKE]]
        weighty = [said + more for said, more in zip(table.weighty, far, strict=True)]
        own = [
            (*elsewhere_notes(distance, self.far), *novel_notes(novelty))
            for distance, novelty in zip(of_run[UNLIKE], of_run[NOVELTY], strict=True)
        ]
        messages = [
            error or _message((*known, *first, *of_model, *notes, *others))
            for error, known, first, of_model, notes, others in zip(
                errors, self._known(table), weighty, own, table.notes, table.others, strict=True
            )
        ]
        status = [
            FAILED if error else DOUBTFUL if first else OK
            for error, first in zip(errors, weighty, strict=True)
        ]
        predictions = pl.DataFrame(
            {
                "run": pl.Series(names, dtype=pl.String),
                "status": pl.Series(status, dtype=pl.String),
                "message": pl.Series(messages, dtype=pl.String),
                UNLIKE: of_run[UNLIKE],
                **_columns(self.families, probability[sound], ok),
                **_columns([f"{name}{SPREAD}" for name in self.families], spread, ok),
            }
        )
        n_noted = sum(
            bool(notes) and each == OK for notes, each in zip(table.notes, status, strict=True)
        )
        return predictions, table, n_noted

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
            names, sources = list(runs.runs), list[PathOrRun](runs.sources)
        else:
            several = [runs] if isinstance(runs, (str, Path, Run)) else runs
            check_kind("runs", several, Iterable)
            for each in several:
                check_kind("run", each, str, Path, Run)
            sources = [run if isinstance(run, Run) else Path(run) for run in several]
            names = [run.source if isinstance(run, Run) else display_name(run) for run in sources]
        columns = work.columns or of_campaign or self.remembered_columns
        return names, sources, replace(work, columns=columns)

    def _warn_of(self, predictions: pl.DataFrame, n_notes: int) -> None:
        """Warn of everything that a user of predictions should know."""
        n_failed, n_doubtful = (
            predictions.filter(status=status).height for status in (FAILED, DOUBTFUL)
        )
        runs = counted(len(predictions), "run")
        for number, what in (
            (n_failed, "failed"),
            (n_doubtful, "doubtful"),
            (n_notes, "predicted with a note"),
        ):
            if number:
                warn(f"{number:,} of {runs} {what}: see the column message")
        notes = batch_notes(predictions, self.prevalence, self.numbers)
        for note in (*filter(None, [self.caution]), *notes):
            warn(note)
        if not self.facts["calibrated"]:
            warn(UNCALIBRATED)

    @checked
    def submission(self, campaign: Campaign, predictions: Tabular) -> pl.DataFrame:
        """Put predictions into the format that the competition of a campaign asks for.

        Warns (`gale.GaleWarning`) if the training prevalence stands in for runs that failed.

        Parameters
        ----------
        campaign : Campaign
        predictions : table, or list of tables
            What :meth:`predict` returned for it, also as a table of another library.

        Returns
        -------
        DataFrame
            The runs and families of ``submission_format.csv``, in its order, with the training
            prevalence for runs that failed.

        Raises
        ------
        CampaignError
            If the campaign has no such file, or it asks for a family that the model lacks.
        TableError
            If the predictions lack a family, have a run twice, or none that is asked for.
        """
        predictions = frame_of(predictions, "predictions")
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
        _check_asked(predictions, campaign.submission, wanted)
        asked = pl.DataFrame({"sample_id": campaign.submission})
        found = asked.join(
            predictions, how="left", left_on="sample_id", right_on="run", maintain_order="left"
        ).select("sample_id", pl.col(wanted).fill_nan(None))
        if n_missing := len(found) - len(found.drop_nulls()):
            runs = counted(n_missing, "run")
            warn(f"the training prevalence stands in for {runs} without a prediction")
        return found.with_columns(pl.col(name).fill_null(self.prevalence[name]) for name in wanted)


def _check_asked(predictions: pl.DataFrame, asked: Sequence[str], families: Sequence[str]) -> None:
    """Refuse predictions from which no submission can be made."""
    if lacking := [name for name in ("run", *families) if name not in predictions.columns]:
        found = f"have no column {listed(lacking)}"
    elif (
        twice := predictions.filter(pl.col("run").is_duplicated())["run"].unique().sort().to_list()
    ):
        found = f"have more than one row for {listed(twice, 3)}"
    elif len(asked) and not predictions["run"].is_in(list(asked)).any():
        found = f"have none of the {counted(len(asked), 'run')} that are asked for"
    else:
        return
    raise TableError(
        "predictions",
        found,
        "one row for each run of the campaign, as Model.predict gives them",
        "pass model.predict(campaign)",
    )


def _check_finite(what: str, values: Floats32) -> None:
    """Refuse numbers that are NaN or infinite, of which a graph makes NaN."""
    if bad := int(np.count_nonzero(~np.isfinite(values))):
        numbers = counted(bad, "number that is", "numbers that are")
        raise ModelError(what, f"have {numbers} NaN or infinite", "finite numbers")


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


def _message(sentences: Sequence[str]) -> str | None:
    """Join sentences on a run, the weightiest first."""
    said = list(sentences[:MOST_SAID])
    if (more := len(sentences) - MOST_SAID) > 0:
        said.append(f"and {counted(more, 'more oddity', 'more oddities')}")
    return "; ".join(said) or None
