"""Spectral libraries: reference EI spectra of compounds, read from files of many programs.

The class: `library`. From text to records: `msp`, `amdis`, `jcamp` and `massbank`, with
`derivative_names`; from records to a library: `records`, with `peak_lists`. The libraries that come
with gale: `embedded`, and gases, solvents and other substances of every laboratory: `substances`.
Those that a user has added: `installed`. What a name stands for: `choice`; what two libraries say
differently: `disagreement`.
"""

from __future__ import annotations

from gale.library.embedded import embedded_library
from gale.library.installed import (
    InstalledLibrary,
    installed,
    installed_libraries,
    remove_library,
)
from gale.library.library import Library
from gale.library.reading import read_library
from gale.library.substances import default_libraries, substances

__all__ = [
    "InstalledLibrary",
    "Library",
    "default_libraries",
    "embedded_library",
    "installed",
    "installed_libraries",
    "read_library",
    "remove_library",
    "substances",
]
