"""One fold of the published recipe, its soups side by side: validation and test log loss.

    python benchmarks/soups.py CAMPAIGN [--iterations 5] [--epochs 2000] [--work soups]

CAMPAIGN is a folder in the competition's layout with test_labels.csv. Networks train on its train
split and are stopped and chosen by its val split; its test split chose nothing. Finished fits are
kept in the work folder, and an interrupted run goes on from them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from gale import metrics
from gale.campaign import Campaign
from gale.features import summarise_runs
from gale.features.cache import Cache, default_folder
from gale.features.summary import SummarySpec
from gale.fitting import Weights, predict
from gale.folds import Fold
from gale.journal import Journal, Step
from gale.networks.summary import prior_logit
from gale.progress import Progress
from gale.recipe import FittingSettings, Recipe, SoupSettings
from gale.soups import Member, average_weights, greedy_soup, uniform_soup
from gale.trainer import Trainer


class Lines(Progress):
    """One line a fit."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def step(self, text: str = "") -> None:
        """Print what was fitted, and when."""
        print(f"{time.monotonic() - self.started:8.0f} s  {text}", flush=True)


def main() -> None:
    """Train, then print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaign", type=Path)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("soups"))
    options = parser.parse_args()

    campaign = Campaign.open(options.campaign)
    spec = SummarySpec()
    table = summarise_runs(campaign.paths, spec, cache=Cache(default_folder()))
    labels = np.array(campaign.labels)
    rows = {name: np.flatnonzero(np.array(campaign.split) == name) for name in ("train", "val")}
    test = np.array(campaign.split) == "test"

    published = Recipe.load("published")
    recipe = published.model_copy(
        update={
            "soup": SoupSettings(kind="fixed", size=5, iterations=options.iterations),
            "fitting": FittingSettings(
                **{**published.fitting.model_dump(), "epochs": options.epochs}
            ),
        }
    )
    fingerprint = str([spec.fingerprint, campaign.fingerprint(), recipe.to_dict(), options.seed])
    journal = Journal.open(options.work, fingerprint, resume=True)
    fold = Fold(rows["train"], rows["val"])
    trainer = Trainer(
        recipe, spec, options.seed, [fold], table.values, labels, journal, None, Lines()
    )

    def scores(members: list[Weights]) -> tuple[float, float]:
        probability = predict(trainer.network([0] * len(members), members), table.values).mean(0)
        return tuple(  # type: ignore[return-value]
            metrics.log_loss(labels[part], probability[part]) for part in (rows["val"], test)
        )

    def evaluate(weights: Weights) -> float:
        return trainer.evaluate(0, weights)

    (fixed,) = trainer.members()
    steps = [Step(0, "member", number) for number in range(5 + options.iterations)]
    members = [trainer.weights(step) for step in steps]
    ten = [Member(weights, evaluate(weights)) for weights in members]
    average = average_weights(members[:5])
    uniform = uniform_soup(ten, average_weights, evaluate)
    greedy = greedy_soup(ten, average_weights, evaluate)
    single = np.array([scores([weights]) for weights in members])
    prior = torch.sigmoid(prior_logit(labels[rows["train"]])).numpy()

    print(f"\n{'':<44}{'val':>8}{'test':>8}")
    for name, (val, on_test) in {
        "training prevalence": tuple(
            metrics.log_loss(labels[part], np.broadcast_to(prior, labels[part].shape))
            for part in (rows["val"], test)
        ),
        f"one member, mean of {len(ten)}": single.mean(axis=0),
        "  standard deviation": single.std(axis=0, ddof=1),
        "probabilities of 5 members averaged": scores(members[:5]),
        f"probabilities of {len(ten)} members averaged": scores(members),
        "weights of 5 members averaged, as they are": scores([average]),
        f"uniform soup of {len(ten)}": scores([uniform.weights]),
        f"greedy soup of {len(ten)}": scores([greedy.weights]),
        f"FixedSoup of 5, {options.iterations} iterations": scores(fixed),
    }.items():
        print(f"{name:<44}{val:8.4f}{on_test:8.4f}")


if __name__ == "__main__":
    main()
