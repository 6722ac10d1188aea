"""Pre-training: networks first learn from simulated runs, of which everything is known.

A simulated run says not only which families are in it but also when each of them elutes. So an
elution network learns for every spectrum what is in it, and then needs few labelled runs to learn
how real runs differ from simulated ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.features.events import EventSpec
from gale.features.spec import FeatureSpec
from gale.library import Library
from gale.library.choice import OWN, analytes
from gale.plumbing.arrays import Arrays, is_finite
from gale.plumbing.cache import Cache
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.simulation.compounds import Compounds
from gale.simulation.examples import simulate_examples
from gale.simulation.physics import Physics
from gale.simulation.series import read_analytes
from gale.simulation.targets import FeaturesAndTargets
from gale.training.fitting import Examples, Weights, get_weights
from gale.training.losses import Loss, binary_cross_entropy
from gale.training.members import settings_of
from gale.training.networks.build import build_network, columns_of, scale_of, seen_by
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import fixed_biases
from gale.training.networks.summary import prior_logit
from gale.training.products import settled
from gale.training.recipe import Part, Recipe
from gale.training.settings import PretrainSettings
from gale.training.shipped import shipped_families, shipped_source, shipped_weights
from gale.training.waves import Job, find_device, fit_all

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

VERSION = 1
"""Raised when pre-training changes, so that cached weights are not used any more."""

OWN_LIBRARIES = OWN
"""Stands for the libraries that come with gale, in a list of libraries."""

EVENT_WEIGHT = 20.0
"""Weight of the loss of spectra, relative to that of runs: few spectra hold a family."""


@dataclass(frozen=True)
class SimulatedRuns:
    """The runs that networks are pre-trained on.

    Parameters
    ----------
    spec : EventSpec
    features : array of shape (R, D)
    labels : array of shape (R, K)
        NaN for families that cannot be simulated.
    events : array of shape (R, N, K)
        Which family elutes at each spectrum; NaN likewise.
    """

    spec: EventSpec
    features: NDArray[np.float32]
    labels: NDArray[np.float32]
    events: NDArray[np.float32]


class Pretrained(NamedTuple):
    """Weights by the name of the part, and the number of runs and the libraries they are from."""

    weights: dict[str, Weights]
    source: dict[str, Any]


def pretrain(
    recipe: Recipe,
    spec: FeatureSpec,
    families: tuple[str, ...],
    *,
    seed: int,
    work: Work | None = None,
) -> Pretrained:
    """Fit one network of each part with ``pretrain`` to simulated runs.

    Parameters
    ----------
    recipe : Recipe
    spec : FeatureSpec
        All features of the recipe; a part with ``pretrain`` sees event features.
    families : tuple of str, length K
        Those that cannot be simulated are left to the labelled runs.
    seed : int
    work : Work, optional
        Its workers simulate; its cache keeps the weights, which do not depend on labelled runs.

    Returns
    -------
    Pretrained
        Without weights if no part has ``pretrain``, or no family can be simulated. The fixed biases
        of families that cannot be simulated are NaN.

    Raises
    ------
    ReadError, TableError, MissingExtraError
        See :func:`read_substances`.
    SimulationError
        If the runs cannot be simulated.
    """
    work = work or Work()
    device = find_device(work.device)
    recipe = settled(recipe, device, work.progress)
    parts = [part for part in recipe.members_of if part.pretrain is not None]
    if not parts:
        return Pretrained({}, {})
    seen = [(part, _events_of(part, recipe, spec)) for part in parts]
    if recipe.pretraining.shipped:
        weights = _shipped(seen, families, work.progress)
        return Pretrained(weights, shipped_source(seen))
    library, table = read_substances(recipe.pretraining)
    compounds, _, used = read_analytes(library, table, work.progress)
    known = tuple(family for family in families if family in compounds.family_names)
    _note_unknown(families, known, work.progress)
    if not known:
        return Pretrained({}, {})
    keys = _cache_keys(recipe, seen, compounds, families, seed, device)
    cache = work.cache
    weights = {} if cache is None else _cached(cache, keys, seen, len(families))
    missing = [(part, own) for part, own in seen if part.name not in weights]
    for events in dict.fromkeys(own for _, own in missing):
        runs = simulate_runs(
            recipe.pretraining, events, families, known, seed, work, library=library, table=table
        )
        n_validation = min(recipe.pretraining.runs_per_laboratory, len(runs.labels) // 2)
        of_runs = [part for part, own in missing if own == events]
        work.progress.begin("pre-training", len(of_runs))
        for part in of_runs:
            weights[part.name] = fit_part(part, runs, n_validation, seed, device, work.progress)
            if cache is not None:
                cache.put(keys[part.name], weights[part.name])
        del runs  # before others are simulated
    source = {
        "runs": recipe.pretraining.runs,
        "libraries": [str(each["name"]) for each in used],
        "spectra": list(used),
    }
    return Pretrained({part.name: weights[part.name] for part in parts}, source)


def _events_of(part: Part, recipe: Recipe, spec: FeatureSpec) -> EventSpec:
    """Return the features that a part sees, which have events."""
    own, _ = seen_by(part, recipe, spec)
    assert isinstance(own, EventSpec)
    return own


def _shipped(
    parts: Sequence[tuple[Part, EventSpec]], families: tuple[str, ...], progress: Progress
) -> dict[str, Weights]:
    """Take the weights that come with gale, for the families that they know."""
    shipped = shipped_families()
    known = tuple(family for family in families if family in shipped)
    _note_unknown(families, known, progress)
    if not known:
        return {}
    return {part.name: shipped_weights(part, spec, families) for part, spec in parts}


def read_substances(settings: PretrainSettings) -> tuple[list[Library] | None, FamilyTable | None]:
    """Read the libraries and the table of families; None stands for the default ones.

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
    return analytes(settings.libraries) or None, table


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
    physics: Physics | None = None,
) -> SimulatedRuns:
    """Simulate the runs of pre-training.

    Parameters
    ----------
    settings : PretrainSettings
    spec : EventSpec
    families : tuple of str, length K
    known : tuple of str
        Those of the families that can be simulated.
    seed : int
    work : Work
    library, table
        Those of the settings, from :func:`read_substances`.
    physics : Physics, optional
        As :func:`gale.simulate` takes it.
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
        physics=physics,
        seed=seed,
        work=work,
    )
    for row, example in enumerate(examples):
        features[row], events[row][:, columns] = example.item
        labels[row, columns] = example.families
    return SimulatedRuns(spec, features.astype(np.float32), labels, events)


def _note_unknown(families: tuple[str, ...], known: tuple[str, ...], progress: Progress) -> None:
    """Note the families that cannot be simulated."""
    if unknown := sorted(set(families) - set(known)):
        those = "a family" if len(unknown) == 1 else "families"
        progress.note(f"no pre-training for {those} that cannot be simulated: {', '.join(unknown)}")
    if not known:
        progress.note("networks are not pre-trained; raise fitting.epochs, or use the recipe quick")


def _cache_keys(
    recipe: Recipe,
    parts: Sequence[tuple[Part, EventSpec]],
    analytes: Compounds,
    families: tuple[str, ...],
    seed: int,
    device: torch.device,
) -> dict[str, str]:
    """Hash, for each part, all that its pre-trained weights depend on."""
    simulated = recipe.pretraining.model_dump(exclude={"shipped", "libraries", "families"})
    digest = _digest(analytes)
    choices = [
        families,
        seed,
        version("gale-ms"),
        torch.__version__,
        device.type,
    ]
    keys = {}
    for part, spec in parts:
        # Of the later fitting, only the precision counts.
        part_choices = part.model_dump(
            mode="json", exclude={"share", "fitting", "soup", "features"}
        )
        part_choices["augment"].pop("mixture")  # pre-training has none
        of_runs = [VERSION, simulated, digest, spec.to_dict()]
        text = json.dumps([part_choices, part.fitting.products, *of_runs, *choices])
        keys[part.name] = hashlib.sha256(text.encode()).hexdigest()
    return keys


def _digest(analytes: Compounds) -> str:
    """Hash the compounds, whatever files they are from."""
    texts = (analytes.family_names, analytes.name, analytes.inchikey, analytes.derivative)
    digest = hashlib.sha256(json.dumps(texts).encode())
    for array in (analytes.families, analytes.spectrum, analytes.index):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def fit_part(
    part: Part,
    runs: SimulatedRuns,
    n_validation: int,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> Weights:
    """Fit one network of a part; the last `n_validation` runs validate."""
    assert part.pretrain is not None
    features, labels = runs.features[:, columns_of(part, runs.spec)], runs.labels
    training = np.arange(len(labels) - n_validation)
    prior, scale = prior_logit(labels[training]), scale_of(part, runs.spec, features[training])
    loss: Loss = Loss(part.loss.hinge, 0.0)
    if part.sees_events:
        n_families = labels.shape[1]
        labels = np.concatenate([labels, runs.events.reshape(len(labels), -1)], axis=1)
        loss = _RunAndSpectrumLoss(0.0, 0.0, n_families=n_families)

    def build(jobs: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Module:
        network = build_network(
            part, runs.spec, generators, priors=[prior] * len(jobs), scales=[scale] * len(jobs)
        )
        return _RunAndSpectrumLogits(network) if isinstance(network, ElutionNetwork) else network

    name = f"{part.name}, pre-training"
    job = Job(name, training, np.arange(len(training), len(labels)), seed)
    examples = Examples(torch.tensor(features, device=device), torch.tensor(labels, device=device))
    settings = settings_of(part.pretrain, len(training))
    (_, fit), = fit_all(
        [job],
        build,
        examples,
        loss,
        settings,
        lambda status: progress.status(f"{name}, epoch {status.epoch} of {settings.epochs}"),
    )  # fmt: skip
    progress.step(
        f"{name}: lowest validation loss {fit.validation:.4f} in {len(fit.epochs)} epochs"
    )
    for key in fixed_biases(build([0], [torch.Generator()])):
        fit.weights[key][np.isnan(runs.labels).all(axis=0)] = np.nan
    return {key.removeprefix("network."): value for key, value in fit.weights.items()}


def _cached(
    cache: Cache, keys: Mapping[str, str], parts: Sequence[tuple[Part, EventSpec]], n_families: int
) -> dict[str, Weights]:
    """Return the weights that the cache has, by the names of the parts."""
    found = {
        part.name: cache.get(
            keys[part.name], partial(_is_usable, part=part, spec=spec, n_families=n_families)
        )
        for part, spec in parts
    }
    return {name: arrays for name, arrays in found.items() if arrays is not None}


def _is_usable(arrays: Arrays, part: Part, spec: EventSpec, n_families: int) -> bool:
    """Whether these are weights of the network of a part; only fixed biases may be NaN."""
    columns = columns_of(part, spec)
    blank = torch.zeros(columns.stop - columns.start)
    network = build_network(
        part,
        spec,
        [torch.Generator()],
        priors=[torch.zeros(n_families)],
        scales=[scale_of(part, spec, blank.numpy()[None])],
    )
    expected = {
        name.removeprefix("network."): array for name, array in get_weights(network, 0).items()
    }
    free = {name.removeprefix("network.") for name in fixed_biases(network)}
    return arrays.keys() == expected.keys() and all(
        (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype)
        and (is_finite(arrays[name]) or (name in free and not np.isinf(arrays[name]).any()))
        for name, array in expected.items()
    )


class _RunAndSpectrumLogits(nn.Module):
    """An elution network that also returns the logits of spectra: (E, R, K + N·K)."""

    def __init__(self, network: ElutionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.network.event_logits(x)
        return torch.cat([self.network.of_events(spectra), spectra.flatten(-2)], -1)


@dataclass(frozen=True)
class _RunAndSpectrumLoss(Loss):
    """Binary cross-entropy of runs plus that of their spectra, whose columns follow."""

    n_families: int = 0

    def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        edge = self.n_families
        run_loss = super().__call__(logits[..., :edge], labels[..., :edge], noise)
        spectrum_loss = binary_cross_entropy(logits[..., edge:], labels[..., edge:])
        return run_loss + EVENT_WEIGHT * spectrum_loss
