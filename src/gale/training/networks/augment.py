"""Layers that vary training runs as another acquisition would, differently each time.

What they do not change is what another instrument does not change either, so it is what a network
learns to rely on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gale.training.networks.layers import Random


class AugmentSpectra(Random):
    """Vary the spectra of runs.

    Parameters
    ----------
    abundance : float
        Standard deviation of the logarithm of a factor on all signals of a run: another amount of
        the sample, or an instrument of another sensitivity.
    mz_cut : float
        Share of the runs that keep only a range of m/z: up to an eighth of the m/z is lost at the
        lower end, up to three fifths at the upper end.
    generators : sequence of torch.Generator, length E
    """

    def __init__(
        self, abundance: float, mz_cut: float, generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__(generators)
        self.abundance, self.mz_cut = abundance, mz_cut

    def forward(self, images: Tensor) -> Tensor:
        """Vary images (E, R, N, M) of log(1 + signal over noise)."""
        if not self.training:
            return images
        n_runs, n_mz = images.shape[1], images.shape[3]
        if self.abundance:
            images = torch.log1p(torch.expm1(images) * self._factor(n_runs).unsqueeze(-1))
        if self.mz_cut:
            images = images * self._seen(n_runs, n_mz).unsqueeze(-2)
        return images

    def _factor(self, n_runs: int) -> Tensor:
        """Draw the factor on the signals of each run, (E, R, 1)."""
        return torch.exp(self.abundance * self.draw((n_runs, 1), normal=True))

    def _seen(self, n_runs: int, n_mz: int) -> Tensor:
        """Draw which m/z each run keeps, (E, R, M)."""
        cut, low, high = self.draw((n_runs, 3)).unsqueeze(-1).unbind(-2)
        place = torch.arange(n_mz, device=cut.device) / n_mz
        seen = (place >= low / 8) & (place < 1 - 0.6 * high)
        return seen | (cut >= self.mz_cut)


class AugmentProfile(AugmentSpectra):
    """Vary the heights and shares of profile features; losses stay as they are.

    Parameters
    ----------
    n_mz : int
        M: heights of M m/z come first, then their shares, then losses.
    scale : float
        A height is log(1 + signal over noise) times this.
    abundance, mz_cut, generators
        As for :class:`AugmentSpectra`.
    """

    def __init__(
        self,
        n_mz: int,
        scale: float,
        abundance: float,
        mz_cut: float,
        generators: Sequence[torch.Generator],
    ) -> None:
        super().__init__(abundance, mz_cut, generators)
        self.n_mz, self.scale = n_mz, scale

    def forward(self, x: Tensor) -> Tensor:
        """Vary profile features (E, R, D)."""
        if not self.training:
            return x
        height, share, loss = x.tensor_split((self.n_mz, 2 * self.n_mz), -1)
        if self.abundance:
            signal = torch.expm1(height / self.scale) * self._factor(x.shape[1])
            height = self.scale * torch.log1p(signal)
        if self.mz_cut:
            seen = self._seen(x.shape[1], self.n_mz)
            height, share = height * seen, share * seen
        return torch.cat([height, share, loss], -1)
