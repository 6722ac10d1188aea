"""Ladders: runs of n-alkanes, whose times give the retention indices of other runs.

The spectra of n-alkanes are alike: ions at m/z 14 n + 1, highest at 43 to 85, and a weak molecular
ion at 14 n + 2, which alone tells the number of carbon atoms. Homologues elute in order, so the
peaks of a ladder are numbered together: the numbers rise from peak to peak, and the molecular ions
should agree with as many of them as possible.

Symbols: K peaks that may be alkanes, N numbers of carbon atoms.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gale.errors import ReadError, warn
from gale.matching import IndexTable
from gale.peaks.search import Peak, search
from gale.plumbing.arguments import check_loaded, check_whole
from gale.plumbing.kinds import checked_but
from gale.plumbing.text import counted, listed
from gale.run import Floats, Run

CARBONS = range(5, 61)
"""Numbers of carbon atoms that are looked for."""

USUAL = range(8, 41)
"""Those that ladders usually have."""

SATURATED, UNSATURATED = (43, 57, 71, 85, 99), (41, 55, 69, 83, 97)
"""Main ions of n-alkanes, and those of alkenes and many other compounds, two below."""

LEAST_SHARE, LEAST_RATIO = 0.35, 1.3
"""Smallest share of the main ions in the spectrum of an alkane, and smallest ratio of those of m/z
71 and more to the others two below."""

LEAST_HEIGHT = 0.01
"""Smallest height of an alkane relative to the second highest one of the run."""

FEWEST = 4
"""A run with fewer alkanes is no ladder."""

SEEN, HEAVIER = 1.0, 2.0
"""What a molecular ion speaks for a number of carbon atoms, and heavier ions against it."""

CLEAR_ION = 0.002
"""Height of a heavier ion, relative to the base peak, that counts."""

MISSING, SKIPPED = 0.75, 0.5
"""What an alkane without a peak, and a peak that is none of the ladder, cost."""

ALKANE = 0.5
"""What every further peak of a ladder gains, so that longer ladders are better."""

LEAST_SEEN, SEEN_SHARE = 2, 0.25
"""Molecular ions that a ladder needs to be numbered, and the share of its alkanes with one."""

IRREGULAR, IRREGULAR_SHARE = 2.0, 0.1
"""Neighbouring steps of a ladder, in minutes per carbon atom, differ by less than this factor, but
for so large a share of them."""


@checked_but("run")
def find_ladder(run: Run, *, first_alkane: int | None = None) -> IndexTable:
    """Find the n-alkanes of a ladder, and make a table of their times and retention indices.

    Warns (`gale.GaleWarning`) of alkanes between the first and the last that have no peak.

    Parameters
    ----------
    run : Run
        A run of n-alkanes, measured as the runs whose retention indices are wanted.
    first_alkane : int, optional
        Number of carbon atoms of the first alkane; by default the molecular ions tell.

    Returns
    -------
    IndexTable
        For :func:`gale.find_peaks` and :func:`gale.explain`.

    Raises
    ------
    ReadError
        If the run has fewer than four n-alkanes, or shows no molecular ions to number them by.

    Examples
    --------
    A run of decane to tridecane, and the retention index of any time between them:

    >>> import numpy as np
    >>> from gale import Run, find_ladder
    >>> scans, ions = np.arange(300), {43: 0.9, 57: 1.0, 71: 0.65, 85: 0.45}
    >>> traces = dict.fromkeys((43, 57, 71, 85, 142, 156, 170, 184), 10.0 + 0 * scans)
    >>> for carbons, apex in zip((10, 11, 12, 13), (50, 110, 165, 215)):
    ...     for mz, height in (ions | {14 * carbons + 2: 0.05}).items():
    ...         peak = 1e5 * height * np.exp(-(((scans - apex) / 4) ** 2))
    ...         traces[mz] = traces[mz] + peak
    >>> intensity = np.stack(list(traces.values()), axis=1).ravel()
    >>> run = Run.from_scans(scans / 100, np.full(300, 8), np.tile(list(traces), 300), intensity)
    >>> table = find_ladder(run)
    >>> table.index, round(table.at(0.80))
    (array([1000., 1100., 1200., 1300.]), 1050)
    """
    check_loaded("run", run, Run)
    if first_alkane is not None:
        check_whole("first_alkane", first_alkane, CARBONS[0], CARBONS[-1])
    peaks = _alkanes(search(run, None, None))
    evidence = np.array([[_evidence(peak, number, run) for number in CARBONS] for peak in peaks])
    chain = _chain(evidence.reshape(len(peaks), len(CARBONS)), first_alkane)
    numbers = [CARBONS[column] for _, column in chain]
    times = np.array([peaks[at].apex_min for at, _ in chain])
    if len(chain) < FEWEST:
        raise _no_ladder(run, _found_alone(peaks, evidence))
    seen = sum(evidence[at, column] >= SEEN for at, column in chain)
    if first_alkane is None and seen < max(LEAST_SEEN, SEEN_SHARE * len(chain)):
        raise ReadError(
            run.source,
            f"has {counted(len(peaks), 'peak')} like n-alkanes, but no molecular ions that tell "
            "which they are",
            "molecular ions, such as m/z 142 of decane",
            "pass first_alkane=10 if the first alkane is decane",
        )
    if not _is_regular(times, numbers):
        alike = f"{counted(len(numbers), 'peak')} are like n-alkanes, but not spaced like a ladder"
        raise _no_ladder(run, alike)
    if missing := sorted(set(range(numbers[0], numbers[-1])) - set(numbers)):
        warn(
            f"{run.source}: no peak of {_listed(missing)} between {_listed(numbers[:1])} and "
            f"{_listed(numbers[-1:])}; indices there are interpolated"
        )
    return IndexTable(times, 100.0 * np.array(numbers), f"n-alkanes of {run.source}")


def _alkanes(peaks: Iterable[Peak]) -> list[Peak]:
    """Choose the peaks whose spectra are those of alkanes, as high as at least a trace."""
    alike = [peak for peak in peaks if _is_alkane(peak)]
    highest = sorted(peak.height for peak in alike)[-2:]
    return [peak for peak in alike if peak.height >= LEAST_HEIGHT * highest[0]]


def _is_alkane(peak: Peak) -> bool:
    saturated = peak.intensity[np.isin(peak.mz, SATURATED)].sum()
    heavier = peak.intensity[np.isin(peak.mz, SATURATED[2:])].sum()
    beside = peak.intensity[np.isin(peak.mz, UNSATURATED[2:])].sum()
    return bool(
        saturated >= LEAST_SHARE * peak.height
        and heavier >= LEAST_RATIO * beside
        and heavier > 0
        and peak.base_mz in SATURATED
    )


def _evidence(peak: Peak, number: int, run: Run) -> float:
    """What the heaviest ions of a peak speak for a number of carbon atoms, and against it."""
    molecular = 14 * number + 2
    base = float(peak.intensity.max())
    seen = molecular in peak.mz
    heavier = peak.intensity[peak.mz > molecular + 2]
    against = bool(np.any(heavier >= CLEAR_ION * base))
    if molecular > run.mz.max() + 0.5:
        return 0.0
    return SEEN * seen - HEAVIER * against


def _chain(evidence: Floats, first: int | None) -> list[tuple[int, int]]:
    """Number peaks in order of time: pairs of a peak and a column of `evidence`, (K, N).

    Of all numberings that rise from peak to peak, the one with the most evidence less what missing
    alkanes and skipped peaks cost (dynamic programming).
    """
    n_peaks, n_columns = evidence.shape
    columns = np.arange(n_columns)
    best = evidence - SKIPPED * np.arange(n_peaks)[:, None]
    if first is not None:
        best = np.where(columns == CARBONS.index(first), best, -np.inf)
    before = np.full((n_peaks, n_columns, 2), -1)
    for peak in range(n_peaks):
        for earlier in range(peak):
            cost = SKIPPED * (peak - earlier - 1) + MISSING * np.maximum(
                columns[:, None] - columns - 1, 0
            )
            gained = np.where(columns[:, None] > columns, best[earlier] - cost, -np.inf)
            origin = gained.argmax(axis=1)
            score = gained[columns, origin] + evidence[peak] + ALKANE
            better = score > best[peak]
            best[peak, better] = score[better]
            before[peak, better, 0] = earlier
            before[peak, better, 1] = origin[better]
    if not best.size:
        return []
    after = SKIPPED * (n_peaks - 1 - np.arange(n_peaks))[:, None]
    at, column = np.unravel_index((best - after).argmax(), best.shape)
    chain = []
    while at >= 0:
        chain.append((int(at), int(column)))
        at, column = before[at, column]
    return chain[::-1]


def _is_regular(times: Floats, numbers: list[int]) -> bool:
    """Whether the steps from alkane to alkane change slowly, as in any temperature programme."""
    pace = np.log(np.diff(times) / np.diff(numbers))
    return bool(np.mean(np.abs(np.diff(pace)) > np.log(IRREGULAR)) <= IRREGULAR_SHARE)


def _found_alone(peaks: list[Peak], evidence: Floats) -> str:
    """Say which alkanes show their molecular ion, and which of the usual ones were not found."""
    seen = {
        CARBONS[int(row.argmax())]: peak.apex_min
        for peak, row in zip(peaks, evidence, strict=True)
        if row.max() >= SEEN
    }
    if not seen:
        return "no n-alkane was found"
    at = listed(f"{time:.2f}" for time in seen.values())
    others = [number for number in USUAL if number not in seen]
    return f"{_listed(sorted(seen))} may be at {at} min; {_listed(others)} were not found"


def _no_ladder(run: Run, found: str) -> ReadError:
    return ReadError(
        run.source,
        f"is no ladder of n-alkanes: {found}",
        f"at least {FEWEST} n-alkanes, such as C8 to C20",
        "name a run of an alkane standard, or give a table of times and indices",
    )


def _listed(numbers: list[int]) -> str:
    """Name alkanes by their numbers of carbon atoms: ``C8, C10 to C12``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"C{each[0]}" + (f" to C{each[-1]}" if each[1:] else "") for each in parts)
