"""A model: what training writes and prediction reads, one file. Nothing here needs torch."""

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
from gale.errors import CampaignError, ModelError
from gale.features import Source, compute_features
from gale.features.events import EventSpec
from gale.features.spec import feature_spec
from gale.model.file import EVIDENCE, OUTPUTS, check_shapes, open_session, read_facts
from gale.model.unlike import unlike_notes
from gale.plumbing.files import writing
from gale.plumbing.tables import UNLIKE
from gale.plumbing.text import display_name
from gale.plumbing.work import Work
from gale.run import Run

FEW = 30
"""A family with fewer positive runs is said to be learned from few."""

NUMBERS_AT_ONCE = 2**21
"""Features of all runs that go through the graph together, which bounds its memory."""


class Model:
    """An ensemble and all that prediction with it needs.

    Parameters
    ----------
    data : bytes
        Content of the model file.
    source : str
        Name of the file, for messages.

    Raises
    ------
    ModelError
        If the bytes are not a model, or one of a format that this version does not know.
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
        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{path}: cannot be read ({error.strerror}); expected a model file (.onnx)"
            ) from None
        return cls(data, str(path))

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model file, whole or not at all.

        Raises
        ------
        OutputError
            If the file exists and `force` is false, or cannot be written.
        """
        with writing(Path(path), force=force) as temporary:
            temporary.write_bytes(self._data)

    def __repr__(self) -> str:
        return (
            f"<Model {self.facts['recipe']['name']}: {len(self.families)} families, "
            f"{self.facts['members']} members, trained on {self.facts['training']['runs']} runs>"
        )

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families, in the order of all outputs."""
        return tuple(self.facts["families"])

    @property
    def prevalence(self) -> dict[str, float]:
        """Share of the training runs that hold each family, by its name."""
        return dict(zip(self.families, self.facts["prevalence"], strict=True))

    def predict_features(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict from features (R, D) that were computed with :attr:`spec`.

        Returns
        -------
        probability : array of shape (R, K)
        member_probability : array of shape (E, R, K)
        """
        probability, member_probability, _ = self._outputs(features)
        return probability, member_probability

    def unlike_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say how unlike the training runs others are, of features (R, D) as above.

        Returns
        -------
        array of shape (R,)
            See `gale.model.unlike`; NaN if the model is of the time before it was measured.
        """
        return self._outputs(features)[2]

    def _outputs(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """What tables of predictions are made of, for features (R, D): (R, K), (E, R, K), (R,).

        The graph runs once for all of them: asked for one output, it still computes the others.
        """
        names = [*OUTPUTS, *{UNLIKE} & self._gives]
        probability, member_probability, *unlike = self._run(names, features)
        return (
            np.concatenate(probability),
            np.concatenate(member_probability, axis=1),
            np.concatenate(unlike[0]) if unlike else np.full(len(features), np.nan, np.float32),
        )

    def evidence(self, run: Run) -> pl.DataFrame:
        """Say which family elutes when, as far as the elution network can tell.

        Parameters
        ----------
        run : Run

        Returns
        -------
        DataFrame
            One row for each of the N spectra that the network looks at, in the order of time:
            ``time_min``, then a column for each family, 0 to 1. These are scores of single
            spectra, not calibrated.

        Raises
        ------
        ModelError
            If the model has no elution network.
        ReadError
            If no ion of the run has an m/z that counts.
        """
        features, times = self.event_spec.describe(run)
        ((of_run,),) = self._run([EVIDENCE], features[None])
        columns = {name: of_run[0, :, at] for at, name in enumerate(self.families)}
        return pl.DataFrame({"time_min": times, **columns})

    def evidence_of_spectra(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say of any spectra which families they speak for, as :meth:`evidence` does of a run's.

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
            If the model has no elution network.
        """
        spec = self.event_spec
        (n_events, n_mz), wanted = spec.shape, len(spectra)
        features = np.zeros((-(-wanted // n_events), spec.n_features), dtype=np.float32)
        padded = np.zeros((len(features) * n_events, n_mz), dtype=np.float32)
        padded[:wanted] = spectra
        features[:, spec.profile.n_features :] = padded.reshape(len(features), -1)
        (pieces,) = self._run([EVIDENCE], features)
        return np.concatenate(pieces).reshape(-1, len(self.families))[:wanted]

    @property
    def has_elution_network(self) -> bool:
        """Whether the model can say when a family elutes."""
        return EVIDENCE in self._gives and isinstance(self.spec, EventSpec)

    @property
    def event_spec(self) -> EventSpec:
        """The features that the elution network looks at.

        Raises
        ------
        ModelError
            If there is no such network, so that there is no evidence either.
        """
        if EVIDENCE not in self._gives or not isinstance(self.spec, EventSpec):
            raise ModelError(
                f"{self.source}: has no elution network, so it cannot say when a family elutes; "
                "train with a recipe that has one, as default"
            )
        return self.spec

    @property
    def _gives(self) -> set[str]:
        """Names of the outputs of the graph."""
        return {output.name for output in self._session.get_outputs()}

    def _run(
        self, outputs: Sequence[str], features: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.float32], ...]]:
        """Each of some outputs for features (R, D), in pieces of some runs each."""
        rows = max(NUMBERS_AT_ONCE // self.spec.n_features, 1)
        pieces = [
            self._session.run(outputs, {"summary": features[start : start + rows]})
            for start in range(0, max(len(features), 1), rows)
        ]
        return list(zip(*pieces, strict=True))

    def predict(
        self,
        runs: Campaign | Sequence[str | Path | Run] | str | Path | Run,
        work: Work | None = None,
    ) -> pl.DataFrame:
        """Predict runs: files, runs in memory, or a campaign.

        Parameters
        ----------
        runs : Campaign, sequence of length R of paths and Runs, or one of these
        work : Work, optional
            How and where. Its columns are by default those of the campaign, or of the training.

        Returns
        -------
        DataFrame
            One row a run, in the order given: ``run``, ``status`` (``ok`` or ``failed``),
            ``message`` (why it failed, or what is odd about the run), ``unlike`` (how unlike the
            training runs it is, see `gale.model.unlike`), then a column for each family, and each
            ``<family>_spread``, the standard deviation over members. Numbers are null where the
            run failed, spreads where there is one member only, and ``unlike`` where the model is
            of the time before it was measured.
        """
        work = work or Work()
        columns = work.columns or self.facts["columns"]
        if isinstance(runs, Campaign):
            columns = work.columns or runs.columns or columns
            names, sources = list(runs.runs), list[Source](runs.paths)
        else:
            several = [runs] if isinstance(runs, (str, Path, Run)) else runs
            sources = [run if isinstance(run, Run) else Path(run) for run in several]
            names = [run.source if isinstance(run, Run) else display_name(run) for run in sources]
        work.progress.begin("predicting", len(sources))
        table = compute_features(sources, self.spec, replace(work, columns=columns))
        probability, member_probability, unlike = self._outputs(table.values[table.ok])
        spread = member_probability.std(axis=0)
        if len(member_probability) < 2:
            spread[:] = np.nan
        likeness = _columns([UNLIKE], unlike[:, None], table.ok)
        messages = [
            error or "; ".join((*notes, *unlike_notes(each))) or None
            for error, notes, each in zip(table.errors, table.notes, likeness[UNLIKE], strict=True)
        ]
        return pl.DataFrame(
            {
                "run": pl.Series(names, dtype=pl.String),
                "status": pl.Series(["ok" if ok else "failed" for ok in table.ok], dtype=pl.String),
                "message": pl.Series(messages, dtype=pl.String),
                **likeness,
                **_columns(self.families, probability, table.ok),
                **_columns([f"{name}_spread" for name in self.families], spread, table.ok),
            }
        )

    def submission(self, campaign: Campaign, predictions: pl.DataFrame) -> pl.DataFrame:
        """Put predictions into the form that the competition of a campaign asks for.

        Parameters
        ----------
        campaign : Campaign
        predictions : DataFrame
            What :meth:`predict` gave for it.

        Returns
        -------
        DataFrame
            The runs and families of ``submission_format.csv`` in its order. The training
            prevalence stands in for runs that failed.

        Raises
        ------
        CampaignError
            If the campaign has no such format, or it asks for a family that the model has not.
        """
        wanted = campaign.submission_families
        if campaign.submission is None or not set(wanted) <= set(self.families):
            raise CampaignError(
                f"{campaign.root}: asks in submission_format.csv for "
                f"{', '.join(wanted) or 'nothing'}; expected families of the model: "
                f"{', '.join(self.families)}"
            )
        return (
            pl.DataFrame({"sample_id": campaign.submission})
            .join(predictions, left_on="sample_id", right_on="run", maintain_order="left")
            .select(
                "sample_id", *(pl.col(name).fill_null(self.prevalence[name]) for name in wanted)
            )
        )


def _columns(
    names: Sequence[str], values: NDArray[np.float32], rows: NDArray[np.bool_]
) -> dict[str, pl.Series]:
    """Spread the values (R', K) of some rows over columns of all rows, null elsewhere."""
    spread_out = np.full((len(rows), len(names)), np.nan)
    spread_out[rows] = values
    return {
        name: pl.Series(spread_out[:, at], nan_to_null=True, dtype=pl.Float64)
        for at, name in enumerate(names)
    }
