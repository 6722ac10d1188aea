"""The n-alkanes that ladders need and that are not among the volatile compounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gale.library import Library
from gale.library.substances import substances

CARBONS = range(8, 37)


def alkanes() -> Library:
    """Return the n-alkanes of 8 to 36 carbons that are not among the volatile compounds.

    Spectra of long n-alkanes hardly differ but for the weak molecular ion, the heaviest. So each
    has the rounded main ions of the longest listed one that is shorter, with its own molecular ion:
    like those, they are meant for simulation, not for identification.
    """
    volatile = substances("volatile")
    listed = {
        len(smiles): place
        for place, smiles in enumerate(volatile.smiles)
        if set(smiles) == {"C"} and len(smiles) in CARBONS
    }
    numbers = [number for number in CARBONS if number not in listed]
    shorter = [max(each for each in listed if each < number) for number in numbers]
    made = volatile.take([listed[number] for number in shorter])
    heaviest = made.mz.copy()
    heaviest[made.spectrum_start[1:] - 1] = [14 * number + 2 for number in numbers]
    nothing = ("",) * len(numbers)
    return replace(
        made,
        name=tuple(f"n-alkane C{number}" for number in numbers),
        mz=heaviest,
        retention_index=np.array([100.0 * number for number in numbers]),
        formula=tuple(f"C{number}H{2 * number + 2}" for number in numbers),
        smiles=tuple("C" * number for number in numbers),
        inchi=nothing,
        inchikey=nothing,
        source="n-alkanes",
    )
