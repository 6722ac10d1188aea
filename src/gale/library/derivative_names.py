"""Groups added by derivatization, as names and remarks of records state them."""

from __future__ import annotations

import re

UNKNOWN = "n"
"""The number of groups where it is unknown, or a record gives several."""

_WORDS = ("mono", "di", "tri", "tetra", "penta", "hexa", "hepta", "octa")
_COUNTS = {word: str(count) for count, word in enumerate(_WORDS, start=1)}

# A number before a hyphen is a position in the molecule ("-3-TMS"), a word is a count ("-DI-TMS").
_GROUP = re.compile(
    rf"(?:(?<![A-Z\d])(?:(\d{{1,2}}|[NX]) ?|({'|'.join(_WORDS)})[ -]?)|(?<![A-Z]))"
    r"(MEOX|TBDMS|TMS|TFA)(?![A-Z])",
    re.IGNORECASE,
)
_ORDER = ("MEOX", "TMS", "TBDMS", "TFA")


def find_derivative(text: str) -> str:
    """Find the groups that a text states were added to a compound, such as ``1 MEOX 2 TMS``.

    Groups are methoxime (MEOX), trimethylsilyl (TMS), tert-butyldimethylsilyl (TBDMS) and
    trifluoroacetyl (TFA), in that order. A group without a number counts once. ``n`` is an unknown
    number: ``x TMS``, or two numbers for one group.

    Parameters
    ----------
    text : str
        A name (``TARTARIC ACID-TETRA-TMS``), a remark (``[2TMS 1MeOx]``) or a field (``5 TMS; 1
        MEOX``).

    Returns
    -------
    str
        Empty if the text names no group.

    Examples
    --------
    >>> find_derivative("Glucose, 5TMS, 1MEOX, peak 2")
    '1 MEOX 5 TMS'
    """
    found: dict[str, str] = {}
    for number, word, group in _GROUP.findall(text):
        count = number.lower().replace("x", UNKNOWN) or _COUNTS.get(word.lower(), "1")
        name = group.upper()
        found[name] = count if found.get(name, count) == count else UNKNOWN
    return " ".join(f"{found[name]} {name}" for name in _ORDER if found.get(name, "0") != "0")
