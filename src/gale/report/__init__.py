"""What people look at: pages of runs with an index, the page of a training, a model card.

`pages` makes HTML from templates. `picture` draws a run that can be read with pointer and keys,
`run_page` is the page around it, and `folder` makes many of them. `training` collects what the page
of a training shows (`training_files`, `scored`, `second_look`), and `training_page` shows it with
`charts` and `shares`. `card` is the model card, with `front_matter` for model hubs,
`crate` a description for repositories of data. `training` is
imported by itself, since it needs the extra to train.
"""

from __future__ import annotations

from gale.report.card import model_card
from gale.report.crate import write_crate
from gale.report.folder import run_pages
from gale.report.picture import plot_page
from gale.report.run_page import run_report
from gale.report.training_files import TrainingFiles

__all__ = [
    "TrainingFiles",
    "model_card",
    "plot_page",
    "run_pages",
    "run_report",
    "write_crate",
]
