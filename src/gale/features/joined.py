"""Joined features: those of several specs one after another, for parts that see different ones.

The first spec is the one that evidence over time is of, if the model has an elution network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from gale.features.spec import FeatureSpec
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.schema import PLAIN_TABLE, Table, Value
from gale.run import Floats32, Run

KIND, VERSION = "joined", 1
"""Name of these features in a model file. The version rises when their meaning changes."""

MOST = 64
"""Largest number of specs, so that no model file asks for more memory than there is."""


def _are_specs(values: Any) -> bool:
    return (
        isinstance(values, list)
        and 2 <= len(values) <= MOST
        and all(PLAIN_TABLE.fits(each) and each.get("kind") != KIND for each in values)
    )


SCHEMA = Table({"specs": Value(f"2 to {MOST} tables of features, none of them joined", _are_specs)})
"""What a model file states of these features."""


@dataclass(frozen=True)
class JoinedSpec:
    """Features of several specs, one after another.

    Parameters
    ----------
    specs : tuple of FeatureSpec
        Two or more, none of them joined.

    Examples
    --------
    >>> from gale.features.profile import ProfileSpec
    >>> from gale.features.summary import SummarySpec
    >>> joined = JoinedSpec((ProfileSpec(), SummarySpec(mz=(43, 57))))
    >>> joined.n_features, joined.columns[1], list(joined.blocks)[2:4]
    (752, slice(738, 752, None), ['loss', '2.mean'])
    """

    specs: tuple[FeatureSpec, ...]

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features in any spec, increasing."""
        return tuple(sorted({mz for spec in self.specs for mz in spec.mz}))

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        return sum(spec.n_features for spec in self.specs)

    @property
    def columns(self) -> tuple[slice, ...]:
        """Position of the features of each spec in the vector."""
        ends = list(accumulate(spec.n_features for spec in self.specs))
        return tuple(map(slice, (0, *ends[:-1]), ends))

    @property
    def blocks(self) -> dict[str, slice]:
        """Position of each block in the vector; those after the first spec have its number."""
        return {
            name if number == 1 else f"{number}.{name}": slice(
                columns.start + block.start, columns.start + block.stop
            )
            for number, (spec, columns) in enumerate(
                zip(self.specs, self.columns, strict=True), start=1
            )
            for name, block in spec.blocks.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        specs = [spec.to_dict() for spec in self.specs]
        return {"kind": KIND, "version": VERSION, "specs": specs}

    @classmethod
    def from_dict(
        cls,
        values: Mapping[str, Any],
        source: str,
        read: Callable[[Mapping[str, Any], str], FeatureSpec],
    ) -> JoinedSpec:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Each of its specs is made by `read`.

        Raises
        ------
        ModelError
            If this version of gale does not compute these features.
        """
        check_version(values, KIND, VERSION, SCHEMA, source)
        return cls(tuple(read(each, source) for each in values["specs"]))

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, shape (D,), float32, always finite.

        Raises
        ------
        ReadError
            If the features of any spec leave out every ion of the run.
        """
        return np.concatenate([spec.features_of(run) for spec in self.specs])


def specs_of(spec: FeatureSpec) -> tuple[FeatureSpec, ...]:
    """Return the specs that features are joined of, or the only one.

    Examples
    --------
    >>> from gale.features.summary import SummarySpec
    >>> [each.n_features for each in specs_of(SummarySpec(mz=(43, 57)))]
    [14]
    """
    return spec.specs if isinstance(spec, JoinedSpec) else (spec,)


def kinds_of(spec: FeatureSpec) -> str:
    """Name the kinds of features, for messages.

    Examples
    --------
    >>> from gale.features.profile import ProfileSpec
    >>> from gale.features.summary import SummarySpec
    >>> kinds_of(JoinedSpec((ProfileSpec(), SummarySpec())))
    'profile + summary'
    """
    return " + ".join(dict.fromkeys(each.to_dict()["kind"] for each in specs_of(spec)))
