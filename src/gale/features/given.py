"""Given features: columns of a table that somebody else computed, such as a step of a pipeline.

A model of them predicts from such tables alone, since gale cannot compute them of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gale.errors import ReadError
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.schema import NAME, ListOf, Table
from gale.run import Floats32, Run

KIND, VERSION = "given", 1
"""Name of these features in a model file. The version rises when their meaning changes."""

SCHEMA = Table({"names": ListOf(NAME)})
"""What a model file states of these features."""


@dataclass(frozen=True)
class GivenSpec:
    """Features that are given.

    Parameters
    ----------
    names : tuple of str, length D

    Examples
    --------
    >>> GivenSpec(("weight", "colour")).n_features
    2
    """

    names: tuple[str, ...]

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features: none that is known."""
        return ()

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        return len(self.names)

    @property
    def blocks(self) -> dict[str, slice]:
        """Blocks of one unit: none that is known, so each feature is scaled by itself."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Return what a model file states."""
        return {"kind": KIND, "version": VERSION, "names": list(self.names)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> GivenSpec:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Raises
        ------
        ModelError
            If the description is damaged.
        """
        check_version(values, KIND, VERSION, SCHEMA, source)
        return cls(tuple(values["names"]))

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> Floats32:
        """Refuse a run.

        Raises
        ------
        ReadError
            Always.
        """
        raise ReadError(
            run.source,
            "is a run, and the model was trained on features that were given to it",
            f"a table of {self.n_features:,} features",
            "call predict_proba of the estimator or pipeline that was fitted",
        )
