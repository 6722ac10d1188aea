"""A watched folder: every run once, when it is complete, whatever happens between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import gale
from gale.errors import OutputError
from gale.plumbing import files
from gale.plumbing.locks import claimed
from gale.plumbing.progress import Progress
from gale.serve import posting, watching
from gale.serve.pool import WorkerEndedError
from helpers.services import MODEL, ROOT, run_csv
from helpers.vendor_files import FOLDERS, nominal_run

pytestmark = pytest.mark.filterwarnings("ignore::gale.GaleWarning")

SMALL = gale.Model.load(MODEL)


class Said(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []

    def step(self, text: str = "") -> None:
        self.steps.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Inline:
    """A worker within this process; `ends` are reasons for which it ends first."""

    ends: tuple[str, ...] = ()

    def __init__(self, begin: Callable[..., Any], arguments: tuple[Any, ...], _: object) -> None:
        self.handle = begin(*arguments)
        self.reasons = list(self.ends)

    def do(self, task: dict[str, Any]) -> Any:
        if self.reasons and task["do"] == "predict":
            raise WorkerEndedError(self.reasons.pop(0))
        return self.handle(task)

    def stop(self) -> None: ...


class Clock:
    """A time that passes only while the watcher waits, when the next of some things happens."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.coming: list[Callable[[], object]] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += min(max(seconds, 0.0), 5.0) + 0.001
        if self.coming:
            self.coming.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watching, "Worker", Inline)
    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching._Changes, "wait", clock.wait)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "acquired"
    folder.mkdir()
    return folder


def look(folder: Path, **more: Any) -> Said:
    said = Said()
    gale.watch(folder, SMALL, folder.parent / "results", once=True, progress=said, **more)
    return said


def table(folder: Path) -> dict[str, str]:
    """Status of each run in the table."""
    read = gale.read_predictions(folder.parent / "results" / "predictions.csv")
    return {run: "failed" if run in read.failed else "ok" for run in read.runs}


def write(path: Path, data: bytes) -> Callable[[], object]:
    """Write a file when it is time, with a time of its own."""

    def now() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        write.ticks += 1  # type: ignore[attr-defined]
        os.utime(path, (1e9 + write.ticks, 1e9 + write.ticks))  # type: ignore[attr-defined]

    return now


write.ticks = 0  # type: ignore[attr-defined]


@pytest.mark.slow
def test_every_run_has_a_row_and_a_page_once(clock: Clock, folder: Path) -> None:
    for name, data in (("a.csv", run_csv(1)), ("b/a.csv", run_csv(2)), ("bad.cdf", b"")):
        write(folder / name, data)()
    write(folder / "notes.txt", b"read me")()
    write(folder / ".hidden.csv", run_csv(3))()
    assert len(look(folder).steps) == 4
    assert table(folder) == {"a.csv": "ok", "b/a.csv": "ok", "bad.cdf": "failed"}
    results = folder.parent / "results"
    pages = sorted(path.name for path in results.glob("[!.]*.html"))
    assert len(pages) == 3
    index = (results / "index.html").read_text("utf-8")
    assert all(page in index for page in pages if page != "index.html")
    before = (results / "predictions.csv").read_bytes()
    assert look(folder).steps == []
    assert (results / "predictions.csv").read_bytes() == before
    expected = SMALL.predict(folder / "a.csv")
    read = gale.read_predictions(results / "predictions.csv")
    found = expected.select(SMALL.families).to_numpy()[0].astype("f4")
    assert read.probability[0].astype("f4").tolist() == found.tolist()


def test_a_run_that_is_being_written_is_left_alone(clock: Clock, folder: Path) -> None:
    data = run_csv(1)
    write(folder / "a.csv", data[:1000])()
    clock.coming = [write(folder / "a.csv", data[:size]) for size in (2000, 3000, len(data))]
    began = clock.now
    said = look(folder, settle_s=10.0)
    assert said.steps == ["a.csv: ok"]
    assert clock.now - began >= 24  # the last change, and then the time to settle


@pytest.mark.slow
def test_a_damaged_run_is_one_failed_row_until_it_changes(clock: Clock, folder: Path) -> None:
    write(folder / "a.csv", b"\x1f\x8bdamaged")()
    write(folder / "b.csv", run_csv(2))()
    look(folder)
    look(folder)
    assert table(folder) == {"a.csv": "failed", "b.csv": "ok"}
    write(folder / "a.csv", run_csv(1))()
    assert look(folder).steps == ["a.csv: ok"]
    assert table(folder) == {"a.csv": "ok", "b.csv": "ok"}


@pytest.mark.slow
@pytest.mark.parametrize("maker", list(FOLDERS))
def test_the_folder_of_an_instrument_waits_for_its_last_file(
    clock: Clock, folder: Path, maker: str
) -> None:
    files = sorted(FOLDERS[maker](nominal_run(40)).items(), key=lambda each: len(each[1]))
    ending = "raw" if maker == "masslynx" else "D"
    *first, last = [write(folder / f"x.{ending}" / name, data) for name, data in files]
    (folder / f"x.{ending}").mkdir()
    for each in first:
        each()
    clock.coming = [lambda: None, lambda: None, last]
    (said,) = look(folder, settle_s=10.0).steps
    assert said.startswith(f"x.{ending}: ")
    assert not said.startswith(f"x.{ending}: failed")
    assert not clock.coming


@pytest.mark.slow
def test_a_folder_that_stays_incomplete_fails_once(clock: Clock, folder: Path) -> None:
    write(folder / "x.D" / "acqmeth.txt", b"method")()
    began = clock.now
    (said,) = look(folder, patience_s=3600.0).steps
    assert said.startswith("x.D: failed")
    assert "without" in said
    assert clock.now - began >= 3600
    assert look(folder).steps == []


@pytest.mark.slow
def test_a_run_that_changes_while_it_is_read_is_read_again(
    clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "a.csv", run_csv(1))()
    change = [write(folder / "a.csv", run_csv(2))]
    done = Inline.do

    def do(self: Inline, task: dict[str, Any]) -> Any:
        answer = done(self, task)
        if change and task["do"] == "predict":
            change.pop()()
        return answer

    monkeypatch.setattr(Inline, "do", do)
    assert look(folder).steps == ["a.csv: ok"]
    expected = SMALL.predict(folder / "a.csv")[SMALL.families[0]][0]
    read = gale.read_predictions(folder.parent / "results" / "predictions.csv")
    assert read.probability[0, 0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("reasons", "said"),
    [(("crash",), "ok"), (("crash", "crash"), "failed: a.csv: ended the process"),
     (("time",), "failed: a.csv: took too long"), (("memory",), "failed: a.csv: took too much")],
)  # fmt: skip
def test_a_run_that_ends_the_worker(
    clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch, reasons: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(Inline, "ends", reasons)
    write(folder / "a.csv", run_csv(1))()
    (step,) = look(folder).steps
    assert step.startswith(f"a.csv: {said}")


def test_a_link_that_leads_out_is_not_read(clock: Clock, folder: Path) -> None:
    write(folder.parent / "secret.csv", run_csv(1))()
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    assert look(folder).steps == ["link.csv: is a link that leads out of the folder, left out"]
    assert look(folder).steps == []
    lines = (folder.parent / "results" / "predictions.csv").read_text().splitlines()
    assert len(lines) == 1


@pytest.mark.slow
def test_results_in_the_folder_itself_are_no_runs(clock: Clock, folder: Path) -> None:
    write(folder / "a.csv", run_csv(1))()
    for _ in range(2):
        said = Said()
        gale.watch(folder, SMALL, folder / "results", once=True, progress=said)
    assert said.steps == []
    read = gale.read_predictions(folder / "results" / "predictions.csv")
    assert read.runs == ("a.csv",)


def test_results_of_another_model_or_watcher(clock: Clock, folder: Path) -> None:
    look(folder)
    other = gale.Model.load(MODEL.with_name("format1.onnx"))
    with pytest.raises(gale.GaleError, match="another model"):
        gale.watch(folder, other, folder.parent / "results", once=True)
    with claimed(folder.parent / "results" / "watch"):
        thread_error: list[BaseException] = []

        def second() -> None:
            try:
                look(folder)
            except OutputError as error:
                thread_error.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert thread_error
    with pytest.raises(gale.GaleError, match="cannot be listed"):
        look(folder / "none")


@pytest.mark.slow
def test_a_table_that_cannot_be_written_now_is_written_later(
    clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as while a spreadsheet has it open."""
    write(folder / "a.csv", run_csv(1))()
    refused = [True]

    def write_or_not(path: Path, *, force: bool) -> Any:
        if refused:
            refused.pop()
            raise OutputError(path, "is open elsewhere")
        return files.writing(path, force=force)

    monkeypatch.setattr(watching, "writing", write_or_not)
    said = look(folder)
    assert said.notes == [f"{folder.parent / 'results' / 'predictions.csv'}: is open elsewhere; "
                          "it is tried again"]  # fmt: skip
    assert table(folder) == {"a.csv": "ok"}


class Receiver(HTTPServer):
    """Hears of runs; its first answers may be refusals."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.heard = list(statuses), list[tuple[str, dict[str, Any]]]()
        super().__init__(("127.0.0.1", 0), Hear)
        self.url = f"http://127.0.0.1:{self.server_port}/runs"


class Hear(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        import json

        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = server.statuses.pop(0) if server.statuses else 204
        if status == 204:
            server.heard.append((self.headers["Idempotency-Key"], body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    started: list[Receiver] = []

    def start(*statuses: int) -> Receiver:
        receiver = Receiver(*statuses)
        threading.Thread(target=receiver.serve_forever, args=(0.01,), daemon=True).start()
        started.append(receiver)
        return receiver

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


@pytest.mark.slow
def test_others_are_told_until_they_hear(
    clock: Clock, folder: Path, receive: Callable[..., Receiver]
) -> None:
    receiver = receive(503, 429)
    write(folder / "a.csv", run_csv(1))()
    write(folder / "b.csv", b"")()
    clock.coming = [write(folder / "c.csv", run_csv(3)[:size]) for size in range(1000, 9000, 1000)]
    clock.coming.append(write(folder / "c.csv", run_csv(3)))
    said = look(folder, post=receiver.url)
    assert len(said.notes) == 1
    assert "status 503" in said.notes[0]
    names = [body["run"] for _, body in receiver.heard]
    assert names == ["a.csv", "b.csv", "c.csv"]
    body = next(body for _, body in receiver.heard if body["run"] == "a.csv")
    assert body["model_sha256"] == SMALL.sha256
    assert body["page"] == "a.csv.html"
    assert set(body["families"]) == set(SMALL.families)
    assert len({key for key, _ in receiver.heard}) == 3


@pytest.mark.slow
def test_who_refuses_a_run_is_not_asked_again(
    clock: Clock, folder: Path, receive: Callable[..., Receiver]
) -> None:
    receiver = receive(400)
    write(folder / "a.csv", run_csv(1))()
    said = look(folder, post=receiver.url)
    assert said.notes == [f"{receiver.url} refuses a.csv (status 400)"]
    assert look(folder, post=receiver.url).notes == []
    assert receiver.heard == []


@pytest.mark.slow
def test_who_is_away_is_told_after_a_restart(
    clock: Clock, folder: Path, receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 1.0)
    write(folder / "a.csv", run_csv(1))()
    said = look(folder, post="http://127.0.0.1:9/runs")
    assert "cannot be told of runs" in said.notes[0]
    receiver = receive()
    look(folder, post=receiver.url)
    look(folder, post=receiver.url)
    assert [body["run"] for _, body in receiver.heard] == ["a.csv"]
    with pytest.raises(gale.GaleError, match="http://"):
        look(folder, post="file:///etc/passwd")


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--poll",)], ids=["told", "polling"])
def test_the_command_goes_on_where_it_was_killed(folder: Path, words: tuple[str, ...]) -> None:
    """As a process that listens to the system, with the worker that the table is made by."""
    results = folder.parent / "results"
    command = [sys.executable, "-m", "gale", "watch", folder, "--model", MODEL, "-o", results,
               "--settle", "0.2s", *words]  # fmt: skip

    def begin() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(each) for each in command],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(count: int) -> None:
        until = time.monotonic() + 240
        path = results / "predictions.csv"
        while not (path.exists() and path.read_text().count("\n") == count + 1):
            assert time.monotonic() < until
            time.sleep(0.05)

    with begin() as process:
        (folder / "a.csv").write_bytes(run_csv(1))
        wait(1)
        process.kill()
    (folder / "b.csv").write_bytes(run_csv(2))
    with begin() as process:
        wait(2)
        (folder / "c").mkdir()
        (folder / "c" / "c.csv").write_bytes(run_csv(3))
        wait(3)
        process.terminate()
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 128 + signal.SIGTERM
    assert "a.csv" not in output  # not done twice
    assert "b.csv: ok" in output
    assert "c/c.csv: ok" in output
    assert table(folder) == {"a.csv": "ok", "b.csv": "ok", "c/c.csv": "ok"}
