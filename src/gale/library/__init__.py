"""Spectral libraries: reference EI spectra of compounds, read from MSP files and MassBank records.

What a library is: `columns`. From text to records: `msp` and `massbank`; from records to columns:
`records`, with `peaks` and `derivative`. The library that comes with gale: `embedded`, and
gases, solvents and other substances of every laboratory: `substances`.
"""

from __future__ import annotations

from gale.library.columns import Library
from gale.library.embedded import embedded_library
from gale.library.reading import read_library
from gale.library.substances import default_libraries, substances

__all__ = ["Library", "default_libraries", "embedded_library", "read_library", "substances"]
