"""How good calls are: the yes and no of a table of predictions against labels.

Symbols: R runs, K families.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gale.evaluation.cutoffs import share
from gale.run import Floats, Integers


@dataclass(frozen=True, eq=False)
class Calls:
    """Counts of the runs whose label of a family is known, arrays of shape (K,).

    Parameters
    ----------
    families : tuple of str, length K
    yes : array
        Called present.
    found : array
        Called present that are.
    positive : array
        Present, whether called so or not.
    blank : array
        Runs without a call, which do not count for the others.

    Examples
    --------
    >>> labels, calls = np.array([[1.0, 0, 1, 1]]).T, np.array([[1, 1, 0, np.nan]]).T
    >>> calls = Calls.of(labels, calls, ("a",))
    >>> calls.to_dicts()[0]["precision"], calls.to_dicts()[0]["blank"]
    ([0.5, 0.0945, 0.9055], 1)
    """

    families: tuple[str, ...]
    yes: Integers
    found: Integers
    positive: Integers
    blank: Integers

    @classmethod
    def of(cls, labels: Floats, calls: Floats, families: tuple[str, ...]) -> Calls:
        """Count calls against labels, (R, K) each: 1, 0, or NaN where there is none."""
        known = np.isfinite(labels)
        called = known & np.isfinite(calls)
        yes, positive = called & (calls == 1), called & (labels == 1)
        counts = (yes, yes & positive, positive, known & ~called)
        return cls(families, *(each.sum(axis=0) for each in counts))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a table as JSON can hold it, with shares as `gale.evaluation.cutoffs.share`."""
        counts = {
            name: getattr(self, name).tolist() for name in ("yes", "found", "positive", "blank")
        }
        rows = [dict(zip(counts, each, strict=True)) for each in zip(*counts.values(), strict=True)]
        return [
            {
                "family": family,
                **row,
                "precision": share(row["found"], row["yes"]),
                "recall": share(row["found"], row["positive"]),
            }
            for family, row in zip(self.families, rows, strict=True)
        ]
