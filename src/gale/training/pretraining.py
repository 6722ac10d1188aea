"""Pre-training: networks learn from simulated runs, of which everything is known, first.

A simulated run says not only which families are in it but when each of them elutes, so that an
elution network is told, for every spectrum, what is in it. It then needs few labelled runs to learn
how these differ from simulated ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.features.events import EventSpec
from gale.library import Library, default_libraries, read_library
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.simulation.compounds import Compounds
from gale.simulation.examples import simulate_examples
from gale.simulation.series import read_analytes
from gale.simulation.targets import FeaturesAndTargets
from gale.training.fitting import Examples, Weights
from gale.training.losses import Loss, binary_cross_entropy
from gale.training.members import settings_of
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import fixed_biases
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Part, Recipe
from gale.training.settings import PretrainSettings
from gale.training.waves import Job, find_device, fit_all

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

Array = NDArray[np.float32]

VERSION = 1
"""Raised when pre-training gives other weights, so that kept ones are not used any more."""

OWN_LIBRARIES = "gale"
"""Stands for the libraries that gale brings along, beside others."""

EVENT_WEIGHT = 20.0
"""Weight of the loss of spectra beside that of runs: few spectra hold a family."""


@dataclass(frozen=True)
class SimulatedRuns:
    """What networks are pre-trained on.

    Parameters
    ----------
    features : array of shape (R, D)
    labels : array of shape (R, K), NaN for families that cannot be simulated
    events : array of shape (R, N, K), likewise
        Which family elutes at each spectrum.
    """

    features: Array
    labels: Array
    events: Array


def pretrain(
    recipe: Recipe,
    spec: EventSpec,
    families: tuple[str, ...],
    *,
    seed: int,
    work: Work | None = None,
) -> dict[str, Weights]:
    """Fit one network of each part that is to be pre-trained to simulated runs.

    Parameters
    ----------
    recipe : Recipe
    spec : EventSpec
    families : tuple of str, length K
        Those that the simulator does not know are left to the labelled runs.
    seed : int
    work : Work, optional
        Its workers simulate; its cache keeps the weights, which do not depend on the labelled runs.

    Returns
    -------
    mapping of the name of a part to weights; empty if no part is to be, or no family can be
        The fixed bias of families that cannot be simulated is NaN: nothing is known of it.
    """
    work = work or Work()
    device = find_device(work.device)
    progress, cache = work.progress, work.cache
    parts = [part for part in recipe.members_of if part.pretrain is not None]
    if not parts:
        return {}
    library, table = substances_of(recipe.pretraining)
    analytes, _ = read_analytes(library, table, progress)
    known = tuple(family for family in families if family in analytes.family_names)
    if unknown := sorted(set(families) - set(known)):
        progress.note(f"not pre-trained on, since it cannot be simulated: {', '.join(unknown)}")
    if not known:
        progress.note("so there is nothing to pre-train on; raise fitting.epochs, or use quick")
        return {}
    choices = [
        VERSION,
        recipe.pretraining.model_dump(exclude={"libraries", "families"}),
        _digest(analytes),
        spec.to_dict(),
        families,
        seed,
        version("gale-ms"),
        torch.__version__,
        device.type,
    ]
    keys = {part.name: _key(part, choices) for part in parts}
    found = {name: None if cache is None else cache.get(keys[name]) for name in keys}
    missing = [part for part in parts if found[part.name] is None]
    if missing:
        runs = simulate_runs(
            recipe.pretraining,
            spec,
            families,
            known,
            seed,
            work,
            library=library,
            table=table,
        )
        last = min(recipe.pretraining.runs_per_laboratory, len(runs.labels) // 2)
        progress.begin("pre-training", len(missing))
        for part in missing:
            weights = _fit(part, spec, runs, last, seed, device, progress)
            found[part.name] = weights
            if cache is not None:
                cache.put(keys[part.name], weights)
    return {name: weights for name, weights in found.items() if weights is not None}


def substances_of(settings: PretrainSettings) -> tuple[list[Library] | None, FamilyTable | None]:
    """Read the libraries and the table of families; None stands for those that gale brings along.

    Raises
    ------
    ReadError
        If a library cannot be read.
    TableError
        If the table of families cannot be used.
    MissingExtraError
        If there is such a table, and RDKit is not installed.
    """
    table = None
    if settings.families is not None:
        from gale.chemistry.families import read_family_table  # needs RDKit

        table = read_family_table(settings.families)
    libraries: list[Library] = []
    for path in settings.libraries:
        libraries += default_libraries() if path == OWN_LIBRARIES else [read_library(path)]
    return libraries or None, table


def _digest(analytes: Compounds) -> str:
    """Hash of the compounds, whatever files they are from."""
    told = (analytes.family_names, analytes.name, analytes.inchikey, analytes.derivative)
    digest = hashlib.sha256(json.dumps(told).encode())
    for array in (analytes.families, analytes.spectrum, analytes.index):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _key(part: Part, choices: Sequence[Any]) -> str:
    choices = [part.fitting.products, *choices]  # all else of the fitting comes later
    of_part = part.model_dump(mode="json", exclude={"share", "fitting", "soup"})
    text = json.dumps([of_part, *choices])
    return hashlib.sha256(text.encode()).hexdigest()


def simulate_runs(
    settings: PretrainSettings,
    spec: EventSpec,
    families: tuple[str, ...],
    known: tuple[str, ...],
    seed: int,
    work: Work,
    *,
    library: Sequence[Library] | None = None,
    table: FamilyTable | None = None,
) -> SimulatedRuns:
    """Simulate the runs of pre-training; of the families, those that are `known` can be.

    Library and table are those of the settings, as :func:`substances_of` read them.
    """
    features = np.empty((settings.runs, spec.n_features), dtype=np.float16)
    labels = np.full((settings.runs, len(families)), np.nan, dtype=np.float32)
    events = np.full((settings.runs, spec.shape[0], len(families)), np.nan, dtype=np.float32)
    columns = [families.index(family) for family in known]
    examples = simulate_examples(
        FeaturesAndTargets(spec, known),
        families=known,
        library=library,
        table=table,
        runs=settings.runs,
        runs_per_laboratory=settings.runs_per_laboratory,
        instruments=settings.instruments,
        ions=settings.ions,
        seed=seed,
        work=work,
    )
    for row, example in enumerate(examples):
        features[row], events[row][:, columns] = example.item
        labels[row, columns] = example.families
    return SimulatedRuns(features.astype(np.float32), labels, events)


def _fit(
    part: Part,
    spec: EventSpec,
    runs: SimulatedRuns,
    last: int,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> Weights:
    """Weights of one network of a part, fitted to all runs but the `last` ones, which validate."""
    assert part.pretrain is not None
    features, labels = runs.features[:, columns_of(part, spec)], runs.labels
    training = np.arange(len(labels) - last)
    prior, scale = prior_logit(labels[training]), scale_of(part, features[training])
    by_spectrum = part.network.kind == "elution"
    loss: Loss = Loss(part.loss.hinge, 0.0)
    if by_spectrum:
        n_families = labels.shape[1]
        labels = np.concatenate([labels, runs.events.reshape(len(labels), -1)], axis=1)
        loss = _SpectrumLoss(0.0, 0.0, n_families=n_families)

    def build(jobs: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Module:
        network = build_network(
            part, spec, generators, priors=[prior] * len(jobs), scales=[scale] * len(jobs)
        )
        return _Told(network) if isinstance(network, ElutionNetwork) else network

    name = f"{part.name}, pre-training"
    job = Job(name, training, np.arange(len(training), len(labels)), seed)
    examples = Examples(torch.tensor(features, device=device), torch.tensor(labels, device=device))
    settings = settings_of(part.pretrain, len(training))
    (_, done), = fit_all(
        [job],
        build,
        examples,
        loss,
        settings,
        lambda pulse: progress.status(f"{name}, epoch {pulse.epoch} of {settings.epochs}"),
    )  # fmt: skip
    progress.step(f"{name}: best of {len(done.epochs)} epochs {done.validation:.4f}")
    for key in fixed_biases(build([0], [torch.Generator()])):
        done.weights[key][np.isnan(runs.labels).all(axis=0)] = np.nan
    return {key.removeprefix("network."): value for key, value in done.weights.items()}


class _Told(nn.Module):
    """An elution network that gives the logits of its spectra, too: (E, R, K + N·K)."""

    def __init__(self, network: ElutionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        of_events = self.network.event_logits(x)
        return torch.cat([self.network.of_events(of_events), of_events.flatten(-2)], -1)


@dataclass(frozen=True)
class _SpectrumLoss(Loss):
    """Binary cross-entropy of runs, and of their spectra, which follow them."""

    n_families: int = 0

    def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        edge = self.n_families
        of_runs = super().__call__(logits[..., :edge], labels[..., :edge], noise)
        return of_runs + EVENT_WEIGHT * binary_cross_entropy(logits[..., edge:], labels[..., edge:])
