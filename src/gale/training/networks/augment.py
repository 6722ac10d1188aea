"""Layers that vary training runs as another acquisition would, differently each time.

What they do not change is what another instrument does not change either, so it is what a network
learns to rely on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gale.training.networks.layers import Random
from gale.training.rows import take_rows


class Augment(Random):
    """What varies a run, whatever its features.

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

    def factor(self, n_runs: int) -> Tensor:
        """Draw the factor on the signals of each run, (E, R, 1)."""
        return torch.exp(self.abundance * self.draw((n_runs, 1), normal=True))

    def ranges(self, n_runs: int) -> Tensor:
        """Draw the range of m/z that each run keeps, as shares of all: (E, R, 2)."""
        cut, low, high = self.draw((n_runs, 3)).unbind(-1)
        is_cut = cut < self.mz_cut
        return torch.stack([is_cut * low / 8, 1 - 0.6 * is_cut * high], -1)


def within(ranges: Tensor, n_mz: int) -> Tensor:
    """Whether each of M m/z is in ranges (E, n, 2), shape (E, n, M)."""
    first, end = ranges.unsqueeze(-1).unbind(-2)
    place = torch.arange(n_mz, device=ranges.device) / n_mz
    return (place >= first) & (place < end)


class AugmentSpectra(Augment):
    """Vary the spectra of runs; see :class:`Augment`."""

    def forward(self, spectra: Tensor, run: Tensor, n_runs: int) -> Tensor:
        """Vary spectra (E, n, M) of log(1 + signal over noise), of runs (E, n) of `n_runs`."""
        if not self.training:
            return spectra
        if self.abundance:
            factor = take_rows(self.factor(n_runs), run)
            spectra = torch.expm1(spectra).mul_(factor).log1p_()
        if self.mz_cut:
            spectra = spectra * within(take_rows(self.ranges(n_runs), run), spectra.shape[2])
        return spectra


class AugmentProfile(Augment):
    """Vary the heights and shares of profile features; losses stay as they are.

    Parameters
    ----------
    n_mz : int
        M: heights of M m/z come first, then their shares, then losses.
    scale : float
        A height is log(1 + signal over noise) times this.
    abundance, mz_cut, generators
        As for :class:`Augment`.
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
            signal = torch.expm1(height / self.scale) * self.factor(x.shape[1])
            height = self.scale * torch.log1p(signal)
        if self.mz_cut:
            seen = within(self.ranges(x.shape[1]), self.n_mz)
            height, share = height * seen, share * seen
        return torch.cat([height, share, loss], -1)
