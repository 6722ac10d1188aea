"""One member at a time, as plainly as PyTorch allows: what batched fitting is held against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gale.training.fitting import Epoch, Fit, Settings, Weights
from gale.training.losses import Loss, log_loss


class PlainBatchNorm(nn.Module):
    """Batch normalisation of (R, D), with the variance of the batch in the running one."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.running_mean: Tensor
        self.running_variance: Tensor
        self.register_buffer("running_mean", torch.zeros(n_features))
        self.register_buffer("running_variance", torch.ones(n_features))

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_variance
        if self.training:
            mean, variance = x.mean(0), x.var(0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, 0.01)
                self.running_variance.lerp_(variance, 0.01)
        return (x - mean) / torch.sqrt(variance + 1e-3) * self.weight + self.bias


class PlainDropout(nn.Module):
    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        draws = torch.empty(x.shape, device=x.device).uniform_(generator=self.generator)
        return torch.where(draws < self.share, 0.0, x) / (1 - self.share)


class PlainStandardise(nn.Module):
    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("scale", 1 / deviation)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) * self.scale


class PlainBias(nn.Module):
    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.bias: Tensor
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


def plain_network(
    n_features: int,
    n_families: int,
    generator: torch.Generator,
    *,
    hidden: Sequence[int] = (1024, 512),
    batch_norm: bool = True,
    layer_norm: bool = True,
    dropout: float = 0.0,
    prior: Tensor | None = None,
    scale: tuple[Tensor, Tensor] | None = None,
) -> nn.Sequential:
    """The network of one member: features (R, D) to logits (R, K)."""
    layers: list[nn.Module] = [] if scale is None else [PlainStandardise(*scale)]
    for n_in, n_out in pairwise([n_features, *hidden]):
        layers.append(_dense(n_in, n_out, generator))
        if batch_norm:
            layers.append(PlainBatchNorm(n_out))
        if layer_norm:
            layers.append(nn.LayerNorm(n_out, eps=1e-3))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(PlainDropout(dropout, generator))
    layers.append(_dense([n_features, *hidden][-1], n_families, generator))
    if prior is not None:
        layers.append(PlainBias(prior))
    return nn.Sequential(*layers)


def _dense(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(n_in, n_out)
    weight = torch.empty(n_in, n_out, device=generator.device)
    nn.init.xavier_uniform_(weight, generator=generator)
    layer.weight = nn.Parameter(weight.T.contiguous())
    nn.init.zeros_(layer.bias)
    return layer


def fit_one(
    network: nn.Module,
    training: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    loss: Loss,
    settings: Settings,
    generator: torch.Generator,
) -> Fit:
    """Fit one member to features (R, D) and labels (R, K)."""
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=settings.learning_rate,
        eps=settings.adam_epsilon,
        weight_decay=settings.weight_decay,
    )
    features, labels = training
    n_families, device = labels.shape[1], labels.device
    history: list[Epoch] = []
    best = Epoch(0, math.inf, math.inf)
    for number in range(1, settings.epochs + 1):
        network.train()
        total = 0.0
        keys = torch.empty(len(labels), device=device).uniform_(generator=generator)
        order = keys.argsort(stable=True)
        noise = torch.empty(len(labels), 2, n_families, n_families, device=device)
        if loss.label_correlation:
            noise.normal_(0, loss.noise, generator=generator)
        for start in range(0, len(labels), settings.batch_size):
            batch = slice(start, start + settings.batch_size)
            rows = order[batch]
            value = loss(network(features[rows]), labels[rows], noise[batch])
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += value.item() * len(rows)
        network.eval()
        with torch.no_grad():
            score = float(log_loss(network(validation[0]), validation[1]))
        history.append(Epoch(number, total / len(labels), score))
        if score < best.validation:
            best, weights = history[-1], plain_weights(network)
        elif number - best.number >= settings.patience:
            break
    return Fit(weights, best.validation, tuple(history))


def plain_weights(network: nn.Module) -> Weights:
    """The state of a network, with matrices as they multiply rows from the right."""
    return {name: value.numpy(force=True).T.copy() for name, value in network.state_dict().items()}
