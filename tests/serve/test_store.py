"""Jobs on disk: whole or not there, found again, and deleted when they are old."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gale.errors import GaleError
from gale.serve.reading import BUNDLE, FILE
from gale.serve.store import Arrival, Store

RESULT: dict[str, Any] = {"sha256": "0" * 64, "predictions": []}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def arrive(store: Store, *names: str, kind: str = FILE) -> list[Arrival]:
    arrivals = []
    for number, name in enumerate(names):
        path = store.uploads / f"{name}.{number}"
        path.write_bytes(b"content")
        arrivals.append(Arrival(name, kind, [(name, path.name)], 7))
    return arrivals


def test_what_was_being_read_waits_when_the_server_is_back(store: Store, tmp_path: Path) -> None:
    job, (first, second, third) = store.add_runs(None, arrive(store, "a", "b", "c"))
    assert store.begin(first.id)
    store.finish(first.id, RESULT, 0.1)
    assert store.begin(second.id)
    again = Store(tmp_path)
    assert [run.id for run in again.waiting()] == [second.id, third.id]
    assert again.counts(job) == {"waiting": 2, "reading": 0, "done": 1}
    found = again.run(first.id)
    assert found is not None
    assert found.result == RESULT
    assert [run.attempts for run in again.runs(job)] == [1, 1, 0]
    again.close()


def test_a_run_is_finished_once(store: Store) -> None:
    job, (run,) = store.add_runs(None, arrive(store, "a"))
    store.begin(run.id)
    store.finish(run.id, RESULT, 0.1)
    store.finish(run.id, {"sha256": "other", "predictions": []}, 0.1)
    (found,) = store.finished_since(job, 0)
    assert found.result == RESULT
    assert store.begin(run.id) is None


def test_runs_of_a_job_in_the_order_in_which_they_finish(store: Store) -> None:
    job, runs = store.add_runs(None, arrive(store, "a", "b", "c"))
    for run in reversed(runs):
        store.begin(run.id)
        store.finish(run.id, RESULT, 0.1)
    finished = store.finished_since(job, 0)
    assert [run.name for run in finished] == ["c", "b", "a"]
    last = finished[0].finished
    assert last is not None
    assert [run.name for run in store.finished_since(job, last)] == ["b", "a"]
    assert [run.name for run in store.runs(job)] == ["a", "b", "c"]


def test_a_request_that_is_sent_again_adds_nothing(store: Store) -> None:
    job = store.add_job()
    _, runs = store.add_runs(job, arrive(store, "a"), "key")
    assert store.add_runs(job, arrive(store, "a"), "key") == (job, [])
    assert store.runs_of_upload(job, "key") == runs
    assert len(store.runs(job)) == 1


def test_the_runs_of_a_bundle_take_its_place(store: Store) -> None:
    job, _ = store.add_runs(None, arrive(store, "first"))
    _, (bundle,) = store.add_runs(job, arrive(store, "all.zip", kind=BUNDLE))
    store.add_runs(job, arrive(store, "last"))
    runs = store.replace(bundle, arrive(store, "x", "y"), [("z", RESULT)], ["readme.txt"])
    assert [run.name for run in runs] == ["x", "y"]
    assert [run.name for run in store.runs(job)] == ["first", "x", "y", "z", "last"]
    assert store.left_out(job) == ["readme.txt"]
    assert not (store.uploads / bundle.files[0][1]).exists()


def test_old_jobs_go_with_their_files(store: Store) -> None:
    job, (done,) = store.add_runs(None, arrive(store, "a"))
    other, _ = store.add_runs(None, arrive(store, "b"))
    store.begin(done.id)
    store.finish(done.id, RESULT, 0.1)
    store.page(done, "7" * 64).write_text("page")
    assert store.prune(3600) == 0
    assert store.prune(-1) == 1  # the other one is not done
    assert not store.has_job(job)
    assert store.run(done.id) is None
    assert store.has_job(other)
    assert [path.name for path in store.uploads.iterdir()] == ["b.0"]
    assert list(store.pages.iterdir()) == []


def test_files_of_a_broken_upload_are_tidied_away(store: Store) -> None:
    _, (run,) = store.add_runs(None, arrive(store, "a"))
    (store.uploads / "half").write_bytes(b"ha")
    store.tidy()
    assert [path.name for path in store.uploads.iterdir()] == [run.files[0][1]]


def test_a_database_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_text("no database, but long enough to have a header" * 10)
    with pytest.raises(GaleError) as caught:
        Store(tmp_path)
    assert "cannot be used" in caught.value.found
    (tmp_path / "jobs.sqlite").unlink()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(GaleError) as caught:
        Store(tmp_path)
    assert "another version" in caught.value.found


def fill(store: Store) -> None:
    """Let the database have no page more, as on a full disk."""
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_costs_nothing_that_is_stored(store: Store, tmp_path: Path) -> None:
    job, (run,) = store.add_runs(None, arrive(store, "a"))
    store.begin(run.id)
    fill(store)
    many = arrive(store, *(f"{number:0200}" for number in range(100)))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.add_runs(job, many)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.finish(run.id, {**RESULT, "predictions": ["x" * 100_000]}, 0.1)
    assert store.counts(job) == {"waiting": 0, "reading": 1, "done": 0}
    store._database.execute("PRAGMA max_page_count = 1000000")
    store.finish(run.id, RESULT, 0.1)
    store.add_runs(job, many)
    assert store.counts(job) == {"waiting": 100, "reading": 0, "done": 1}
