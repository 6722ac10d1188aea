"""What `gale peaks` prints: the largest peaks of a run, and what the library warns of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from gale.cli.printing import echo
from gale.cli.wording import in_options
from gale.errors import GaleWarning

if TYPE_CHECKING:
    from gale.peaks import Peaks
    from gale.peaks.largest import LargePeak

Result = TypeVar("Result")

PRINTED = 25
"""Peaks that are printed, those with the largest area."""

KEY = 27
"""Letters of an InChIKey."""

LONGEST_COMPOUND = 38
"""Letters of a compound's name that are printed."""


def printed(peaks: Peaks) -> Iterator[str]:
    """Give the largest peaks of a run in order of time, one line each."""
    from gale.peaks.largest import largest_of

    which = f", the {PRINTED} largest" if len(peaks) > PRINTED else ""
    yield f"{peaks.source}: {len(peaks):,} peaks{which}"
    if not len(peaks):
        return
    yield (
        f"{'min':>8} {'index':>6} {'area %':>6} {'purity':>6} {'match':>5} {'rev.':>5}  "
        f"{'InChIKey':{KEY}}  compound"
    )
    for each in sorted(largest_of(peaks, PRINTED), key=lambda each: each.peak.apex_min):
        yield _line(each)


def _line(large: LargePeak) -> str:
    peak = large.peak
    index = f"{peak.index:.0f}" if peak.index == peak.index else "-"
    best = peak.matches[0] if peak.matches else None
    name = best.compound if best else peak.verdict
    if len(name) > LONGEST_COMPOUND:
        name = f"{name[: LONGEST_COMPOUND - 2]} …"
    match, reverse = (str(best.match), str(best.reverse)) if best else ("-", "-")
    key = best.inchikey if best else ""
    return (
        f"{peak.apex_min:8.3f} {index:>6} {100 * large.share:6.1f} {peak.purity:6.2f} "
        f"{match:>5} {reverse:>5}  {key or '-':{KEY}}  {name}"
        f"{f' ({large.remarks})' if large.remarks else ''}"
    )


def noted(function: Callable[..., Result], *given: Any, **named: Any) -> Result:
    """Call a function, and print what it warns of on standard error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", GaleWarning)
        result = function(*given, **named)
    for each in told:
        echo(f"note: {in_options(str(each.message))}", err=True)
    return result
