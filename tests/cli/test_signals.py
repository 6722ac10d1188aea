"""Signals that end a process: one line, their status, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gale.cli
from gale.cli.interruption import Terminated, signals_interrupt
from gale.plumbing.files import writing_folder
from helpers.interruptions import interrupt_after

SIMULATES = """
import sys
import gale.cli
from gale.plumbing.progress import Progress

class Announcing(Progress):
    def __init__(self, *, quiet=False): ...
    def begin(self, what, total):
        print(what, flush=True)

if __name__ == "__main__":
    import gale.cli.progress
    gale.cli.progress.ConsoleProgress = Announcing
    sys.argv = ["gale", "simulate", "-o", "campaign", "--runs", "2000", "--workers", "2"]
    gale.cli.main()
"""

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def simulating(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a long simulation with workers, in a process group of its own."""
    script = folder / "simulates.py"
    script.write_text(SIMULATES, "utf-8")
    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "simulating runs\n":
                break
        yield process


@needs_signals
@pytest.mark.slow  # a process with workers of its own starts and ends
@pytest.mark.parametrize("whole_group", [False, True], ids=["one process", "all processes"])
def test_sigterm_to_a_simulation(tmp_path: Path, whole_group: bool) -> None:
    with simulating(tmp_path) as process:
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=240)  # until the last worker has ended, too
    assert process.returncode == 143
    # a pool that was just being started may leave a semaphore, which Python removes and speaks of
    said = [line for line in errors.splitlines() if "resource_tracker" not in line]
    assert said[-1] == "gale: interrupted; nothing was finished"
    assert names(tmp_path) == ["simulates.py"]


@needs_signals
@pytest.mark.slow  # as above
def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with simulating(tmp_path) as process:
        process.kill()
        process.communicate(timeout=240)  # until the last process has closed its outputs
    assert ".campaign.gale-tmp" in names(tmp_path)
    with writing_folder(tmp_path / "campaign"):
        pass
    assert names(tmp_path) == ["campaign", "campaign.partial", "simulates.py"]  # for --resume


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_interruption(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(10)  # another thread may receive it, and this one is told a little later

    signal.signal(number, signal.SIG_DFL)  # under nohup, a hang-up is ignored, as gale leaves it
    monkeypatch.setattr("gale.model.Model.load", interrupt)
    monkeypatch.setattr(sys, "argv", ["gale", "predict", "run", "--model", "m", "-o", "p.csv"])
    with pytest.raises(SystemExit) as caught:
        gale.cli.main()
    assert caught.value.code == 128 + number
    assert capsys.readouterr().err.strip() == "gale: interrupted"
    assert signal.getsignal(number) == signal.SIG_DFL


@needs_signals
def test_a_second_signal_does_not_disturb_tidying_up() -> None:
    tidied = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            tidied.append(True)

    with pytest.raises(Terminated), signals_interrupt():
        work()
    assert tidied


@needs_signals
def test_an_error_that_a_signal_caused_in_compiled_code_is_the_interruption() -> None:
    def convert() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt as error:
            raise TypeError("'<unprintable str object>' is not a type") from error

    with pytest.raises(Terminated) as caught, signals_interrupt():
        convert()
    assert caught.value.number == signal.SIGTERM
    with pytest.raises(TypeError), signals_interrupt():
        raise TypeError("of its own")


@needs_signals
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with signals_interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.slow
@needs_signals
def test_an_interrupted_training_says_how_to_go_on(
    tmp_path: Path,
    campaign_folder: Path,
    recipe_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    interrupt_after(monkeypatch, 2, by=lambda: os.kill(os.getpid(), signal.SIGTERM))
    output = tmp_path / "model.onnx"
    words = ["train", campaign_folder, "-o", output, "--recipe", recipe_file, "-q"]
    monkeypatch.setattr(sys, "argv", ["gale", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        gale.cli.main()
    assert caught.value.code == 143
    last = capsys.readouterr().err.splitlines()[-1]
    assert "finished fits are kept" in last
    assert "--resume" in last
    assert not [name for name in names(tmp_path) if name.startswith(".")]
