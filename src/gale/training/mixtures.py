"""Mixtures: training runs to which another is added, as if both samples were measured at once.

A mixture holds the families of both runs. It is new to a network that knows both by heart, so the
network has to learn what the families have in common rather than which samples there are. The idea
is mixup's (Zhang et al. 2018, arXiv 1710.09412); but signals of a mass spectrometer add up, so the
sum is a run that could have been measured, and its labels are certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gale.training.rows import take_rows

AMOUNT_DEVIATION = 0.5
"""Standard deviation of the logarithm of the factor on the signals of the run that is added."""

Add = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Adds runs to runs, both (E, n, D), the former times factors (E, n, 1)."""


@dataclass(frozen=True)
class Mixture:
    """Makes mixtures of a share of the runs of a batch.

    Parameters
    ----------
    share : float
    add : callable
    """

    share: float
    add: Add

    def __call__(
        self, features: Tensor, labels: Tensor, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """Return features (E, B, D) and labels (E, B, K) of which the first are of mixtures."""
        count = round(self.share * labels.shape[1])
        drawn = [_draw(labels.shape[1], count, generator) for generator in generators]
        partner, factor = (torch.stack(each) for each in zip(*drawn, strict=True))
        mixed = self.add(features[:, :count], take_rows(features, partner), factor.unsqueeze(-1))
        union = union_of(labels[:, :count], take_rows(labels, partner))
        return (
            torch.cat([mixed, features[:, count:]], 1),
            torch.cat([union, labels[:, count:]], 1),
        )


def add_spectra(runs: Tensor, others: Tensor, factor: Tensor, shape: tuple[int, int]) -> Tensor:
    """Add event features (E, n, N·M), of shape (N, M): the busiest N spectra of both runs stay.

    What elutes at the same time in both is not summed: it hardly ever does.
    """
    n_spectra, n_mz = shape
    added = others.reshape(-1, n_mz)
    with_ions = (added.amax(-1) > 0).nonzero().squeeze(1)  # of apexes, a few
    factors = factor.reshape(-1).index_select(0, with_ions // n_spectra).unsqueeze(1)
    louder = added.index_select(0, with_ions).expm1_().mul_(factors).log1p_()
    added = added.index_copy(0, with_ions, louder)
    spectra = torch.cat([runs.reshape(-1, n_spectra, n_mz), added.view(-1, n_spectra, n_mz)], 1)
    busiest = spectra.sum(-1).topk(n_spectra, -1, sorted=False).indices
    return take_rows(spectra, busiest).view(runs.shape)


def add_profiles(runs: Tensor, others: Tensor, _factor: Tensor) -> Tensor:
    """Add profile features (E, n, D): each is a maximum over time, so the higher one counts.

    The factor is 1, since shares of spectra and losses do not depend on amounts.
    """
    return torch.maximum(runs, others)


def union_of(labels: Tensor, others: Tensor) -> Tensor:
    """Labels of mixtures: 1 if either run holds a family, 0 if neither does, NaN if unknown."""
    known = torch.fmax(labels, others)
    return torch.where(known == 1, known, labels + others)


def _draw(n_runs: int, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw `count` partners among `n_runs`, and the factors on their signals."""
    device = generator.device
    partner = torch.randperm(n_runs, generator=generator, device=device)[:count]
    normal = torch.empty(count, device=device).normal_(generator=generator)
    return partner, torch.exp(AMOUNT_DEVIATION * normal)
