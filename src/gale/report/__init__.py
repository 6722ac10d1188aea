"""What people look at in a browser: reports of runs, an index of them, the report of a training.

`pages` makes HTML of templates; `picture` is a run that can be read with pointer and keys, and
`runs` the report around it. `training` is the report of a training: what is `scored`, the `charts`,
the `shares` that they show, and labels with `doubts`.
"""

from __future__ import annotations

from gale.report.picture import plot_page
from gale.report.runs import index_page, page_names, run_report
from gale.report.scored import BASELINE, MODEL, Scored
from gale.report.training import training_report

__all__ = [
    "BASELINE",
    "MODEL",
    "Scored",
    "index_page",
    "page_names",
    "plot_page",
    "run_report",
    "training_report",
]
