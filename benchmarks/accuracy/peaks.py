"""How many peaks are found and named rightly, on simulated truth and on real runs.

A peak is found if its apex is at most one scan off; each peak counts once, the most abundant
first. Abundance is the height of the highest ion over the detection limit; overlap is the distance
to the nearest peak at least a tenth as abundant, in widths of a peak of the run. Peaks found where
none was put are the rest of the precision. Names are of compounds at least ten times over the
limit, once with the library that has them all, once with one from which half the compounds are
removed: of those, every name is wrong, and "nothing is like it" is right. --real names a folder of
real runs of known content, --foreign the script of another simulator.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

import gale
from benchmarks import options, tables
from benchmarks.accuracy import peaks_known
from benchmarks.accuracy.peaks_truth import Known, TruePeak, foreign, own
from benchmarks.tables import Table, percent
from gale.library import read_library
from gale.matching import Matcher
from gale.peaks import Peak
from gale.peaks.search import NAMED, NOTHING
from gale.peaks.traces import trace
from gale.run import Run

ABUNDANCE = (1.0, 3.0, 10.0, 30.0, 100.0, np.inf)
OVERLAP = (0.0, 0.5, 1.0, 2.0, 4.0, np.inf)

NAMEABLE = 10.0
"""Smallest abundance of a compound whose name is judged."""

BESIDE = 0.1
"""Smallest relative abundance of a neighbour that counts as overlapping."""


@dataclass(frozen=True)
class Judged:
    """What came of a peak that was put into a run.

    Parameters
    ----------
    true : TruePeak
    overlap : float
        Distance to the nearest neighbour, in widths.
    found : Peak or None
    without : Peak or None
        The same, compared with the library from which half the compounds are removed.
    """

    true: TruePeak
    overlap: float
    found: Peak | None
    without: Peak | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = options.parser("benchmarks.accuracy.peaks", __doc__, out=Path("peaks"))
    extra = Path(os.environ.get("GALE_EXTRA_DATA", "."))
    parser.add_argument("--runs", type=int, default=120, help="simulated runs (default: 120)")
    parser.add_argument("--seed", type=int, default=101, help="seed of both (default: 101)")
    parser.add_argument("--real", type=Path, default=extra / "real", help="folder of real runs")
    parser.add_argument("--foreign", type=Path, default=extra / "foreign" / "simulate.py")
    parser.add_argument("--library", type=Path, default=extra / "libraries" / "massbank_ei.msp.gz")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    embedded = Matcher.default()
    sources: dict[str, tuple[Iterable[Known], Matcher]] = {
        "gale's simulator": (own(asked.out / f"own-{asked.seed}", asked.runs, asked.seed), embedded)
    }
    if asked.foreign.exists() and asked.library.exists():
        made = foreign(asked.foreign, asked.out / f"other-{asked.seed}", asked.runs, asked.seed)
        sources["another simulator"] = (made, Matcher(read_library(asked.library)))
    for name, (runs, matcher) in sources.items():
        report(name, runs, matcher, markdown=asked.markdown)
    if asked.real.is_dir():
        for title, rows in peaks_known.tables_of(asked.real):
            tables.show(title, rows, markdown=asked.markdown)


def report(name: str, runs: Iterable[Known], matcher: Matcher, *, markdown: bool) -> None:
    """Judge the peaks of runs, and print what came of them."""
    judged: list[Judged] = []
    n_found = n_true = n_runs = n_ions = 0
    seconds = 0.0
    half = Matcher(matcher.library.take([not out for out in map(is_out, matcher.library.name)]))
    for run, true in runs:
        start = time.process_time()
        found = gale.find_peaks(run, matcher=matcher)
        seconds += time.process_time() - start
        without = gale.find_peaks(run, matcher=half)
        of_run, explained = judge(run, true, list(found), list(without))
        judged += of_run
        n_found, n_true, n_runs = n_found + len(found), n_true + explained, n_runs + 1
        n_ions += run.n_ions
    title = (
        f"{name}: {n_runs} runs, {n_found:,} peaks found, precision {n_true / n_found:.1%}, "
        f"{1e3 * seconds / n_runs:.0f} ms of one core a run of {n_ions / n_runs:,.0f} ions"
    )
    tables.show(title, recall(judged), markdown=markdown)
    names = [each for each in judged if each.true.compound and each.true.abundance >= NAMEABLE]
    tables.show(f"{name}: names", named(names, matcher), markdown=markdown)


def is_out(compound: str) -> bool:
    """Whether a compound is removed from the halved library: about every other one is."""
    return zlib.crc32(compound.encode()) % 2 == 0


def judge(
    run: Run, true: Sequence[TruePeak], found: list[Peak], without: list[Peak]
) -> tuple[list[Judged], int]:
    """Pair peaks with the truth; also the number of peaks found that are true."""
    step = float(np.median(np.diff(run.time_min)))
    width = trace(run).width * step
    inside = [
        each for each in true if run.time_min[0] < each.time_min < run.time_min[-1]
    ]  # others cannot be seen
    free = set(range(len(found)))
    judged = []
    for each in sorted(inside, key=lambda peak: -peak.abundance):
        off = {at: abs(found[at].apex_min - each.time_min) for at in free}
        at = min(off, key=off.__getitem__, default=None)
        tolerance = (1.01 if each.is_compound else 5) * step
        pair = at if at is not None and off[at] <= tolerance else None
        free.discard(-1 if pair is None else pair)
        if each.is_compound and each.abundance >= 1:
            here = None if pair is None else (found[pair], without[pair])
            distance = _nearest(each, inside) / width
            judged.append(Judged(each, distance, *(here or (None, None))))
    return judged, len(found) - len(free)


def _nearest(peak: TruePeak, others: Sequence[TruePeak]) -> float:
    return min(
        (
            abs(each.time_min - peak.time_min)
            for each in others
            if each is not peak and each.is_compound and each.abundance >= BESIDE * peak.abundance
        ),
        default=np.inf,
    )


def parts(
    judged: Sequence[Judged], limits: Sequence[float], of: Callable[[Judged], float]
) -> Iterator[tuple[str, list[Judged]]]:
    """Divide by a measure; each part with its name."""
    for low, high in pairwise(limits):
        name = f"{low:g} to {high:g}" if high < np.inf else f"{low:g} and more"
        yield name, [each for each in judged if low <= of(each) < high]


def recall(judged: Sequence[Judged]) -> Table:
    """How many peaks are found: rows by abundance, columns by overlap."""
    columns = [name for name, _ in parts([], OVERLAP, lambda each: each.overlap)]
    rows = [["times over the limit", "all", *(f"{name} widths" for name in columns)]]
    for name, some in parts(judged, ABUNDANCE, lambda each: each.true.abundance):
        by_overlap = [few for _, few in parts(some, OVERLAP, lambda each: each.overlap)]
        rows.append([name, *(_share_found(few) for few in (some, *by_overlap))])
    return rows


def _share_found(judged: Sequence[Judged]) -> str:
    share = percent([each.found is not None for each in judged])
    return f"{share} of {len(judged):,}" if judged else "-"


def named(judged: Sequence[Judged], matcher: Matcher) -> Table:
    """How many of the compounds that were found are named rightly."""
    rows = [["compounds", "found", "first right", "one of five", "named, wrong", "weak, wrong",
             "nothing is like it"]]  # fmt: skip
    known = set(matcher.library.name)
    seen = [each for each in judged if each.found and each.true.compound in known]
    for name, some in parts(seen, OVERLAP, lambda each: each.overlap):
        rows.append([f"in the library, {name} widths apart", *_shares(some, "found")])
    out = [each for each in seen if is_out(each.true.compound)]
    rows.append(["in the library, all", *_shares(seen, "found")])
    rows.append(["removed from the library", *_shares(out, "without")])
    return rows


def _shares(judged: Sequence[Judged], which: str) -> list[str]:
    pairs = [(each.true.compound, getattr(each, which)) for each in judged]
    first = [bool(peak.matches) and peak.matches[0].compound == name for name, peak in pairs]
    verdict = [peak.verdict for _, peak in pairs]
    wrong = [not right and said != NOTHING for right, said in zip(first, verdict, strict=True)]
    return [
        f"{len(pairs):,}",
        percent(first),
        percent([name in {match.compound for match in peak.matches} for name, peak in pairs]),
        percent([bad and said == NAMED for bad, said in zip(wrong, verdict, strict=True)]),
        percent([bad and said != NAMED for bad, said in zip(wrong, verdict, strict=True)]),
        percent([said == NOTHING for said in verdict]),
    ]


if __name__ == "__main__":
    main()
