"""How near to 0 or 1 a probability may be: as near as the training runs support.

After n runs of which a share p held something, Jeffreys' prior for a share expects it in the next
run with the probability (Jeffreys 1946, Proceedings of the Royal Society A 186, 453; Krichevsky &
Trofimov 1981, IEEE Transactions on Information Theory 27, 199)::

    (n p + 1/2) / (n + 1)

An ensemble's probability is taken for such a p, of the n training runs in which the label of the
family is known. So none is nearer to 0 or 1 than 1 / (2 (n + 1)), and whoever is wrong at the end
of the scale loses at most ln(2 (n + 1)). Where a model is right, it costs less than 1 / (2 (n + 1))
of log loss. No two probabilities become equal and none change places, as they would if they were
cut off.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gale.run import Floats


@dataclass(frozen=True, eq=False)
class Support:
    """The number of training runs, n, that support the probabilities of each family.

    Parameters
    ----------
    n_runs : array of shape (K,)
        Without runs, nothing is supported but 1/2.

    Examples
    --------
    >>> support = Support.of([9, 999])
    >>> support.apply([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]).round(6).tolist()
    [[0.05, 0.0005], [0.5, 0.5], [0.95, 0.9995]]
    """

    n_runs: Floats

    @classmethod
    def of(cls, n_runs: Sequence[int]) -> Support:
        """Take whole numbers."""
        return cls(np.array(n_runs, dtype=np.float64))

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Support | None:
        """Return what a model's probabilities were limited by; None if its gale did not limit.

        For a family that was corrected on labelled runs of elsewhere, these are what count.
        """
        if not facts.get("supported"):
            return None
        known = np.array(facts["training"]["known"])
        if "recalibrated" in facts:
            here = np.array(facts["recalibrated"]["known"])
            known = np.where(here > 0, here, known)
        return cls.of(known.tolist())

    @property
    def scale(self) -> Floats:
        """What probabilities are multiplied by, (K,)."""
        return self.n_runs / (self.n_runs + 1)

    @property
    def least(self) -> Floats:
        """What is added to them, which is the smallest that they can be, (K,)."""
        return 0.5 / (self.n_runs + 1)

    def apply(self, probability: ArrayLike) -> Floats:
        """Limit probabilities (R, K) to what the runs support."""
        return np.asarray(probability, dtype=np.float64) * self.scale + self.least

    def undo(self, probability: ArrayLike) -> Floats:
        """Return probabilities (R, K) as they were before :meth:`apply`."""
        limited = np.asarray(probability, dtype=np.float64)
        return (limited - self.least) / np.where(self.scale > 0, self.scale, 1.0)
