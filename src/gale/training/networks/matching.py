"""The matching network: which reference spectra are like those of a run, and what that says.

A spectrum that is like one reference and like no other of other families says what is in a run,
whichever instrument measured it. The cosines of `gale.matching` (Stein & Scott 1994) of each
spectrum with all references give six numbers for each family, see :data:`INPUTS`; a few weights,
the same for all families and spectra, and an offset of each family turn them into a logit. As in
elution networks, the run's logit is the log-sum-exp over its spectra.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gale.matching.matcher import weigh
from gale.matching.references import ReferenceSpectra
from gale.training.networks.layers import Dense

INPUTS = (
    "the highest cosine with references of the family",
    "the same with those that are not of the family",
    "the same with substances that a run has without a sample, too",
    "the first less the second",
    "the first less the third",
    "the height of the spectrum",
)
"""What the network sees of each spectrum for each family, before it is scaled."""

NO_LIKENESS, LIKENESS_SCALE = 0.5, 4.0
"""Cosine up to which spectra are alike by chance, and what makes inputs about 1 large."""

USUAL_HEIGHT, HEIGHT_WEIGHT = 5.0, 0.5
"""Usual log(1 + signal over noise) of a spectrum, and what makes its deviations about 1 large."""

LEAST_LENGTH = 1e-9
"""Added to the length of a spectrum, which may be 0."""


class MatchingNetwork(nn.Module):
    """Event features (E, R, N·M) to logits (E, R, K).

    Parameters
    ----------
    shape : pair of int
        (N, M): spectra, and m/z of each.
    first_mz : int
        The first m/z.
    references : ReferenceSpectra
        Of the same m/z.
    generators : sequence of torch.Generator, length E
        Sources of initial weights.
    hidden : int
        Width of the hidden layer.
    """

    spectra: Tensor
    mz_weight: Tensor
    of_family: Tensor
    background: Tensor

    def __init__(
        self,
        shape: tuple[int, int],
        first_mz: int,
        references: ReferenceSpectra,
        generators: Sequence[torch.Generator],
        *,
        hidden: int = 32,
    ) -> None:
        super().__init__()
        self.shape = shape
        facts = np.column_stack([references.families, references.background])
        groups, group = np.unique(facts, axis=0, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        self.sizes: list[int] = np.bincount(group.ravel()).tolist()
        """References of each group: those of the same families, which stand together."""
        known = {
            "spectra": references.spectra[order].T.copy(),
            "mz_weight": weigh(np.ones((1, shape[1])), first_mz)[0],
            "of_family": groups[:, :-1].astype(np.float32),
            "background": groups[:, -1].astype(np.float32),
        }
        for name, array in known.items():  # no weights of a member, so not of its state
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        self.head = MatchingHead(shape[0], references.families.shape[1], generators, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of runs, (E, R, K)."""
        logits: Tensor = self.head(self.inputs(x))
        return logits

    def inputs(self, x: Tensor) -> Tensor:
        """Return what the network sees of features (…, N·M): (…, N·K·6), see :data:`INPUTS`."""
        spectra = x.reshape(-1, self.shape[1])
        used = spectra.amax(-1) > 0
        # most of the spectra of a run are of no apex: one without ions stands for all of these
        some = torch.cat([spectra[used], spectra.new_zeros(1, self.shape[1])])
        place = torch.where(used, used.cumsum(0) - 1, used.sum())
        return self._seen(some)[place].reshape(*x.shape[:-1], -1)

    def _seen(self, spectra: Tensor) -> Tensor:
        """Return what the network sees of single spectra (S, M), (S, K·6)."""
        signal = torch.expm1(spectra)
        weighted = signal.clamp(min=0).sqrt() * self.mz_weight
        length = weighted.norm(dim=-1, keepdim=True)
        cosine = weighted / (length + LEAST_LENGTH) @ self.spectra
        best = torch.stack([of_group.amax(-1) for of_group in cosine.split(self.sizes, -1)], -1)
        inside, outside = (
            (best.unsqueeze(-1) * which).amax(-2) for which in (self.of_family, 1 - self.of_family)
        )
        usual = (best * self.background).amax(-1, keepdim=True).expand_as(inside)
        height = torch.log1p(signal.sum(-1, keepdim=True)).expand_as(inside)
        seen = [
            *(torch.relu(each - NO_LIKENESS) * LIKENESS_SCALE for each in (inside, outside, usual)),
            *((inside - each) * LIKENESS_SCALE for each in (outside, usual)),
            (height - USUAL_HEIGHT) * HEIGHT_WEIGHT,
        ]
        return torch.stack(seen, -1).flatten(-2)


class MatchingHead(nn.Module):
    """The weights of a matching network: its inputs (E, R, N·K·6) to logits (E, R, K)."""

    def __init__(
        self, n_spectra: int, n_families: int, generators: Sequence[torch.Generator], hidden: int
    ) -> None:
        super().__init__()
        self.shape = n_spectra, n_families
        self.dense = nn.Sequential(
            Dense(len(INPUTS), hidden, generators), nn.SiLU(), Dense(hidden, 1, generators)
        )
        self.offset = nn.Parameter(torch.zeros(len(generators), n_families))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits of runs, (E, R, K)."""
        members, runs = inputs.shape[:2]
        of_each: Tensor = self.dense(inputs.reshape(members, -1, len(INPUTS)))
        logits = of_each.reshape(members, runs, *self.shape) + self.offset[:, None, None]
        return torch.logsumexp(logits, -2) - math.log(self.shape[0])
