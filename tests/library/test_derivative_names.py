"""Derivatives as the texts of records name them."""

from __future__ import annotations

import pytest

from gale.library.derivative_names import find_derivative


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        ("2TMS", "2 TMS"),
        ("2 TMS", "2 TMS"),
        ("Glucose (1MEOX) (5TMS)", "1 MEOX 5 TMS"),
        ("Glucose, 5TMS, 1MEOX, peak 2", "1 MEOX 5 TMS"),
        ("[1TMS 1MeOx]", "1 MEOX 1 TMS"),
        ("5 TMS; 1 MEOX", "1 MEOX 5 TMS"),
        ("11 TMS", "11 TMS"),
        ("MEOX, 2TBDMS", "1 MEOX 2 TBDMS"),
        ("TFA, TMS", "1 TMS 1 TFA"),
        ("BENZOIC ACID MONO-TMS", "1 TMS"),
        ("TARTARIC ACID-TETRA-TMS", "4 TMS"),
        ("ditms", "2 TMS"),
        ("STIGMASTEROL TMS ETHER", "1 TMS"),
        ("ETHINYLESTRADIOL-3-TMS", "1 TMS"),
        ("MEOX TMS", "1 MEOX 1 TMS"),
        ("HYDANTOIN TMS", "1 TMS"),
        ("n TMS", "n TMS"),
        ("x TMS", "n TMS"),
        ("[2TMS 3TMS]", "n TMS"),
        ("[2TMS 2TMS]", "2 TMS"),
        ("0 TMS", ""),
        ("MSTFA with 1 % TMCS", ""),
        ("3-methoxytyramine", ""),
        ("ATMSX", ""),
        ("", ""),
    ],
)
def test_texts(text: str, derivative: str) -> None:
    assert find_derivative(text) == derivative


@pytest.mark.parametrize("text", ["1 MEOX 5 TMS", "n TMS", "3 TBDMS", "1 TMS 1 TFA"])
def test_its_results_read_back(text: str) -> None:
    assert find_derivative(text) == text
