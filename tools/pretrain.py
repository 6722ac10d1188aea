"""Make the pre-trained weights that come with gale.

    python tools/pretrain.py --library a.msp.gz b.msp.gz --workers 2

Simulates runs of the compounds of the embedded library and of these files, fits each part of the
recipe `default` that has ``pretrain``, and writes a file for each into src/gale/data/pretrained.
Give only libraries whose licences let what learned from them be shipped; NOTICE names them.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import torch

from gale.chemistry.families import default_family_table
from gale.cli.progress import ConsoleProgress
from gale.features.events import EventSpec
from gale.plumbing.files import writing
from gale.plumbing.reading import sha256_of
from gale.plumbing.work import Work
from gale.training.pretraining import OWN_LIBRARIES, pretrain
from gale.training.recipe import Recipe
from gale.training.runs import fixed_spec
from gale.training.settings import EventSettings, PretrainSettings
from gale.training.shipped import choices_of, to_bytes

FOLDER = Path(__file__).parent.parent / "src" / "gale" / "data" / "pretrained"

SIMULATED = PretrainSettings(runs=9600, runs_per_laboratory=160, instruments=8)
"""Many instruments matter more than many runs of each."""


def main() -> None:
    """Pre-train and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", type=Path, nargs="*", default=[])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=SIMULATED.runs)
    parser.add_argument("--output", type=Path, default=FOLDER)
    options = parser.parse_args()
    recipe = Recipe.load("default")
    assert isinstance(recipe.features, EventSettings)
    chosen = recipe.features
    spec = fixed_spec(chosen)
    assert isinstance(spec, EventSpec)
    families = tuple(default_family_table())
    files = (OWN_LIBRARIES, *map(str, options.library))
    simulated = SIMULATED.model_copy(update={"libraries": files, "runs": options.runs})
    weights = pretrain(
        recipe.model_copy(update={"pretraining": simulated}),
        spec,
        families,
        seed=0,
        work=Work(workers=options.workers, progress=ConsoleProgress()),
    ).weights
    options.output.mkdir(parents=True, exist_ok=True)
    for part in recipe.parts:
        if part.name not in weights:
            continue
        facts = {
            "choices": choices_of(part, spec),
            "families": families,
            "simulated": simulated.model_dump(exclude={"libraries", "families", "shipped"}),
            "libraries": {file.name: sha256_of(file) for file in options.library},
            "versions": {"gale": version("gale-ms"), "torch": torch.__version__},
        }
        file = options.output / f"{part.name}.npz"
        with writing(file, force=True) as temporary:
            temporary.write_bytes(to_bytes(weights[part.name], facts))
        print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
