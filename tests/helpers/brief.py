"""The recipes that come with gale, brief: those that take minutes train for few epochs."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

RECIPES = files("gale") / "training" / "recipes"
"""Those of gale.training.recipe, which takes seconds to import."""

BRIEF = {
    "default": {
        "count = 5": "count = 2",
        "epochs = 24, patience = 24, least_steps = 336": "epochs = 2, patience = 2",
        "epochs = 30, patience = 30": "epochs = 2, patience = 2",
        "epochs = 60, patience = 60, least_steps = 840": "epochs = 3, patience = 3",
        "epochs = 100, patience = 100": "epochs = 3, patience = 3",
        "size = 2": "size = 1",
    },
    "quick": {"epochs = 100": "epochs = 3", "patience = 10": "patience = 3"},
}
"""What is changed; all else is as it is."""


def brief_recipes(folder: Path) -> None:
    """Fill a folder with the recipes, to take the place of RECIPES of gale.training.recipe."""
    shutil.copytree(str(RECIPES), folder, dirs_exist_ok=True)
    for name, changes in BRIEF.items():
        path = folder / f"{name}.toml"
        text = path.read_text("utf-8")
        for words, brief in changes.items():
            assert words in text, words
            text = text.replace(words, brief)
        path.write_text(text, "utf-8")
