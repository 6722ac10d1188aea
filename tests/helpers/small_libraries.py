"""Libraries of a few spectra."""

from __future__ import annotations

import numpy as np

from gale.library import Library


def library(*spectra: dict[int, float], index: tuple[float, ...] = ()) -> Library:
    """Compounds 0, 1, … with these ions: every second an alcohol, the others () or None."""
    names = tuple(f"compound {number}" for number in range(len(spectra)))
    blank = ("",) * len(spectra)
    ions = [(float(mz), height) for each in spectra for mz, height in sorted(each.items())]
    families = tuple(("alcohol",) if n % 2 else ((), None)[n // 2 % 2] for n in range(len(spectra)))
    mz, height = np.array(ions).T
    return Library(
        names,
        np.cumsum([0, *map(len, spectra)]),
        mz,
        height,
        np.array(index or [np.nan] * len(spectra)),
        blank, blank, blank, tuple(f"KEY-{number}" for number in range(len(spectra))), blank,
        families,
    )  # fmt: skip
