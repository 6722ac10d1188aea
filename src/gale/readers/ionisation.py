"""How the ions of a run were made, and of which polarity they are, where its file states it.

Makers and formats have their own words for it, which become one vocabulary here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FACT_IONISATION = "ionisation"
"""The fact that names how ions were made, such as :data:`ELECTRON`."""

FACT_POLARITY = "polarity"
"""The fact that is ``positive``, ``negative``, or ``positive and negative``."""

ELECTRON = "electron ionisation"

LONGEST = 60
"""Letters that are kept of words that are not known."""

_SOFT = {
    "atmospheric-pressure chemical ionisation": r"\bapci\b|atmospheric.?pressure chemical",
    "atmospheric-pressure photoionisation": r"\bappi\b|atmospheric.?pressure photo",
    "matrix-assisted laser desorption": r"maldi\b|matrix.?assisted",
    "electrospray ionisation": r"\b(?:nano|micro)?-?esi?\b|(?:electro|nano).?spray|jet.?stream",
    "thermospray ionisation": r"thermo.?spray|\bts\b",
    "fast atom bombardment": r"\bl?fab\b|fast.?(?:atom|ion)\b",
    "field desorption": r"\bfd\b|field.?desorption",
    "field ionisation": r"\bfi\b|field.?ioni",
    "chemical ionisation": r"\b[np]?i?ci\b|chemical.?ioni",
    "photoionisation": r"\bpi\b|photo.?ioni",
    "laser desorption": r"\bldi?\b|laser",
    "plasma desorption": r"\bpd\b|plasma.?desorption",
    "inductively coupled plasma": r"\bicp\b|inductively",
    "atmospheric-pressure ionisation": r"\bapi\b|atmospheric.?pressure",
}
"""What a text contains that names an ionisation other than that by electrons, the special first."""

_ELECTRON = re.compile(r"\be[il]\b|electron.?(?:impact|ioni|bombard)|electronic ioni")
_ANY = re.compile(r"ioni[sz]ation|desorption|bombardment|spray")
_INLET = re.compile(r"\binlet\b")


def ionisation(text: str) -> str:
    """Name the ionisation that a text states; empty if it states none, or both kinds of a source.

    What is not known, but says that it is an ionisation, keeps its own words.

    Examples
    --------
    >>> ionisation("Electron Impact"), ionisation("CI-"), ionisation("nanoelectrospray")
    ('electron ionisation', 'chemical ionisation', 'electrospray ionisation')
    >>> ionisation("Penning ionization"), ionisation("EI/CI"), ionisation("unknown")
    ('penning ionisation', '', '')
    """
    said = " ".join(text.lower().split())
    if _INLET.search(said):
        return ""
    soft = next((kind for kind, words in _SOFT.items() if re.search(words, said)), "")
    if _ELECTRON.search(said):
        return "" if soft else ELECTRON
    if soft or not _ANY.search(said):
        return soft
    return said.replace("ionization", "ionisation")[:LONGEST]


def polarity(text: str) -> str:
    """Name the polarity that a text states, by a word or by the sign at its end; else empty.

    Examples
    --------
    >>> polarity("Negative Polarity"), polarity("EI+"), polarity("-"), polarity("EI")
    ('negative', 'positive', 'negative', '')
    """
    said = text.strip().lower()
    for name, sign in (("positive", "+"), ("negative", "-")):
        if name in said or said.endswith(sign):
            return name
    return ""


def stated(of_source: Iterable[str] = (), of_scans: Iterable[str] = ()) -> dict[str, str]:
    """Make facts of a run of what is stated.

    Parameters
    ----------
    of_source : iterable of str
        Texts that may name the ionisation, of which the first that does counts.
    of_scans : iterable of str
        Texts that may name the polarity, one or several.

    Examples
    --------
    >>> stated(["GC inlet", "CI"], ["positive scan", "negative scan"])
    {'ionisation': 'chemical ionisation', 'polarity': 'positive and negative'}
    >>> stated(["unknown"])
    {}
    """
    kind = next(filter(None, map(ionisation, of_source)), "")
    signs = sorted(filter(None, set(map(polarity, of_scans))), reverse=True)
    facts = {FACT_IONISATION: kind, FACT_POLARITY: " and ".join(signs)}
    return {name: value for name, value in facts.items() if value}
