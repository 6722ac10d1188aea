"""Profile features: one vector of fixed length for a run of any length, made of its elution.

They are the successor of the published summary features, with each m/z on its own, its background
removed, and all intensities relative to the run's own. `BLOCKS` names the blocks in order:

- ``height``, (M,): how far an m/z rises above its noise, as a natural logarithm;
- ``share``, (M,): the largest share that an m/z has of a spectrum, over the time bins: high where a
  compound elutes whose spectrum it dominates, however little of the compound there is;
- ``loss``, (L,): how alike a spectrum is to itself moved by 1 to L m/z, the highest of the time
  bins: the masses that compounds lose and the spacing of their fragments and isotopes (2 of
  chlorine, 14 of hydrocarbons, 18 of water), at whichever m/z they are.

Each block is multiplied by one number of `SCALE`. Use the numbers as they are: divided each by its
own deviation, what hardly varies among the training runs becomes large on another instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.features.elution import ElutionSpec, Image, excess, over_noise
from gale.features.versions import check_version, fingerprint_of
from gale.run import Run

BLOCKS = ("height", "share", "loss")
"""The blocks of the vector, in its order."""

SCALE = {"height": 0.2, "share": 12.0, "loss": 10.0}
"""Deviations become about 1; that of heights, which differ most between instruments, about 0.3."""

KIND, VERSION = "profile", 1
"""What a model file calls these features. The version is raised when the numbers change."""


@dataclass(frozen=True)
class ProfileSpec:
    """What the profile features of a run are.

    Parameters
    ----------
    elution : ElutionSpec
        The time and m/z bins that they are computed in.
    losses : int
        Spectra are compared to themselves moved by 1 to so many m/z, L.
    """

    elution: ElutionSpec = field(default_factory=ElutionSpec)
    losses: int = 60

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have features of their own, increasing."""
        return tuple(range(self.elution.mz_first, self.elution.mz_last + 1))

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        return 2 * self.elution.n_mz + self.losses

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each block lies in the vector."""
        n_mz = self.elution.n_mz
        ends = (n_mz, 2 * n_mz, self.n_features)
        return dict(zip(BLOCKS, map(slice, (0, *ends), ends), strict=False))

    def to_dict(self) -> dict[str, Any]:
        """Return all that the numbers depend on besides the run, as plain values."""
        elution = self.elution.to_dict()
        return {"kind": KIND, "version": VERSION, **asdict(self), "elution": elution}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> ProfileSpec:
        """Take what :meth:`to_dict` gave; `source` is named in messages.

        Raises
        ------
        ModelError
            If it is of features that this version of gale does not compute.
        """
        check_version(values, KIND, VERSION, source)
        return cls(ElutionSpec.from_dict(values["elution"], source), values["losses"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> NDArray[np.float32]:
        """Compute the vector of a run, shape (D,), float32, always finite.

        Raises
        ------
        ReadError
            If no ion of the run has an m/z that counts.
        """
        signal = excess(run, self.elution)
        return self.of_signal(signal, over_noise(signal))

    def of_signal(self, signal: Image, image: Image) -> NDArray[np.float32]:
        """Compute the vector, shape (D,), from the signal above the baseline and the image of it.

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


def shares(excess: Image) -> Image:
    """Share of each m/z in the spectrum of its time bin, shape (T, M).

    The whole includes a few times what is usual between the peaks, so that the spectra of bins in
    which hardly anything elutes are small rather than noisy.
    """
    whole = excess.sum(axis=1, keepdims=True)
    share: Image = excess / (whole + 2 * (1 + np.median(whole)))
    return share


def _losses(root: Image, losses: int) -> Image:
    """Largest product, over time bins, of spectra (T, M) and themselves moved; shape (L,)."""
    products = np.zeros(losses, dtype=np.float32)
    for loss in range(1, min(losses + 1, root.shape[1])):
        products[loss - 1] = np.einsum("tm,tm->t", root[:, loss:], root[:, :-loss]).max()
    return products
