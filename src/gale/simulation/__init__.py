"""Campaigns with known truth, simulated from libraries of spectra.

Data flow: `compounds` reads libraries; the compounds, the substances of every laboratory and the
instruments (drawn from the ranges of `physics`) make a `laboratory`. A `design` has a `plan` for
each run: `label_sets` gives its families, `peaks` its peaks. Laboratory and design make a `series`.
`chromatogram` turns a plan into a signal (with times from `retention`), a `detector` records it
(`run`), and the runs become a campaign on disk (`writing`) or `examples` in memory to train on,
with `targets` for each spectrum.
"""

from __future__ import annotations

from gale.simulation.campaign import simulate
from gale.simulation.physics import Physics

__all__ = ["Physics", "simulate"]
