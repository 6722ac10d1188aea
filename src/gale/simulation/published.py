"""What is published of the competition's campaign, Mars Spectrometry 2; nothing is measured here.

The organisers give the number of runs of each split. Participants' write-ups, and notebooks with
their outputs, give counts of the training labels and of the derivatized runs. For val and test,
whose labels are not public, the mean probabilities of one submitted solution stand for prevalences.
"""

from __future__ import annotations

RUNS = {"train": 809, "val": 312, "test": 463}
"""Number of runs of each split."""

DERIVATIZED = {"train": 0.32, "val": 0.46, "test": 0.35}
"""Share of the runs of each split that are flagged as derivatized."""

PREVALENCE = {
    "aromatic": 0.098,
    "hydrocarbon": 0.328,
    "carboxylic_acid": 0.142,
    "nitrogen_bearing_compound": 0.119,
    "chlorine_bearing_compound": 0.022,
    "sulfur_bearing_compound": 0.038,
    "alcohol": 0.032,
    "other_oxygen_bearing_compound": 0.026,
    "mineral": 0.145,
}
"""Share of the training runs that hold each family."""

OTHER_SPLITS = {
    "val": (0.082, 0.143, 0.167, 0.140, 0.023, 0.019, 0.027, 0.016, 0.199),
    "test": (0.097, 0.269, 0.158, 0.133, 0.014, 0.025, 0.021, 0.013, 0.115),
}
"""Share of the runs of the other splits, in the order of `PREVALENCE`."""

BY_DERIVATIZATION = {
    "aromatic": (0.196, 0.052),
    "hydrocarbon": (0.063, 0.449),
    "carboxylic_acid": (0.380, 0.032),
    "nitrogen_bearing_compound": (0.357, 0.009),
    "chlorine_bearing_compound": (0.063, 0.004),
    "sulfur_bearing_compound": (0.090, 0.014),
    "alcohol": (0.090, 0.005),
    "other_oxygen_bearing_compound": (0.059, 0.011),
    "mineral": (0.145, 0.144),
}
"""Share of the training runs, derivatized and not, that hold each family."""

LETTERS = dict(zip("ahcnxslom", PREVALENCE, strict=True))
"""Letters for the families."""

_PUBLISHED_SETS = {
    "": 303, "h": 241, "m": 81, "cn": 27, "c": 24, "acn": 17, "n": 15, "am": 13, "ahcnxslo": 11,
    "a": 10, "ahs": 9, "o": 7, "cnsl": 7,
}  # fmt: skip
_OTHER_SETS = {
    "x": 3, "l": 2, "cm": 5, "ac": 4, "hm": 4, "cl": 2, "nx": 2, "an": 1,
    "acm": 4, "cnm": 4, "anm": 2, "cno": 2, "acnm": 4, "acnsl": 3, "anxsl": 2,
}  # fmt: skip
LABEL_SETS = {**_PUBLISHED_SETS, **_OTHER_SETS}
"""Number of training runs with each set of families. It is published that there are 28 sets, and
which are the most frequent ones; the other fifteen were chosen so that the prevalences and the
numbers of families per run add up."""
