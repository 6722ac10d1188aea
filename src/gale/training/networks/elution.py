"""The elution network: which family elutes when, and so whether it is in the run.

The same dense layers give each spectrum of a run's event features (`gale.features.events`) a logit
for each family. The run's logit is the log-sum-exp over its spectra, a smooth maximum: one good
spectrum is enough, and several weak ones add up (multiple instance learning, for small
probabilities in the noisy-or form of Maron & Lozano-Pérez 1998).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gale.training.networks.augment import AugmentSpectra
from gale.training.networks.layers import Dropout
from gale.training.networks.summary import summary_network
from gale.training.rows import take_rows

HEIGHT_SCALE, SHARE_SCALE = 0.2, 12.0
"""They make the standard deviations of the inputs about 1, as those of profile features."""

QUIET = 30.0
"""Signal over noise, summed over m/z, of a time bin where hardly anything elutes."""

QUIET_APEX = 3.0
"""The same of an apex, whose spectrum has hardly any noise."""


class ElutionNetwork(nn.Module):
    """Event features (E, R, N·M) to logits (E, R, K).

    Parameters
    ----------
    shape : pair of int
        (N, M): spectra, and m/z of each.
    n_families : int
        K.
    generators : sequence of torch.Generator, length E
        Sources of initial weights, dropout and augmentation.
    hidden : sequence of int
        Widths of the hidden layers.
    dropout : float
        Share of each hidden layer's outputs that a training step leaves out.
    prior : Tensor of shape (E, K), optional
        Log odds of the families, a fixed bias of a run's logits.
    batch_norm, layer_norm : bool
        Whether each hidden layer is normalised.
    abundance, mz_cut : float
        See `Augment`.
    apexes : bool
        Whether the spectra are those of apexes, of which a run may have fewer than N.
    products : torch.dtype
        Precision of the factors of the matrix products in training.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        n_families: int,
        generators: Sequence[torch.Generator],
        *,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        prior: Tensor | None = None,
        batch_norm: bool = False,
        layer_norm: bool = True,
        abundance: float = 0.0,
        mz_cut: float = 0.0,
        apexes: bool = False,
        products: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.shape, self.apexes = shape, apexes
        self.quiet = QUIET_APEX if apexes else QUIET
        self.augment = AugmentSpectra(abundance, mz_cut, generators)
        self.dense = summary_network(
            2 * shape[1],
            n_families,
            generators,
            hidden=hidden,
            batch_norm=batch_norm,
            layer_norm=layer_norm,
            dropout=dropout,
            prior=None if prior is None else prior - math.log(shape[0]),
            products=products,
        )
        self.dropouts = [layer for layer in self.dense.modules() if isinstance(layer, Dropout)]
        # batch normalisation would depend on how many spectra without ions there are
        self.is_sparse = apexes and not batch_norm

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of runs, (E, R, K)."""
        return self.of_events(self.event_logits(x))

    def of_events(self, logits: Tensor) -> Tensor:
        """Combine the logits of spectra (E, R, N, K) into those of runs (E, R, K)."""
        return torch.logsumexp(logits, -2)

    def event_logits(self, x: Tensor) -> Tensor:
        """Return the logits of every spectrum, (E, R, N, K)."""
        images = self.images(x)
        if self.is_sparse:
            return self._sparse(images)
        run = torch.arange(images.shape[1], device=x.device).repeat_interleave(self.shape[0])
        varied = self.augment(images.flatten(1, 2), run.expand(len(x), -1), images.shape[1])
        logits: Tensor = self.dense(self.inputs(varied))
        return logits.reshape(*images.shape[:3], logits.shape[-1])

    def _sparse(self, images: Tensor) -> Tensor:
        """Return the logits of images (E, R, N, M), of those without ions once for all of them."""
        spectra = images.flatten(1, 2)
        used = spectra.amax(-1) > 0
        count = used.sum(-1)
        # those with ions first, then one without, if there is one
        rows = (count + 1).clamp(max=used.shape[1])
        most = int(rows.max())
        first = torch.argsort((~used).byte(), dim=1, stable=True)[:, :most]
        some = self.augment(take_rows(spectra, first), first // self.shape[0], images.shape[1])
        for layer in self.dropouts:
            layer.rows = rows.tolist()
        logits: Tensor = self.dense(self.inputs(some))
        place = torch.where(used, used.cumsum(1) - 1, (rows - 1).unsqueeze(1))
        return take_rows(logits, place).reshape(*images.shape[:3], logits.shape[-1])

    def images(self, x: Tensor) -> Tensor:
        """Reshape event features (…, R, N·M) to images (…, R, N, M)."""
        return x.reshape(*x.shape[:-1], *self.shape)

    def inputs(self, spectra: Tensor) -> Tensor:
        """Return the input of the dense layers: heights and shares (…, 2M) of spectra (…, M)."""
        signal = torch.expm1(spectra)
        # In place, so without gradients; nothing needs them with respect to spectra.
        root = signal.div_(signal.sum(-1, keepdim=True) + self.quiet).sqrt_().mul_(SHARE_SCALE)
        return torch.cat([HEIGHT_SCALE * spectra, root], -1)
