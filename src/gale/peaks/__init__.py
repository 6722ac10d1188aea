"""Peaks: what elutes in a run, when, how much, and which compounds it is like.

`traces` makes a matrix of a run, `detection` finds the apexes, `deconvolution` separates compounds
that elute together, `naming` compares their spectra with a library, `search` puts it together.
`ladder` finds n-alkanes, `table` writes peaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from gale.evidence import IndexTable, Matcher
from gale.errors import warn
from gale.peaks.naming import PeakMatch
from gale.peaks.search import Peak, search
from gale.plumbing.arguments import check_loaded
from gale.plumbing.kinds import checked
from gale.run import Run

__all__ = ["Peak", "PeakMatch", "Peaks", "find_peaks"]
