"""Progress on a terminal, elsewhere, and quiet."""

from __future__ import annotations

import io
import sys
import time

import pytest

from gale.cli.progress import LINES, ConsoleProgress
from gale.errors import GaleWarning
from gale.plumbing.progress import Progress, TimeLeft


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of standard error, until the test ends."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def work(progress: Progress, steps: int, text: str = "") -> None:
    progress.begin("reading runs", steps)
    for _ in range(steps):
        progress.status("half way")
        progress.step(text)


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    work(ConsoleProgress(), 1000)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "reading runs (1,000)",
        *(f"reading runs: {done} of 1,000" for done in ("200", "400", "600", "800", "1,000")),
    ]


def test_a_long_step_is_told_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    progress = ConsoleProgress()
    progress.begin("training", 850)
    for epoch in range(100):
        clock[0] += 1
        progress.status(f"epoch {epoch}")
    assert capsys.readouterr().err.splitlines() == [
        "training (850)", "training: epoch 30", "training: epoch 61", "training: epoch 92"
    ]  # fmt: skip


@pytest.mark.parametrize("total", [0, 1, LINES - 1, LINES, LINES + 4, 23, 84])
def test_few_lines_whatever_the_total(total: int, capsys: pytest.CaptureFixture[str]) -> None:
    work(ConsoleProgress(), total)
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == f"reading runs ({total})"
    assert len(lines) <= LINES
    assert bool(lines) == (total >= LINES)


def test_notes_name_options(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleProgress().note("run a is left out: a.csv: is odd; pass columns={'mz': 'mass'}")
    assert "use --column mz=mass" in capsys.readouterr().err


def test_news_is_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    work(ConsoleProgress(), 2, "fold 0")
    assert capsys.readouterr().err.splitlines() == [
        "reading runs (2)", "[1 of 2] fold 0", "[2 of 2] fold 0"
    ]  # fmt: skip


def test_each_piece_of_work_counts_from_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ConsoleProgress()
    work(progress, 3, "a")
    work(progress, 2, "b")
    assert capsys.readouterr().err.splitlines()[-2:] == ["[1 of 2] b", "[2 of 2] b"]


def test_quiet_says_notes_only(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ConsoleProgress(quiet=True)
    work(progress, 10)
    work(progress, 10, "news")
    progress.note("run 3 is left out")
    progress.close()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "note: run 3 is left out\n")


def test_a_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, progress = at_terminal(monkeypatch), ConsoleProgress()
    progress.begin("training", 2)
    assert "training:   0%" in terminal.getvalue()
    progress.status("epoch 7")
    assert "epoch 7" in terminal.getvalue()
    progress.step("fold 0, member 0")
    progress.note("run 3 is left out")
    shown = terminal.getvalue()
    assert "[1 of 2] fold 0, member 0\n" in shown
    assert "note: run 3 is left out\n" in shown
    progress.step()
    progress.close()
    assert terminal.getvalue().endswith("\r")  # the bar is gone
    progress.close()
    assert capsys.readouterr().out == ""


def test_a_new_bar_takes_the_place_of_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, progress = at_terminal(monkeypatch), ConsoleProgress()
    progress.begin("reading runs", 5)
    progress.begin("training", 5)
    progress.close()
    before, _, after = terminal.getvalue().partition("training:")
    assert before.endswith(" \r\r"), "the old bar is erased"
    assert "\n" not in before + after, "the new one is on its line"


def test_quiet_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, progress = at_terminal(monkeypatch), ConsoleProgress(quiet=True)
    work(progress, 10, "news")
    progress.close()
    assert terminal.getvalue() == ""


def test_the_one_that_shows_nothing_warns(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    work(progress, 2, "news")
    with pytest.warns(GaleWarning, match="3 runs are left out") as given:
        progress.note("3 runs are left out")
    assert given[0].filename == __file__, "where gale was called, not where it warns"
    progress.close()
    assert capsys.readouterr() == ("", "")


def test_time_left_is_that_of_as_many_epochs_at_the_same_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    clock = TimeLeft()
    clock.expect("deep", fits=10, epochs=100, cost=2)
    clock.expect("flat", fits=3, epochs=20)
    assert clock.left("deep", 0, 0) == 0
    clock.skip("deep")  # one was there before
    clock.skip("deep")
    now += 60  # 4 members, 30 epochs
    flat = 3 * 20
    assert clock.left("deep", 4, 30) == pytest.approx((2 * (8 * 100 - 120) + flat) * 60 / 240)
    assert clock.text("deep", 4, 30) == "at most 6 min left"
    clock.add("deep", 30)
    clock.add("deep", 50)
    now += 10  # 2 members go on to epoch 60, further than the 40 of the others on average
    left = 2 * (6 * 60 - 2 * 60) + flat
    assert clock.left("deep", 2, 60) == pytest.approx(left * 70 / (2 * (30 + 50 + 120)))
    for _ in range(6):
        clock.add("deep", 60)
    assert clock.left("flat", 0, 0) == pytest.approx(flat * 70 / (2 * (30 + 50 + 360)))
    assert clock.text("flat", 3, 10).startswith("at most ")
    assert clock.text("flat", 3, 20) == "0 min left", "the last epoch that there can be"
    for _ in range(3):
        clock.add("flat", 20)
    assert clock.left("flat", 0, 20) == 0
