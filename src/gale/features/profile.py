"""Profile features: a vector of fixed length that describes the elution of a run of any length.

They succeed the summary features: each m/z is taken by itself, its background is removed, and
intensities are relative to the run's own. `BLOCKS` names the blocks in order:

- ``height``, (M,): how far an m/z rises above its noise, as a natural logarithm;
- ``share``, (M,): the largest share of an m/z in a spectrum, over the time bins: high where a
  compound elutes whose spectrum it dominates, even if there is little of the compound;
- ``loss``, (L,): the likeness of a spectrum to itself moved by 1 to L m/z, the highest over the
  time bins. It shows neutral losses and the spacing of fragments and isotopes (2 for chlorine, 14
  for hydrocarbons, 18 for water), at any m/z.

Each block is multiplied by its number in `SCALE`. Do not standardise the features further: one that
hardly varies among the training runs would become large on another instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gale.features.elution import ElutionSpec, excess, over_noise
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.schema import PLAIN_TABLE, Table, whole
from gale.run import MAX_MZ, Floats32, Run

BLOCKS = ("height", "share", "loss")
"""The blocks of the vector, in its order."""

SCALE = {"height": 0.2, "share": 12.0, "loss": 10.0}
"""Standard deviations become about 1, but 0.3 for heights, which differ most among instruments."""

KIND, VERSION = "profile", 1
"""Name of these features in a model file. The version rises when the numbers change."""


SCHEMA = Table({"elution": PLAIN_TABLE, "losses": whole(1, int(MAX_MZ))})
"""What a model file states of these features."""


@dataclass(frozen=True)
class ProfileSpec:
    """Bins and losses of profile features.

    Parameters
    ----------
    elution : ElutionSpec
        Time and m/z bins of the elution image.
    losses : int
        Number of losses, L: spectra are compared with themselves moved by 1 to L m/z.
    """

    elution: ElutionSpec = field(default_factory=ElutionSpec)
    losses: int = 60

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features, increasing."""
        return tuple(range(self.elution.mz_first, self.elution.mz_last + 1))

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        return 2 * self.elution.n_mz + self.losses

    @property
    def blocks(self) -> dict[str, slice]:
        """Position of each block in the vector."""
        n_mz = self.elution.n_mz
        ends = (n_mz, 2 * n_mz, self.n_features)
        return dict(zip(BLOCKS, map(slice, (0, *ends), ends), strict=False))

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        elution = self.elution.to_dict()
        return {"kind": KIND, "version": VERSION, **asdict(self), "elution": elution}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> ProfileSpec:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Raises
        ------
        ModelError
            If this version of gale does not compute these features.
        """
        check_version(values, KIND, VERSION, SCHEMA, source)
        return cls(ElutionSpec.from_dict(values["elution"], source), values["losses"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, shape (D,), float32, always finite.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        signal = excess(run, self.elution)
        return self.of_signal(signal, over_noise(signal))

    def of_signal(self, signal: Floats32, image: Floats32) -> Floats32:
        """Compute the vector, shape (D,), from the signal above the baseline and its image.

        Parameters
        ----------
        signal, image : arrays of shape (T, M)
            See `gale.features.elution.excess` and `gale.features.elution.over_noise`.
        """
        root = np.sqrt(shares(signal))
        blocks = {
            "height": image.max(axis=0),
            "share": root.max(axis=0),
            "loss": _losses(root, self.losses),
        }
        return np.concatenate([np.float32(SCALE[name]) * blocks[name] for name in BLOCKS])


def shares(excess: Floats32) -> Floats32:
    """Share of each m/z in the spectrum of its time bin, shape (T, M).

    The whole includes twice the median signal of a bin, so that spectra of bins in which hardly
    anything elutes are small rather than noisy.
    """
    whole = excess.sum(axis=1, keepdims=True)
    share: Floats32 = excess / (whole + 2 * (1 + np.median(whole)))
    return share


def _losses(root: Floats32, losses: int) -> Floats32:
    """Largest product over time bins of spectra (T, M) with themselves moved; shape (L,)."""
    products = np.zeros(losses, dtype=np.float32)
    for loss in range(1, min(losses + 1, root.shape[1])):
        products[loss - 1] = np.einsum("tm,tm->t", root[:, loss:], root[:, :-loss]).max()
    return products
