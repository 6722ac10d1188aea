"""Make the model that comes with gale.

    python -m tools.make_bundled --foreign CAMPAIGN...

Takes the pre-trained networks that come with gale, which learned from simulated runs, and puts a
matching network beside them, which compares the spectra of a run with those that come with gale.
That is fitted to simulated runs of laboratories and instruments that no network saw; how much each
network counts, and the calibration, to those of others again. Half of the former and all of the
latter have the physics of tools/bundled_physics.toml; in all, gases come and go as they do in real
runs. Writes src/gale/data/model.onnx.gz, its weights in 8 bits.

Each CAMPAIGN, made by another simulator (benchmarks.accuracy.foreign says how), is predicted; the
log loss on its test runs, beside that of its training prevalence, goes into the file, and from
there into everything that the model gives. About nine minutes on one core.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gale.campaign import Campaign
from gale.cli.progress import ConsoleProgress
from gale.errors import GaleWarning
from gale.evaluation import metrics
from gale.evaluation.cutoffs import fit_cutoffs
from gale.features import compute_features
from gale.features.events import EventSpec
from gale.model import Model
from gale.model.facts import FORMAT
from gale.model.support import Support
from gale.model.unlike import fit_unlike
from gale.plumbing.files import writing
from gale.plumbing.work import Work
from gale.run import Floats, Floats32
from gale.simulation import Physics
from gale.simulation.examples import simulate_examples
from gale.training.calibration import Deviations, cross_fitted, fit_calibration
from gale.training.export import PartGraph, to_onnx
from gale.training.facts import scores_of
from gale.training.fitting import get_weights, predict_logits, set_weights
from gale.training.folds import Fold
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.networks.layers import count_members
from gale.training.networks.matching import MatchingNetwork
from gale.training.nodes import Precision
from gale.training.recipe import Part, Recipe
from gale.training.runs import fixed_spec
from gale.training.settings import EventSettings
from gale.training.shipped import (
    choices_of,
    shipped_families,
    shipped_source,
    shipped_weights,
    to_bytes,
)
from tools.bundled_matching import fit_matching, matching_logits
from tools.bundled_runs import Disturbed

DATA = Path(__file__).parent.parent / "src" / "gale" / "data"
FILE, WEIGHTS = DATA / "model.onnx.gz", DATA / "pretrained" / "matching.npz"
PHYSICS = Path(__file__).parent / "bundled_physics.toml"

RECIPE = "default"
"""Its networks look at apexes. Those of `flight` look at time bins: docs/bundled.md compares."""

SEED = 101
"""Of the runs that calibrate. Those of the next two seeds fit the matching network; pre-training
had the seed 0, so all are other laboratories."""

RUNS, OF_LABORATORY, INSTRUMENTS = 1200, 25, 5
"""Runs of each seed, runs of a laboratory, and instruments of each."""

FOLDS = 5

COMMON = Deviations(family_part=0.0)
"""Shares of the networks are common to all families, as they are in the model that is shipped."""

PLACES = 400
"""Runs that distances are measured to."""


@dataclass(frozen=True)
class Networks:
    """The pre-trained networks that come with gale, and the recipe that they are parts of."""

    recipe: Recipe
    spec: EventSpec
    families: tuple[str, ...]
    parts: list[PartGraph]

    @classmethod
    def load(cls, name: str = RECIPE) -> Networks:
        """Build the networks of a recipe that are pre-trained."""
        loaded = Recipe.load(name)
        chosen = loaded.features
        assert isinstance(chosen, EventSettings)
        spec = fixed_spec(chosen)
        assert isinstance(spec, EventSpec)
        families = shipped_families()
        alone = {"across_folds": False}
        trained = [
            part.model_copy(update={"soup": part.soup.model_copy(update=alone)})
            for part in loaded.parts
            if part.pretrain is not None
        ]
        parts = []
        for part in trained:
            columns = columns_of(part, spec)
            scale = scale_of(part, spec, np.zeros((1, columns.stop - columns.start), np.float32))
            prior = torch.zeros(len(families))
            network = build_network(part, spec, [torch.Generator()], priors=[prior], scales=[scale])
            set_weights(network, 0, shipped_weights(part, spec, families))
            parts.append(PartGraph(network.eval(), columns))
        recipe = loaded.model_copy(update={"name": "bundled", "parts": tuple(trained)})
        return cls(recipe, spec, families, parts)

    @property
    def members(self) -> int:
        """Members of all parts together."""
        return sum(count_members(network) for network, _ in self.parts)

    def logits(self, features: Floats32) -> Floats:
        """Return the logits (P, R, K) of P networks for features (R, D)."""
        return np.stack([_logits(network, features[:, at]) for network, at in self.parts])

    def with_matching(self, options: argparse.Namespace, work: Work) -> Networks:
        """Fit a matching network to simulated runs, and put it beside the others."""
        columns = slice(self.spec.profile.n_features, self.spec.n_features)
        harsh, usual = (
            simulated(self, options, options.seed + 1, Physics.load(PHYSICS), work),
            simulated(self, options, options.seed + 2, Physics.default(), work),
        )
        features = np.concatenate([harsh.features[:, columns], usual.features[:, columns]])
        labels = np.concatenate([harsh.labels, usual.labels])
        laboratory = np.concatenate([harsh.laboratory, usual.laboratory])
        network = fit_matching(self.spec, self.families, features, labels, laboratory, options.seed)
        return replace(self, parts=[*self.parts, PartGraph(network, columns)])


def _logits(network: nn.Module, features: Floats32) -> Floats32:
    """Return the mean logits (R, K) of the members of a network."""
    if isinstance(network, MatchingNetwork):
        return matching_logits(network, features)
    logits: Floats32 = predict_logits(network, features).mean(axis=0)
    return logits


class Simulated(NamedTuple):
    """Features (R, D) and labels (R, K) of simulated runs, and the laboratory of each (R,)."""

    features: Floats32
    labels: NDArray[np.float32]
    laboratory: NDArray[np.int64]


def simulated(
    networks: Networks, options: argparse.Namespace, seed: int, physics: Physics, work: Work
) -> Simulated:
    """Simulate runs with what disturbs them."""
    examples = list(
        simulate_examples(
            Disturbed(networks.spec),
            families=networks.families,
            runs=options.runs,
            runs_per_laboratory=options.of_laboratory,
            instruments=options.instruments,
            physics=physics,
            seed=seed,
            work=work,
        )
    )
    features = np.stack([example.item for example in examples]).astype(np.float32)
    labels = np.stack([example.families for example in examples]).astype(np.float32)
    return Simulated(features, labels, np.arange(len(labels)) // options.of_laboratory)


def make(networks: Networks, options: argparse.Namespace, work: Work) -> tuple[bytes, bytes]:
    """Fit the matching network, and calibrate all.

    Returns
    -------
    model : bytes
    weights : bytes
        Those of one member of the matching network, for recipes.
    """
    begun = time.process_time()
    networks = networks.with_matching(options, work)
    features, labels, laboratory = simulated(
        networks, options, options.seed, Physics.load(PHYSICS), work
    )
    logits = networks.logits(features)
    folds = [
        Fold(np.flatnonzero(laboratory % FOLDS != at), np.flatnonzero(laboratory % FOLDS == at))
        for at in range(FOLDS)
    ]
    support = Support.of([len(labels)] * len(networks.families))
    held_out = support.apply(cross_fitted(logits, labels, folds, deviations=COMMON))
    calibration = fit_calibration(logits, labels, deviations=COMMON)
    facts = _facts(networks, options.seed, labels, held_out, folds)
    facts["calibration"] = calibration.to_dict()
    unlike = fit_unlike(features, networks.spec.blocks, most_runs=PLACES)

    def written(more: Mapping[str, Any], precision: Precision) -> bytes:
        how = (calibration, unlike, support)
        return to_onnx(
            networks.parts, networks.spec.n_features, {**facts, **more}, *how, precision=precision
        )

    full, short = (Model(written({}, precision)) for precision in ("float32", "int8"))
    measured = [_measure(full, short, folder) for folder in options.foreign]
    laboratories = int(laboratory[-1]) + 1
    bundled = {
        "simulated": {
            "laboratories": laboratories,
            "instruments": laboratories * options.instruments,
        },
        "foreign": [each["campaign"] for each in measured],
        "precision": {
            "weights": "8 bits",
            "largest_change": max((each["change"] for each in measured), default=0.0),
            "log_loss": _mean([each["campaign"]["log_loss"] for each in measured]),
            "full": _mean([each["full"] for each in measured]),
        },
        "versions": [f"{name} {version(name)}" for name in ("gale-ms", "torch", "onnx", "numpy")],
        "seconds": round(time.process_time() - begun, 1),
    }
    return written({"bundled": bundled}, "int8"), _weights(networks, options)


def _weights(networks: Networks, options: argparse.Namespace) -> bytes:
    """Return the weights of a member of the matching network, with what made them."""
    part = Part(name="matching", kind="matching", share=1.0)
    facts = {
        "choices": choices_of(part, networks.spec),
        "families": networks.families,
        "simulated": {
            "runs": 2 * options.runs,
            "runs_per_laboratory": options.of_laboratory,
            "instruments": options.instruments,
            "physics": [PHYSICS.name, "usual"],
            "seeds": [options.seed + 1, options.seed + 2],
        },
        "libraries": {},
        "versions": {"gale": version("gale-ms"), "torch": torch.__version__},
    }
    return to_bytes(get_weights(networks.parts[-1].network, 0), facts)


def _facts(
    networks: Networks,
    seed: int,
    labels: NDArray[np.float32],
    held_out: Floats,
    folds: Sequence[Fold],
) -> dict[str, Any]:
    """State what any model states, see `gale.model.facts`."""
    prior = np.empty(labels.shape)
    for fold in folds:
        prior[fold.validation] = labels[fold.training].mean(axis=0)
    fingerprint = hashlib.sha256(json.dumps([networks.recipe.to_dict(), seed]).encode())
    for network, _ in networks.parts:
        for value in network.state_dict().values():
            fingerprint.update(value.numpy().tobytes())
    caution = "they are simulated, as is all that the networks learned from"
    return {
        "format": FORMAT,
        "gale_version": version("gale-ms"),
        "created": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "recipe": _recipe(networks),
        "seed": seed,
        "families": list(networks.families),
        "prevalence": labels.mean(axis=0).round(6).tolist(),
        "features": networks.spec.to_dict(),
        "columns": None,
        "training": {
            "campaign": "simulated laboratories",
            "runs": len(labels),
            "unreadable": [],
            "positive": labels.sum(axis=0).astype(int).tolist(),
            "known": [len(labels)] * len(networks.families),
            "fingerprint": fingerprint.hexdigest(),
        },
        "pretrained": shipped_source([(part, networks.spec) for part in networks.recipe.parts]),
        "members": networks.members,
        "folds": len(folds),
        "calibrated": True,
        "supported": True,
        "scores": {
            **scores_of(labels, held_out, prior, len(folds), caution),
            "measured_on": f"{len(labels):,} runs of laboratories held out in {len(folds)} folds",
        },
        "cutoffs": fit_cutoffs(labels, held_out, [fold.validation for fold in folds]),
    }


def _recipe(networks: Networks) -> dict[str, Any]:
    """State the recipe of the networks, and what the matching network is, which no recipe has."""
    recipe = networks.recipe.to_dict()
    matching = networks.parts[-1].network
    assert isinstance(matching, MatchingNetwork)
    facts = {"name": "matching", "network": {"kind": "matching"}, "spectra": sum(matching.sizes)}
    return {**recipe, "parts": [*recipe["parts"], facts]}


def _measure(full: Model, short: Model, folder: Path) -> dict[str, Any]:
    """Measure the model on the test runs of a campaign, and what its short weights change."""
    campaign = Campaign.open(folder)
    test = campaign.of_split("test")
    features = compute_features(test.paths, short.spec, Work(columns=test.columns)).values
    prior = np.clip(campaign.of_split("train").prevalence(), 1e-3, 1 - 1e-3)
    probability = short.predict_features(features)[0]
    before = full.predict_features(features)[0]
    return {
        "campaign": {
            "campaign": folder.name,
            "runs": len(test),
            "log_loss": round(metrics.log_loss(test.labels, probability), 4),
            "prior": round(
                metrics.log_loss(test.labels, np.broadcast_to(prior, probability.shape)), 4
            ),
        },
        "full": round(metrics.log_loss(test.labels, before), 4),
        "change": round(float(np.abs(probability - before).max()), 5),
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foreign", type=Path, nargs="*", default=[])
    parser.add_argument("--recipe", default=RECIPE, help="whose pre-trained networks are taken")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--of-laboratory", type=int, default=OF_LABORATORY)
    parser.add_argument("--instruments", type=int, default=INSTRUMENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=FILE)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="of the matching network")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", GaleWarning)
    torch.set_num_threads(1)
    made = make(Networks.load(options.recipe), options, Work(progress=ConsoleProgress()))
    data, weights = made
    with writing(options.weights, force=True) as temporary:
        temporary.write_bytes(weights)
    with writing(options.output, force=True) as temporary:
        temporary.write_bytes(
            gzip.compress(data, mtime=0) if options.output.suffix == ".gz" else data
        )
    facts = Model(data).facts
    print(f"{options.output}: {len(data):,} bytes")
    print(json.dumps({**facts["scores"], **facts["bundled"]}, indent=1))


if __name__ == "__main__":
    main()
