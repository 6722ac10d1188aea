"""Matching: which compounds of a library have a spectrum like one of a run.

`matcher` compares spectra, `families` says which families a compound carries, and `index` gives the
retention index of a time, which tells compounds of similar spectra apart.
"""

from __future__ import annotations

from gale.matching.index import IndexTable
from gale.matching.matcher import Match, Matcher

__all__ = ["IndexTable", "Match", "Matcher"]
