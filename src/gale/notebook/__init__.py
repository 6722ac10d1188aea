"""What a notebook shows of runs, campaigns, models and evaluations: a few lines of HTML.

Every value is escaped: names and facts are from files of others. Colours are those of the notebook,
light or dark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gale.campaign import Campaign
from gale.evaluation import Evaluation
from gale.model import Model
from gale.notebook.campaign import campaign_html
from gale.notebook.evaluation import evaluation_html
from gale.notebook.model import model_html
from gale.notebook.run import run_html
from gale.run import Run

DRAWN_BY: dict[type, Callable[[Any], str]] = {
    Run: run_html,
    Campaign: campaign_html,
    Model: model_html,
    Evaluation: evaluation_html,
}


def html_of(thing: Run | Campaign | Model | Evaluation) -> str:
    """Draw an object as HTML.

    Examples
    --------
    >>> run = Run.from_rows([1, 2, 3], [43, 57, 43], [9, 4, 7], source="<b>.csv")
    >>> "<b>" in html_of(run), "&lt;b&gt;.csv" in html_of(run)
    (False, True)
    """
    kind = next(kind for kind in DRAWN_BY if isinstance(thing, kind))
    return DRAWN_BY[kind](thing)
