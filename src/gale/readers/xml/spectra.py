"""Spectra of an XML format made a run: which of them are the run, and in which order."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import nan
from typing import TypeVar

import numpy as np
from lxml import etree

from gale.errors import ReadError
from gale.readers.scans import FACT_SPECTRA, profile_error, sort_ions
from gale.run import Floats, Run

Reading = TypeVar("Reading")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum as a file has it.

    ``function`` tells the traces of an instrument apart that scans in more than one way; ``sim``
    is selected ion monitoring; of profile spectra that are refused there are no arrays.
    """

    name: str
    time_min: float
    mz: Floats
    intensity: Floats
    tic: float = nan
    function: str = ""
    sim: bool = False
    centroid: bool = False
    profile: bool = False


@dataclass
class Spectra:
    """The spectra of MS level 1 of a file, and the count of all else that is in it, by name.

    ``room`` is how many bytes its arrays may still unpack to; ``profile`` says whether profile
    spectra are kept, to be centroided, rather than refused.
    """

    source: str
    room: int
    profile: bool = False
    kept: list[Spectrum] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def take_room(self, size: int, where: str) -> None:
        """Count an array of `size` bytes, before it is unpacked.

        Raises
        ------
        ReadError
            If there is no room for it.
        """
        self.room -= size
        if self.room < 0:
            raise ReadError(
                f"{where} unpacks, with those before it, to far more than the file; expected a "
                "run, whose arrays shrink to a third; look at what it is"
            )

    def to_run(self, format_: str, facts: dict[str, str], notes: tuple[str, ...] = ()) -> Run:
        """Make the run of the spectra that scan, in order of time.

        Where there are several functions, that with the most spectra is the run, the first of
        equal ones; selected ion monitoring is the run only where nothing else is.

        Raises
        ------
        UnsupportedFormatError
            If one of them is profile data.
        ReadError
            As :meth:`gale.run.Run.from_scans`.
        """
        chosen = self._choose()
        notes = (*notes, *(f"{n:,} {what} were left out" for what, n in self.left_out.items()))
        for spectrum in chosen:
            if spectrum.profile and not self.profile:
                raise profile_error(
                    self.source, f"spectrum {spectrum.name} is declared to be profile data"
                )
        if any(b.time_min < a.time_min for a, b in pairwise(chosen)):
            chosen.sort(key=lambda spectrum: spectrum.time_min)
            notes = (*notes, "spectra were not in order of time; they were sorted")
        if chosen and all(spectrum.centroid for spectrum in chosen):
            facts = {**facts, FACT_SPECTRA: "centroid"}
        counts = np.array([len(spectrum.mz) for spectrum in chosen], dtype=np.int64)
        mz = np.concatenate([np.empty(0), *(spectrum.mz for spectrum in chosen)])
        intensity = np.concatenate([np.empty(0), *(spectrum.intensity for spectrum in chosen)])
        time_min = [spectrum.time_min for spectrum in chosen]
        tic = [spectrum.tic for spectrum in chosen]
        self.kept.clear()
        chosen.clear()  # or every ion would be in memory once more
        mz, intensity = sort_ions(counts, mz, intensity)
        return Run.from_scans(
            time_min,
            counts,
            mz,
            intensity,
            source=self.source,
            format=format_,
            facts=facts,
            notes=notes,
            stated_tic=tic,
        )

    def _choose(self) -> list[Spectrum]:
        scanning = [spectrum for spectrum in self.kept if not spectrum.sim] or self.kept
        if n_sim := len(self.kept) - len(scanning):
            self.left_out["spectra of selected ion monitoring"] += n_sim
        ions = Counter(spectrum.function for spectrum in scanning)
        if len(ions) < 2:
            return list(scanning)
        function = max(ions, key=lambda each: ions[each])
        for other, n in ions.items():
            if other != function:
                self.left_out[f"spectra of function {other or 'without a name'}"] += n
        return [spectrum for spectrum in scanning if spectrum.function == function]


def take_elements(
    data: bytes,
    source: str,
    format: str,  # noqa: A002
    takers: Mapping[str, Callable[[Reading, etree._Element], object]],
    reading: Reading,
) -> None:
    """Parse XML, and hand each element of some names, once it is whole, to what takes it.

    Raises
    ------
    ReadError
        If the XML is cut short or damaged, or has a DOCTYPE, which could declare entities.
    """
    if b"<!DOCTYPE" in data:
        raise ReadError(f"{source}: declares a DOCTYPE; expected {format}, which has none")
    try:
        for _, element in etree.iterparse(
            io.BytesIO(data),
            tag=[f"{{*}}{name}" for name in takers],
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        ):
            takers[str(element.tag).rpartition("}")[2]](reading, element)
    except etree.XMLSyntaxError as error:
        why = " ".join(str(error.msg).split())
        raise ReadError(
            f"{source}: the XML is cut short or damaged ({why}); expected a whole file; copy or "
            "export it again"
        ) from error
