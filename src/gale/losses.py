"""What training minimises. Labels are 0, 1 or NaN, and NaN (unknown) never counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST_VARIANCE = 1e-12
"""Least product of two variances that a correlation is divided by, so that families which do not
vary in a batch (of one run, for instance) have correlation 0."""


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean negative log likelihood over known labels.

    Parameters
    ----------
    logits, labels : Tensors of shape (R, K)
    """
    known = ~torch.isnan(labels)
    terms = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    return _mean_over(known, terms)


def log_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The competition's score: the mean over families of the log loss over their known labels.

    The same as :func:`binary_cross_entropy` where every family is known in as many runs.

    Parameters
    ----------
    logits, labels : Tensors of shape (R, K)
        A family of which no label is known does not count.
    """
    known = ~torch.isnan(labels)
    terms = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    count = known.sum(0)
    return ((terms * known).sum(0)[count > 0] / count[count > 0]).mean()


def hinge(probability: Tensor, labels: Tensor) -> Tensor:
    """Mean over known labels of max(0, 1 − ỹ p), where ỹ is 1 or −1.

    Parameters
    ----------
    probability, labels : Tensors of shape (R, K)
    """
    known = ~torch.isnan(labels)
    sign = 2 * labels.nan_to_num(0.0) - 1
    return _mean_over(known, F.relu(1 - sign * probability))


def label_correlation_grid(
    values: Tensor, known: Tensor, noise: float, generator: torch.Generator | None = None
) -> Tensor:
    """Correlations between the families of a batch, under noise.

    With T[i, a, b] = values[i, a] + ε[i, a, b], ε ~ N(0, noise²), and U[i, a, b] = T[i, b, a], it
    is the Pearson correlation over the runs i of T[:, a, b] and U[:, a, b] (Guo & Zheng 2022,
    arXiv 2210.08184). Only runs in which both families are known count.

    Parameters
    ----------
    values : Tensor of shape (R, K)
        Labels or probabilities.
    known : bool Tensor of shape (R, K)
    noise : float
        Standard deviation of ε.
    generator : torch.Generator, optional

    Returns
    -------
    Tensor of shape (K, K), symmetric, 1 on its diagonal where the batch varies
    """
    n_runs, n_families = values.shape
    epsilon = torch.randn(
        (n_runs, n_families, n_families),
        generator=generator,
        dtype=values.dtype,
        device=values.device,
    )
    t = values.unsqueeze(2) + noise * epsilon
    pair = (known.unsqueeze(2) & known.unsqueeze(1)).to(values.dtype)
    count = pair.sum(0).clamp(min=1)
    centred = (t - (t * pair).sum(0) / count) * pair
    covariance = (centred * centred.transpose(1, 2)).sum(0) / count
    variance = centred.square().sum(0) / count
    # U[:, a, b] is T[:, b, a], so its variance is the transposed one.
    scale = (variance * variance.T).clamp(min=SMALLEST_VARIANCE).sqrt()
    return covariance / scale


def label_correlation(
    probability: Tensor, labels: Tensor, noise: float, generator: torch.Generator | None = None
) -> Tensor:
    """Mean absolute difference between the correlation grids of labels and of probabilities.

    Parameters
    ----------
    probability, labels : Tensors of shape (R, K)
    noise : float
        Standard deviation of the noise, drawn afresh for each of the two grids.
    generator : torch.Generator, optional
    """
    known = ~torch.isnan(labels)
    wanted = label_correlation_grid(labels.nan_to_num(0.0), known, noise, generator)
    found = label_correlation_grid(probability, known, noise, generator)
    return (wanted - found).abs().mean()


@dataclass(frozen=True)
class Loss:
    """Binary cross-entropy + `hinge` · hinge + `label_correlation` · label correlation grid.

    Parameters
    ----------
    hinge, label_correlation : float
        Weights of the two additions; 0 leaves one out.
    noise : float
        Standard deviation of the grid's noise.
    """

    hinge: float = 0.1
    label_correlation: float = 0.1
    noise: float = 0.5

    def __call__(
        self, logits: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Compute the loss of a batch: logits and labels (R, K)."""
        total = binary_cross_entropy(logits, labels)
        probability = torch.sigmoid(logits)
        if self.hinge:
            total = total + self.hinge * hinge(probability, labels)
        if self.label_correlation:
            grid = label_correlation(probability, labels, self.noise, generator)
            total = total + self.label_correlation * grid
        return total


def _mean_over(known: Tensor, terms: Tensor) -> Tensor:
    return (terms * known).sum() / known.sum().clamp(min=1)
