"""What predictions say of runs of new compounds, see `gale.matching.novelty`."""

from __future__ import annotations

NOTED_NOVELTY = 0.5
"""Least novelty of a run that is noted."""

NEW_COMPOUNDS = "has strong spectra that no training run has, so its numbers are less sure"


def novel_notes(novelty: float | None) -> tuple[str, ...]:
    """Note that what is in a run is new, if it is.

    Parameters
    ----------
    novelty : float or None
        From 0 to 1; None if it is not measured.

    Examples
    --------
    >>> novel_notes(0.2), novel_notes(None)
    ((), ())
    """
    return (NEW_COMPOUNDS,) if novelty is not None and novelty >= NOTED_NOVELTY else ()
