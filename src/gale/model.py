"""A model: what training writes and prediction reads, one file. Nothing here needs torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gale.campaign import Campaign
from gale.errors import ModelError
from gale.features import Source, summarise_runs
from gale.features.cache import Cache
from gale.features.summary import SummarySpec
from gale.output import writing
from gale.run import Run

FORMAT = 1
"""Number of the file format; raised only when older versions of gale could not use a new file."""

METADATA_KEY = "gale"

_ONNX_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
)

ROWS_AT_ONCE = 1024
"""Runs that go through the graph together, which bounds its memory."""


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
        self._session = _open_session(data, source)
        self.facts: Mapping[str, Any] = MappingProxyType(_read_facts(self._session, source))
        features = self.facts["features"]
        self.spec = SummarySpec(tuple(features["mz"]), features["mz_min"], features["mz_max"])

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
    def prevalence(self) -> NDArray[np.float64]:
        """Share of the training runs that hold each family, shape (K,)."""
        return np.array(self.facts["prevalence"], dtype=np.float64)

    def predict_features(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict from summary features (R, D) that were computed with :attr:`spec`.

        Returns
        -------
        probability : array of shape (R, K)
        member_probability : array of shape (E, R, K)
        """
        names = ["probability", "member_probability"]
        parts = [
            self._session.run(names, {"summary": features[start : start + ROWS_AT_ONCE]})
            for start in range(0, max(len(features), 1), ROWS_AT_ONCE)
        ]
        probability, member_probability = zip(*parts, strict=True)
        return np.concatenate(probability), np.concatenate(member_probability, axis=1)

    def predict(
        self,
        runs: Campaign | Sequence[str | Path | Run],
        *,
        columns: Mapping[str, str] | None = None,
        executor: Executor | None = None,
        cache: Cache | None = None,
        advance: Callable[[], object] = lambda: None,
    ) -> pl.DataFrame:
        """Predict runs: files, runs in memory, or a campaign.

        Parameters
        ----------
        runs : Campaign, or sequence of length R of paths and Runs
        columns : mapping, optional
            Names of the columns of tables; those of the training campaign by default.
        executor, cache, advance
            As for `gale.features.summarise_runs`.

        Returns
        -------
        DataFrame
            One row a run, in the order given: ``run``, ``status`` (``ok`` or ``failed``),
            ``message`` (why it failed), then a column for each family, and for each
            ``<family>_spread``, the standard deviation over members; null where the run failed,
            and the spread where there is one member only.
        """
        if isinstance(runs, Campaign):
            columns = columns or runs.columns
            names, sources = list(runs.runs), list[Source](runs.paths)
        else:
            sources = [run if isinstance(run, Run) else Path(run) for run in runs]
            names = [run.source if isinstance(run, Run) else str(run) for run in sources]
        table = summarise_runs(
            sources,
            self.spec,
            columns=columns or self.facts["columns"],
            executor=executor,
            cache=cache,
            advance=advance,
        )
        probability, member_probability = self.predict_features(table.values[table.ok])
        spread = member_probability.std(axis=0)
        if len(member_probability) < 2:
            spread[:] = np.nan
        return pl.DataFrame(
            {
                "run": pl.Series(names, dtype=pl.String),
                "status": pl.Series(["ok" if ok else "failed" for ok in table.ok], dtype=pl.String),
                "message": pl.Series(table.messages, dtype=pl.String),
                **_columns(self.families, probability, table.ok),
                **_columns([f"{name}_spread" for name in self.families], spread, table.ok),
            }
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


def _open_session(data: bytes, source: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are raised; its log would be noise
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _ONNX_ERRORS:
        raise ModelError(
            f"{source}: is not an ONNX file, or a damaged one ({len(data):,} bytes); "
            "expected a model written by gale train"
        ) from None


def _read_facts(session: onnxruntime.InferenceSession, source: str) -> dict[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{source}: is an ONNX file, but not one of gale's; "
            "expected a model written by gale train"
        )
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ModelError(
            f"{source}: is a damaged model: what it says of itself is not a JSON object; "
            "expected a model written by gale train"
        )
    if (found := facts.get("format")) != FORMAT:
        raise ModelError(
            f"{source}: is a model of format {found}; this version of gale reads format {FORMAT}; "
            "install the version that the model names "
            f"({facts.get('gale_version', 'not stated')}), or train again"
        )
    return facts
