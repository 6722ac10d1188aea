"""Evidence of nothing but air is said to be so, where it is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gale
from gale.cli.answer_table import print_table
from gale.evidence import Window
from gale.evidence.air import air_of
from gale.evidence.answer import answer_of
from gale.matching import Matcher
from gale.report import run_page
from helpers.html_pages import parsed

WINDOW = Window(
    "mineral", 0.7, 1.7, 1.6, 1.8, 0.9, (18, 17, 44), (3.0, 1.0, 0.5), np.ones(3), np.nan
)


def test_air_alone() -> None:
    assert air_of([WINDOW]) == (18, 17, 44)
    sulfide = replace(WINDOW, ions=(64, 48), falls=(2.0, 1.0), share=0.6)
    assert air_of([replace(WINDOW, share=0.4), sulfide]) == ()
    assert air_of([WINDOW, replace(sulfide, share=0.03)]) == (18, 17, 44)
    assert air_of([]) == air_of([replace(WINDOW, ions=(), falls=())]) == ()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_it_is_said_in_the_answer_and_on_the_page(
    stack: gale.Model,
    campaign: gale.Campaign,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = gale.read_run(campaign.of_split("test").paths[0])
    gases = replace(WINDOW, spectrum=np.ones(len(stack.event_spec.mz)))
    windows = [gases, replace(gases, family="alcohol", ions=(31, 45), falls=(2.0, 1.0))]
    monkeypatch.setattr("gale.evidence.answer.find_windows", lambda *_, **__: windows)
    monkeypatch.setattr(run_page, "find_windows", lambda *_, **__: windows)
    row = stack.predict(run).row(0, named=True)
    answer = answer_of(stack, run, row, Matcher.default())
    said = {each["family"]: each["air_mz"] for each in answer["families"]}
    assert (said["mineral"], said["alcohol"]) == ([18, 17, 44], [])
    print_table(answer, stack.number)
    told = [line for line in capsys.readouterr().out.splitlines() if "air and moisture" in line]
    assert [line.split(":")[0] for line in told] == ["mineral"]
    page = parsed(gale.run_report(stack, run))
    (section,) = page.xpath("//section[p[@class='doubt']]")
    assert section.xpath("./h3")[0].text_content().startswith("mineral")
