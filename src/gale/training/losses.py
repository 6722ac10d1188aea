"""The losses that training minimises. Labels are 0, 1 or NaN; NaN (unknown) never counts.

All functions reduce the last two axes, runs and families: for members (E, R, K), each member has
its own loss, and the result has shape (E,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST_VARIANCE = 1e-12
"""Lower limit of the product of two variances under a correlation: families that do not vary in a
batch (of one run, for instance) have correlation 0."""


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean negative log likelihood over known labels.

    Parameters
    ----------
    logits, labels : Tensors of shape (…, R, K)
    """
    known = ~torch.isnan(labels)
    terms = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    return _mean_over(known, terms)


def log_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The competition's score: the mean over families of the log loss over their known labels.

    It equals :func:`binary_cross_entropy` if every family is known in equally many runs.

    Parameters
    ----------
    logits, labels : Tensors of shape (…, R, K)
        A family without a known label does not count.
    """
    known = ~torch.isnan(labels)
    terms = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    count = known.sum(-2)
    of_family = (terms * known).sum(-2) / count.clamp(min=1)
    return of_family.sum(-1) / (count > 0).sum(-1)


def hinge(probability: Tensor, labels: Tensor) -> Tensor:
    """Mean over known labels of max(0, 1 − ỹ p), where ỹ is 1 or −1.

    Parameters
    ----------
    probability, labels : Tensors of shape (…, R, K)
    """
    known = ~torch.isnan(labels)
    sign = 2 * labels.nan_to_num(0.0) - 1
    return _mean_over(known, F.relu(1 - sign * probability))


def label_correlation_grid(values: Tensor, known: Tensor, noise: Tensor) -> Tensor:
    """Correlations between the families of a batch, with noise.

    With T[i, a, b] = values[i, a] + noise[i, a, b] and U[i, a, b] = T[i, b, a], element (a, b) is
    the Pearson correlation of T[:, a, b] and U[:, a, b] over the runs i (Guo & Zheng 2022,
    arXiv 2210.08184). Only runs in which both families are known count.

    Parameters
    ----------
    values : Tensor of shape (…, R, K)
        Labels or probabilities.
    known : bool Tensor of shape (…, R, K)
    noise : Tensor of shape (…, R, K, K)

    Returns
    -------
    Tensor of shape (…, K, K)
        Symmetric; 1 on the diagonal where the batch varies.
    """
    t = values.unsqueeze(-1) + noise
    pair = (known.unsqueeze(-1) & known.unsqueeze(-2)).to(values.dtype)
    count = pair.sum(-3).clamp(min=1)
    centred = (t - ((t * pair).sum(-3) / count).unsqueeze(-3)) * pair
    covariance = (centred * centred.transpose(-1, -2)).sum(-3) / count
    variance = centred.square().sum(-3) / count
    # U[:, a, b] is T[:, b, a], so its variance is the transposed one.
    scale = (variance * variance.transpose(-1, -2)).clamp(min=SMALLEST_VARIANCE).sqrt()
    return covariance / scale


def label_correlation(probability: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
    """Mean absolute difference between the correlation grids of labels and of probabilities.

    Parameters
    ----------
    probability, labels : Tensors of shape (…, R, K)
    noise : Tensor of shape (…, R, 2, K, K)
        Noise of the labels, then noise of the probabilities.
    """
    known = ~torch.isnan(labels)
    label_noise, probability_noise = noise.unbind(-3)
    label_grid = label_correlation_grid(labels.nan_to_num(0.0), known, label_noise)
    probability_grid = label_correlation_grid(probability, known, probability_noise)
    return (label_grid - probability_grid).abs().mean((-1, -2))


@dataclass(frozen=True)
class Loss:
    """Binary cross-entropy + `hinge` · hinge + `label_correlation` · label correlation grid.

    Parameters
    ----------
    hinge, label_correlation : float
        Weights of the two terms; 0 leaves a term out.
    noise : float
        Standard deviation of the grid's noise.
    """

    hinge: float = 0.1
    label_correlation: float = 0.1
    noise: float = 0.5

    def draw_noise(
        self, n_runs: int, n_families: int, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Draw the noise for `n_runs` runs of each member, from the member's own generator.

        Returns
        -------
        Tensor of shape (E, R, 2, K, K)
            R is 0 if the grid is left out.
        """
        shape = (n_runs if self.label_correlation else 0, 2, n_families, n_families)
        noise = torch.empty(len(generators), *shape, device=generators[0].device)
        for of_member, generator in zip(noise, generators, strict=True):
            of_member.normal_(0, self.noise, generator=generator)
        return noise

    def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        """Return the loss of a batch, shape (…).

        Parameters
        ----------
        logits, labels : Tensors of shape (…, R, K)
        noise : Tensor of shape (…, R, 2, K, K)
            See :meth:`draw_noise`.
        """
        total = binary_cross_entropy(logits, labels)
        probability = torch.sigmoid(logits)
        if self.hinge:
            total = total + self.hinge * hinge(probability, labels)
        if self.label_correlation:
            grid = label_correlation(probability, labels, noise)
            total = total + self.label_correlation * grid
        return total


def _mean_over(known: Tensor, terms: Tensor) -> Tensor:
    return (terms * known).sum((-1, -2)) / known.sum((-1, -2)).clamp(min=1)
