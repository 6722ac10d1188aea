"""Campaigns with known truth, from libraries of spectra.

The way of the data: libraries are read as `compounds`; these, the substances of every laboratory
and the instruments (drawn from the ranges of `physics`) are a `laboratory`. A `design` has a `plan`
for each run: its families come from `label_sets`, its peaks are its `contents`. Laboratory and
design are a `series`. A plan becomes a signal (`chromatogram`, with times from `retention`), the
signal what a `detector` records (`run`), and all of them a campaign on disk (`writing`), or
`examples` in memory to train on.
"""

from __future__ import annotations

from gale.simulation.campaign import simulate
from gale.simulation.physics import Physics

__all__ = ["Physics", "simulate"]
