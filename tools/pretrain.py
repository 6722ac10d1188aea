"""Make the pre-trained weights that come with gale.

    python tools/pretrain.py --library a.msp.gz b.msp.gz --workers 2

Simulates runs of the compounds of the embedded library and of these files: one half with the usual
physics, the other with that of tools/second_physics.toml, on more instruments than a user would
wait for. Fits each part of a recipe that has ``pretrain``, and writes a file for each into
src/gale/data/pretrained. The runs stay in --runs-folder, so an interrupted command goes on from
there, and another recipe with the same features uses them again. Give only libraries whose licences
let what learned from them be shipped; NOTICE names them.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from gale.chemistry.families import default_family_table
from gale.cli.progress import ConsoleProgress
from gale.features.events import EventSpec
from gale.plumbing.files import writing
from gale.plumbing.reading import sha256_of
from gale.plumbing.work import Work
from gale.simulation.physics import Physics
from gale.training.pretraining import (
    OWN_LIBRARIES,
    SimulatedRuns,
    fit_part,
    read_substances,
    simulate_runs,
)
from gale.training.recipe import Recipe
from gale.training.runs import fixed_spec
from gale.training.settings import EventSettings, PretrainSettings
from gale.training.shipped import choices_of, to_bytes

FOLDER = Path(__file__).parent.parent / "src" / "gale" / "data" / "pretrained"

SIMULATED = PretrainSettings(runs=12_000, runs_per_laboratory=48, instruments=6)
"""Many instruments matter more than many runs of each: these are 250 laboratories' 1,500."""

PHYSICS = {0: "usual", 7: "second_physics.toml"}
"""The seed and the physics of each half."""

VALIDATION = 240
"""Runs of each half that validate."""


def main() -> None:
    """Pre-train and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", type=Path, nargs="*", default=[])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=SIMULATED.runs)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--runs-folder", type=Path, default=Path("pretraining"))
    parser.add_argument("--output", type=Path, default=FOLDER)
    options = parser.parse_args()
    recipe = Recipe.load(options.recipe)
    assert isinstance(recipe.features, EventSettings)
    spec, families = fixed_spec(recipe.features), tuple(default_family_table())
    assert isinstance(spec, EventSpec)
    files = (OWN_LIBRARIES, *map(str, options.library))
    simulated = SIMULATED.model_copy(update={"libraries": files, "runs": options.runs})
    work = Work(workers=options.workers, progress=ConsoleProgress())
    halves = [_half(options.runs_folder, simulated, spec, families, seed, work) for seed in PHYSICS]
    n_validation = min(VALIDATION, options.runs // 4)
    runs = _joined(halves, n_validation)
    options.output.mkdir(parents=True, exist_ok=True)
    for part in recipe.parts:
        if part.pretrain is None:
            continue
        n_last = n_validation * len(halves)
        weights = fit_part(part, runs, n_last, 0, torch.device("cpu"), work.progress)
        facts = {
            "choices": choices_of(part, spec),
            "families": families,
            "simulated": {
                **simulated.model_dump(exclude={"libraries", "families", "shipped"}),
                "physics": list(PHYSICS.values()),
                "seeds": list(PHYSICS),
            },
            "libraries": {file.name: sha256_of(file) for file in options.library},
            "versions": {"gale": version("gale-ms"), "torch": torch.__version__},
        }
        name = f"{recipe.features.kind}-{part.name}" if part.sees_events else part.name
        file = options.output / f"{name}.npz"
        with writing(file, force=True) as temporary:
            temporary.write_bytes(to_bytes(weights, facts))
        print(f"{file}: {file.stat().st_size:,} bytes")


def _half(
    folder: Path,
    simulated: PretrainSettings,
    spec: EventSpec,
    families: tuple[str, ...],
    seed: int,
    work: Work,
) -> SimulatedRuns:
    """Simulate the runs of one physics, or read those that were simulated before."""
    half = simulated.model_copy(update={"runs": simulated.runs // len(PHYSICS)})
    file = folder / f"{spec.fingerprint}-{half.runs}-{seed}.npz"
    if not file.exists():
        changed = Path(__file__).parent / PHYSICS[seed]
        physics = Physics.load(changed) if changed.exists() else Physics.default()
        library, table = read_substances(half)
        made = simulate_runs(
            half, spec, families, families, seed, work, library=library, table=table,
            physics=physics,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        with writing(file, force=False) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream,
                features=made.features.astype(np.float16),
                labels=made.labels,
                events=made.events,
            )
    with np.load(file) as arrays:
        return SimulatedRuns(
            spec, arrays["features"].astype(np.float32), arrays["labels"], arrays["events"]
        )


def _joined(halves: list[SimulatedRuns], n_last: int) -> SimulatedRuns:
    """Put runs together, the last ones of each half at the end."""

    def join(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(
            [array[:-n_last] for array in arrays] + [array[-n_last:] for array in arrays]
        )

    return SimulatedRuns(
        halves[0].spec,
        join([half.features for half in halves]),
        join([half.labels for half in halves]),
        join([half.events for half in halves]),
    )


if __name__ == "__main__":
    main()
