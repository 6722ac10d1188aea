"""What mzML and mzXML share: parsing element by element, and choosing the spectra of the run."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import TypeVar

import numpy as np
from lxml import etree

from gale.errors import ReadError
from gale.readers.ionisation import stated
from gale.readers.scans import FACT_SPECTRA, profile_error, sort_ions
from gale.readers.xml.binary import EXPORT_AGAIN
from gale.readers.xml.mending import MENDS, WRITERS_FAULTS, error_code
from gale.run import Floats, Run

State = TypeVar("State")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum as a file has it.

    Parameters
    ----------
    name : str
        Its identifier in the file.
    time_min : float
        Its time in minutes.
    mz, intensity : arrays of shape (P,)
        Its points; empty for a profile spectrum that will be refused.
    tic : float
        Total ion current as the file states it; NaN if it states none.
    function : str
        The function of the instrument that acquired it, if the file names one.
    polarity : str
        Its polarity in the words of the file; empty if it states none.
    sim, centroid, profile : bool
        Whether the file declares it selected ion monitoring, centroids, or a profile.
    """

    name: str
    time_min: float
    mz: Floats
    intensity: Floats
    tic: float = nan
    function: str = ""
    polarity: str = ""
    sim: bool = False
    centroid: bool = False
    profile: bool = False


@dataclass
class Spectra:
    """The spectra of MS level 1 of a file, and how many others it has.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    bytes_left : int
        How many more bytes the arrays may unpack to.
    profile : bool
        Whether profile spectra are accepted, to be centroided, rather than refused.
    ms1 : list of Spectrum
        The spectra of MS level 1, in the order of the file.
    left_out : Counter of str
        Number of other spectra, by what they are ("of light").
    """

    source: str
    bytes_left: int
    profile: bool = False
    ms1: list[Spectrum] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def reserve(self, size: int, source: str) -> None:
        """Count an array of `size` bytes before it is unpacked; `source` names it in messages.

        Raises
        ------
        ReadError
            If the arrays so far would unpack to far more than the size of the file.
        """
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise ReadError(
                source,
                f"declares, with the spectra before it, {-self.bytes_left:,} bytes more than a "
                "file of this size may unpack to",
                "a run, whose arrays shrink to about a third",
                "check what the file is",
            )

    def to_run(self, format_: str, facts: dict[str, str], notes: tuple[str, ...] = ()) -> Run:
        """Make a run of the full scans, in order of time, and discard the spectra.

        If there are several functions, the run is the one with the most spectra (the first of
        equal ones). Selected ion monitoring is the run only if there is nothing else.

        Parameters
        ----------
        format_ : str
            Name of the format.
        facts : dict
            What the file says of itself.
        notes : tuple of str
            Notes on what was read, to which more may be added.

        Raises
        ------
        UnsupportedFormatError
            If one of the spectra of the run is declared to be profile data.
        ReadError
            As :meth:`gale.run.Run.from_scans`.
        """
        chosen = self._of_run()
        notes = (*notes, *(_note_left_out(n, what) for what, n in self.left_out.items()))
        for spectrum in chosen:
            if spectrum.profile and not self.profile:
                raise profile_error(
                    self.source, f"declares profile data (spectrum {spectrum.name})"
                )
        if chosen and all(spectrum.centroid for spectrum in chosen):
            facts = {**facts, FACT_SPECTRA: "centroid"}
        elif any(spectrum.profile for spectrum in chosen):
            facts = {**facts, FACT_SPECTRA: "profile"}
        facts = {**facts, **stated(of_scans={spectrum.polarity for spectrum in chosen})}
        counts = np.array([len(spectrum.mz) for spectrum in chosen], dtype=np.int64)
        mz = np.concatenate([np.empty(0), *(spectrum.mz for spectrum in chosen)])
        intensity = np.concatenate([np.empty(0), *(spectrum.intensity for spectrum in chosen)])
        time_min = [spectrum.time_min for spectrum in chosen]
        tic = [spectrum.tic for spectrum in chosen]
        self.ms1.clear()
        chosen.clear()  # or every ion would be in memory twice
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

    def _of_run(self) -> list[Spectrum]:
        """Choose the spectra of the run, and count the others as left out."""
        scans = [spectrum for spectrum in self.ms1 if not spectrum.sim] or self.ms1
        if n_sim := len(self.ms1) - len(scans):
            self.left_out["of selected ion monitoring"] += n_sim
        n_spectra = Counter(spectrum.function for spectrum in scans)
        if len(n_spectra) < 2:
            return list(scans)
        largest = max(n_spectra, key=lambda function: n_spectra[function])
        for function, n in n_spectra.items():
            if function != largest:
                self.left_out[f"of function {function or 'without a name'}"] += n
        return [spectrum for spectrum in scans if spectrum.function == largest]


def _note_left_out(n: int, what: str) -> str:
    return (
        f"{n:,} spectrum {what} was left out" if n == 1 else f"{n:,} spectra {what} were left out"
    )


def parse_elements(
    data: bytes,
    source: str,
    format: str,  # noqa: A002
    handlers: Mapping[str, Callable[[State, etree._Element], object]],
    begin: Callable[[], State],
) -> tuple[State, tuple[str, ...]]:
    """Parse XML, and at the end of each element call its handler, if it has one.

    A fault of the writer that can be mended without a doubt (see `gale.readers.xml.mending`) is
    mended, and the file is parsed again.

    Parameters
    ----------
    data : bytes
        The whole file.
    source, format : str
        Names of the file and its format in messages.
    handlers : mapping of str to callable
        The function to call with the state and the element, by name of element.
    begin : callable
        Makes the state, which the handlers fill.

    Returns
    -------
    state : object
        The state, filled.
    notes : tuple of str
        One for each kind of fault that was mended.

    Raises
    ------
    ReadError
        If the XML is cut short or damaged, has another fault, or has a DOCTYPE, which could declare
        entities.
    """
    if b"<!DOCTYPE" in data:
        raise ReadError(source, "declares a DOCTYPE", f"{format}, which has none", EXPORT_AGAIN)
    notes: tuple[str, ...] = ()
    while True:
        state = begin()
        try:
            _parse(data, handlers, state)
        except etree.XMLSyntaxError as error:
            mend, note = MENDS.get(error_code(error), (bytes, ""))
            mended = mend(data)
            if note in notes or mended == data:
                raise _fault(error, source, format) from error
            data, notes = mended, (*notes, note)
        else:
            return state, notes


def _parse(
    data: bytes, handlers: Mapping[str, Callable[[State, etree._Element], object]], state: State
) -> None:
    for _, element in etree.iterparse(
        io.BytesIO(data),
        tag=[f"{{*}}{name}" for name in handlers],
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
    ):
        handlers[str(element.tag).rpartition("}")[2]](state, element)


def _fault(error: etree.XMLSyntaxError, source: str, format: str) -> ReadError:  # noqa: A002
    """Name a fault of XML; what its writer did wrong, another copy has as well."""
    why = " ".join(str(error.msg).split())
    if error_code(error) not in WRITERS_FAULTS:
        return ReadError(
            source,
            f"has XML that is cut short or damaged ({why})",
            f"a whole {format} file",
            "copy or export it again",
        )
    return ReadError(
        source,
        f"has a fault in its XML ({why})",
        f"{format} without it",
        f"correct line {error.lineno} in a text editor, or convert the run with other software",
    )
