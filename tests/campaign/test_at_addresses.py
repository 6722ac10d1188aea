"""Campaigns whose folder is at an address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import gale
from gale.errors import CampaignError
from gale.features.content import size_of
from helpers.commands import succeed
from helpers.errors import refused
from helpers.training import Trained


@pytest.fixture
def store(campaign: gale.Campaign) -> Iterator[MemoryFileSystem]:
    """A store in memory that holds the campaign, and its test runs without any table."""
    system = MemoryFileSystem()
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    system.put(str(campaign.root), "/campaign", recursive=True)
    system.put(str(campaign.root / "test_features"), "/plain", recursive=True)
    yield system
    system.store.clear()


def test_it_is_opened_as_one_of_this_machine(
    campaign: gale.Campaign, store: MemoryFileSystem
) -> None:
    there = gale.Campaign.open("memory://campaign")
    here = gale.Campaign.open(campaign.root)
    assert (there.runs, there.split, there.families) == (here.runs, here.split, here.families)
    assert list(map(size_of, there.paths)) == list(map(size_of, here.paths))
    assert size_of(there.root) is size_of(there.root / "none.csv") is None
    np.testing.assert_array_equal(there.labels, here.labels)
    succeed("inspect", "memory://campaign", "--verify")


def test_its_runs_are_found_and_what_is_no_run_is_left_out(store: MemoryFileSystem) -> None:
    store.pipe_file("/plain/deeper/notes.txt", b"of the laboratory")
    store.pipe_file("/plain/p.csv.partial/made_with.json", b"{}")
    store.pipe_file("/plain/p.csv.partial/x-1.part", b"kept")
    store.pipe_file("/plain/.hidden.csv", b"time,mass,intensity\n")
    opened = gale.Campaign.open("memory://plain")
    assert opened.runs[0] == "S0084.csv"
    assert [each.name for each in opened.left_out] == ["notes.txt"]
    with refused(CampaignError, "memory://none", found="folder"):
        gale.Campaign.open("memory://none")


@pytest.mark.slow
def test_it_is_predicted(
    trained: Trained,
    campaign: gale.Campaign,
    store: MemoryFileSystem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--split", "test", "--model", trained.path, "-q")
    succeed("predict", campaign.root, *words, "-o", "here.csv")
    succeed("predict", "memory://campaign", *words, "-o", "there.csv")
    assert Path("here.csv").read_bytes() == Path("there.csv").read_bytes()
