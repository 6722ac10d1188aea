"""Evidence that is nothing but gases of air and moisture, which every background has, too.

Some families show as such gases: minerals that are heated give off water, oxygen or carbon dioxide.
But a leak, moisture or a change of the carrier gas looks the same, so that has to be said.
"""

from __future__ import annotations

from collections.abc import Sequence

from gale.evidence.attribution import Attribution
from gale.evidence.windows import Window
from gale.inspection.measures import AIR

ALONE = 0.9
"""Least share of the falls of a family's ions that these gases have, for evidence of air alone."""


def air_of(found: Sequence[Window | Attribution]) -> tuple[int, ...]:
    """Name the m/z of air on which the evidence for a family rests; none if it has others.

    Parameters
    ----------
    found : sequence of Window or Attribution
        The evidence for one family in a run; that of windows counts by their shares.

    Returns
    -------
    tuple of int
        The most important first.

    Examples
    --------
    >>> from gale.evidence import Attribution
    >>> air_of([Attribution("mineral", 0.6, (18, 17, 57), (2.0, 0.5, 0.1))])
    (18, 17)
    >>> air_of([Attribution("alcohol", 0.6, (31, 18), (2.0, 0.5))])
    ()
    """
    falls: dict[int, float] = {}
    for each in found:
        share = each.share if isinstance(each, Window) else 1.0
        for mz, fall in zip(each.ions, each.falls, strict=True):
            falls[mz] = falls.get(mz, 0.0) + share * fall
    of_air = {mz: fall for mz, fall in falls.items() if mz in AIR}
    if sum(of_air.values()) < ALONE * sum(falls.values()) or not of_air:
        return ()
    return tuple(sorted(of_air, key=lambda mz: -of_air[mz]))


def air_text(mz: Sequence[int]) -> str:
    """Say that evidence is of air alone.

    Examples
    --------
    >>> air_text((18, 17, 44))
    'by gases of air and moisture alone (m/z 18, 17, 44): a leak or a damp column looks the same'
    """
    named = ", ".join(map(str, mz))
    return (
        f"by gases of air and moisture alone (m/z {named}): a leak or a damp column looks the same"
    )
