"""The matching network of the model that comes with gale: fitting it to simulated runs."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from gale.features.events import EventSpec
from gale.matching.references import reference_spectra
from gale.run import Floats32
from gale.training.fitting import Examples, Settings, fit, set_weights
from gale.training.losses import Loss
from gale.training.networks.matching import MatchingNetwork

MEMBERS = 5
"""Members, of which each is validated on laboratories of its own."""

SETTINGS = Settings(
    learning_rate=0.02,
    adam_epsilon=1e-8,
    batch_size=200,
    epochs=40,
    patience=40,
    weight_decay=0.01,
    schedule="cosine",
)

AT_ONCE = 50
"""Runs that are compared with all references at a time, which limits the memory used."""


def matching_inputs(network: MatchingNetwork, features: Floats32) -> torch.Tensor:
    """Return what a network sees of the spectra of runs, (R, N·K·6); `features` is (R, N·M)."""
    with torch.no_grad():
        parts = torch.split(torch.from_numpy(features), AT_ONCE)
        return torch.cat([network.inputs(part) for part in parts])


def matching_logits(network: MatchingNetwork, features: Floats32) -> Floats32:
    """Return the mean logits of the members for runs, (R, K)."""
    network.eval()
    inputs = matching_inputs(network, features).expand(MEMBERS, -1, -1)
    with torch.no_grad():
        logits: Floats32 = network.head(inputs).mean(0).numpy()
    return logits


def fit_matching(
    spec: EventSpec,
    families: tuple[str, ...],
    features: Floats32,
    labels: NDArray[np.float32],
    laboratory: NDArray[np.int64],
    seed: int,
) -> MatchingNetwork:
    """Fit a matching network to the spectra (R, N·M) of simulated runs.

    Parameters
    ----------
    laboratory : array of shape (R,)
        Each member is validated on the laboratories whose number is its own, modulo their number.
    """
    elution = spec.profile.elution
    references = reference_spectra(families, elution.mz_first, elution.n_mz)
    generators = [torch.Generator().manual_seed(seed * MEMBERS + at) for at in range(MEMBERS)]
    network = MatchingNetwork(spec.shape, elution.mz_first, references, generators)
    runs = Examples(matching_inputs(network, features), torch.from_numpy(labels))
    held_out = [laboratory % MEMBERS == at for at in range(MEMBERS)]
    training, validation = _rows([~each for each in held_out]), _rows(held_out)
    names = [f"member {at + 1} of the matching network" for at in range(MEMBERS)]
    loss = Loss(hinge=0.0, label_correlation=0.0)
    head = copy.deepcopy(network.head)  # nothing is left of it afterwards
    for member, fitted in fit(
        head, runs, training, validation, loss, SETTINGS, generators, names=names
    ):
        set_weights(network.head, member, fitted.weights)
    return network.eval()


def _rows(chosen: Sequence[NDArray[np.bool_]]) -> torch.Tensor:
    """Return rows of each member (E, n), as many as the one with the fewest has."""
    fewest = min(int(each.sum()) for each in chosen)
    return torch.from_numpy(np.stack([np.flatnonzero(each)[:fewest] for each in chosen]))
