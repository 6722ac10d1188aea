"""Predictions of all runs, as they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gale.cli.spectra import Spectra
from gale.cli.tasks.predict import PREDICTIONS, UNWRITTEN

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.listings import Listing
    from gale.model.cutoffs import Cutoffs
    from gale.plumbing.batches import Finished


@dataclass(frozen=True)
class Result:
    """Predictions that are finished: what predicted, which runs, and what was asked for."""

    model: gale.Model
    listing: Listing
    finished: Finished
    cutoffs: Cutoffs | None
    spectra: Spectra

    def tables(self) -> Iterator[pl.DataFrame]:
        """Give the predictions of each chunk as they are written."""
        return (table.drop(UNWRITTEN) for table in self.finished.tables(PREDICTIONS))
