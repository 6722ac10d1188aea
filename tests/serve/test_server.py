"""The server as a process: it ends as it should, and goes on where it was killed."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from gale.errors import GaleError
from gale.serve.running import is_local, listening, new_token, read_token
from helpers.commands import error_of, invoke
from helpers.services import API, MODEL, Server, form, run_csv


def done(url: str, job: str, wanted: int) -> dict[str, Any]:
    """Wait until so many runs of a job are done, and return it."""
    until = time.monotonic() + 240
    while True:
        said: dict[str, Any] = httpx.get(f"{url}{API}/jobs/{job}").json()
        if said["progress"]["done"] >= wanted:
            return said
        assert time.monotonic() < until, said["progress"]
        time.sleep(0.02)


@pytest.mark.slow
def test_kill_at_any_moment_loses_no_run(tmp_path: Path) -> None:
    """Neither one that is finished, nor one that waits; nothing is done twice."""
    files = [(f"{number}.csv", run_csv(number)) for number in range(40)]
    server = Server(tmp_path / "data")
    job = httpx.post(f"{server.url}{API}/jobs", files=form(files)).json()["id"]
    first = done(server.url, job, 5)
    server.kill()
    finished = [run for run in first["runs"] if run["state"] == "done"]
    assert 5 <= len(finished) < 40

    server = Server(tmp_path / "data")
    last = done(server.url, job, 40)
    assert [run["name"] for run in last["runs"]] == [name for name, _ in files]
    assert {run["predictions"][0]["status"] for run in last["runs"]} == {"ok"}
    assert [
        run for run in last["runs"] if run["id"] in {each["id"] for each in finished}
    ] == finished
    # SIGTERM ends it though a stream of events is open
    with httpx.stream(
        "GET", f"{server.url}{API}/jobs/{job}", headers={"Accept": "text/event-stream"}
    ):
        assert server.end() == 128 + signal.SIGTERM
    assert not [line for line in server.lines if "Traceback" in line]


@pytest.mark.slow
def test_one_server_at_a_time_has_a_folder(tmp_path: Path) -> None:
    """And whoever hoards connections without asking anything loses them."""
    server = Server(tmp_path / "data", "--allow-host", "gcms.lab")
    _, address = server.url.split("//")
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as hoarder:
        hoarder.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        answer = httpx.get(f"{server.url}/", headers={"Host": "gcms.lab"})
        assert answer.status_code == 200
        second = invoke("serve", "--model", MODEL, "--port", port, "--data", tmp_path / "other")
        assert "cannot be listened on" in str(second.exception)
        hoarder.settimeout(240)
        assert hoarder.recv(100) == b""
        assert time.monotonic() - began > 5
    third = invoke("serve", "--model", MODEL, "--port", 0, "--data", tmp_path / "data")
    assert "is being written by process" in str(third.exception)
    assert server.end() == 128 + signal.SIGTERM


def test_where_a_token_is_needed() -> None:
    assert is_local("localhost")
    assert is_local("::1")
    assert not is_local("192.168.0.7")
    assert len(new_token()) >= 32
    assert new_token() != new_token()


@pytest.mark.parametrize(
    "text", ["", "short", "a token with spaces in it", "é" * 40, "a" * 16 + "\nb"]
)
def test_a_bad_token_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, "utf-8")
    with pytest.raises(GaleError):
        read_token(tmp_path / "token")


def test_a_good_token_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    assert read_token(tmp_path / "token") == "0123456789abcdef"
    with pytest.raises(GaleError, match="cannot be read"):
        read_token(tmp_path / "none")


def test_an_address_of_another_computer() -> None:
    with pytest.raises(GaleError, match="cannot be listened on"):
        listening("192.0.2.1", 8765)
    with listening("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_mistakes_on_the_command_line(tmp_path: Path) -> None:
    error = error_of("serve", "--model", tmp_path / "none.onnx", "--data", tmp_path)
    assert "cannot be read" in error.found
    assert "is not a time" in invoke("serve", "--model", MODEL, "--keep", "30").output
