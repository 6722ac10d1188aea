"""Texts for people: nothing in a name is taken for a command, a tag or a link."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.errors import CONTROLS
from gale.plumbing.text import display_name, escaped, in_markdown, is_formula, size_of, size_text


@pytest.mark.slow
@given(st.text())
def test_control_characters_are_escaped(text: str) -> None:
    assert not CONTROLS.search(escaped(text))
    assert escaped(escaped(text)) == escaped(text)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_names_of_files() -> None:
    name = "a\x1b[2J\n\u202eb.csv"
    assert display_name(Path(name)) == r"a\x1b[2J\n\u202eb.csv"
    assert display_name("caf\u00e9.csv") == "caf\u00e9.csv"


@given(st.text(alphabet="<>&|`*[]\\ab\n"))
def test_markdown_has_no_tags_links_or_cells(text: str) -> None:
    shown = in_markdown({"a": [text]})["a"][0]
    assert not re.search("[<>\n]", shown)
    plain = re.sub(r"\\[\\`*\[\]|]", "", shown)
    assert not re.search(r"[`*\[\]|]", plain)
    assert in_markdown({"b": 1, "c": None}) == {"b": 1, "c": None}


def test_what_a_spreadsheet_computes() -> None:
    assert all(map(is_formula, ["=1", "+1", "-1", "@a", "\t=1", "\r=1"]))
    assert not any(map(is_formula, [None, "", "a=1", " -1", "'=1"]))


@given(st.integers(0, 10**15))
def test_sizes_are_read_as_they_are_written(size: int) -> None:
    read = size_of(size_text(size).replace(",", ""))
    assert read is not None
    assert abs(read - size) <= 0.05 * max(size, 1)


@pytest.mark.parametrize(
    "text", ["", "GB", "5 apples", "-5GB", "5 GBB", "1e3", "5,5GB", "nan", "5ib"]
)
def test_what_is_no_size(text: str) -> None:
    assert size_of(text) is None
