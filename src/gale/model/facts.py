"""What a model file states of itself: the schema of its facts, which are checked on load."""

from __future__ import annotations

from typing import Any

from gale.campaign.labels import is_reserved
from gale.errors import CONTROLS, ModelError
from gale.features.versions import TRAIN_AGAIN
from gale.plumbing.schema import (
    NAME,
    NAMES_OF_COLUMNS,
    PLAIN,
    PLAIN_TABLE,
    TEXT,
    YES_NO,
    Either,
    ListOf,
    Schema,
    Table,
    Value,
    check_schema,
    misfits,
    number,
    read_json,
    whole,
)
from gale.plumbing.text import shown

FORMAT = 1
"""Number of the file format. It rises only when older versions of gale could not use a new file."""

MODEL_FILE = "a model file that gale wrote"

SHARE = number(0, 1)

GROUPS = Table(
    {
        "apart": YES_NO,
        "count": whole(1),
        "largest": whole(2),
        "mixed": SHARE,
        "single": ListOf(TEXT),
    },
    {
        "baseline": Table(
            {
                "by_group": number(0),
                "factor": Table({"high": number(0), "low": number(0), "value": number(0)}),
                "prior": number(0),
                "random": number(0),
            }
        ),
        "told": Table(
            {
                "by_labels": number(),
                "explained": number(),
                "groups": whole(2),
                "largest": SHARE,
                "right": SHARE,
            }
        ),
    },
)
"""What a model states of the groups of its training runs, see `gale.training.group_effect`."""

BUNDLED = Table(
    {
        "simulated": Table({"laboratories": whole(1), "instruments": whole(1)}),
        "foreign": ListOf(
            Table({"campaign": TEXT, "runs": whole(1), "log_loss": number(0), "prior": number(0)})
        ),
        "precision": Table(
            {"weights": TEXT, "largest_change": SHARE, "log_loss": number(0), "full": number(0)}
        ),
        "versions": ListOf(TEXT),
        "seconds": number(0),
    }
)
"""What the model that comes with gale states of itself, see ``tools/make_bundled.py``: the log loss
on campaigns of another simulator beside that of their prevalence, and what short weights change."""


def _is_curve(value: Any) -> bool:
    """Whether a value has the thresholds and counts of a `gale.evaluation.cutoffs.Curve`."""
    names = ("threshold", "called", "found")
    schema = Table(
        {name: ListOf(number(0, 1) if name == "threshold" else whole()) for name in names}
    )
    if any(misfits(value, schema)) or len({len(value[name]) for name in names}) > 1:
        return False
    return all(
        0 < found <= called for found, called in zip(value["found"], value["called"], strict=True)
    )


def _is_interval(value: Any) -> bool:
    fits = isinstance(value, list) and len(value) == 3 and all(map(SHARE.fits, value))
    return fits and value[1] <= value[0] <= value[2]


INTERVAL = Either(Value("a share and its bounds, from 0 to 1", _is_interval))

CUTOFFS = Table(
    {
        "positive": whole(),
        "negative": whole(),
        "measured": ListOf(
            Table({"at": TEXT, "threshold": SHARE, "precision": INTERVAL, "recall": INTERVAL})
        ),
    },
    {"curve": Value("thresholds from 0 to 1, and as many numbers of runs", _is_curve)},
)
"""What a model states of the cut-offs of a family, see `gale.evaluation.cutoffs`."""


PRETRAINED = Table(
    {"runs": whole(1), "libraries": ListOf(TEXT)},
    {"spectra": ListOf(Table({"name": TEXT, "spectra": whole(), "sha256": TEXT}))},
)


SCORES = Table(
    {
        "caution": TEXT,
        "log_loss": number(),
        "measured_on": TEXT,
        "prior_log_loss": number(),
    },
    {"pooled_log_loss": number()},
)
"""What a model states of its scores on held-out runs."""


ELSEWHERE = Table(
    {
        "folds": whole(2),
        "runs": whole(1),
        "log_loss": number(0),
        "as_here_log_loss": number(0),
        "prior_log_loss": number(0),
        "far": number(1),
    },
    {"calibration": PLAIN},
)
"""What a model states of other instruments, see `gale.training.elsewhere`."""


def schema_of_facts(n_families: int) -> Table:
    """Return what the facts of a model of K families have to be."""

    def of_families(item: Schema) -> ListOf:
        return ListOf(item, length=n_families)

    return Table(
        {
            "calibrated": YES_NO,
            "columns": Either(NAMES_OF_COLUMNS),
            "created": TEXT,
            "families": of_families(NAME),
            "features": PLAIN_TABLE,  # see `gale.features.kinds`, by their kind and version
            "folds": whole(1),
            "format": whole(FORMAT, FORMAT),
            "gale_version": TEXT,
            "members": whole(1),
            "prevalence": of_families(SHARE),
            "recipe": Table(
                {"name": TEXT, "kind": TEXT, "folds": PLAIN_TABLE},
                {
                    "parts": ListOf(PLAIN_TABLE),
                    "pretraining": Table(
                        {}, {"runs": whole(1), "libraries": ListOf(TEXT), "shipped": YES_NO}
                    ),
                },
            ),
            "scores": SCORES,
            "seed": whole(),
            "training": Table(
                {
                    "campaign": TEXT,
                    "fingerprint": TEXT,
                    "known": of_families(whole()),
                    "positive": of_families(whole()),
                    "runs": whole(1),
                    "unreadable": ListOf(TEXT),
                },
                {"labels": TEXT, "copies": ListOf(TEXT), "content": ListOf(TEXT)},
            ),
        },
        {
            "bundled": BUNDLED,
            "calibration": PLAIN,
            "checksum": TEXT,
            "cutoffs": of_families(CUTOFFS),
            "elsewhere": ELSEWHERE,
            "groups": GROUPS,
            "files": Table({"history": TEXT, "out_of_fold": TEXT}),
            "interpolated": PLAIN,
            "pretrained": PRETRAINED,
            "recalibrated": _recalibrated(of_families(whole())),
            "supported": YES_NO,
            "novelty": Table({"spectra": whole(0), "unsure": SHARE}),
        },
    )


def _recalibrated(counts: Schema) -> Table:
    """What a model states of a correction, see `gale.training.recalibration`."""
    return Table(
        {
            "campaign": TEXT,
            "known": counts,
            "log_loss_before": number(),
            "model_sha256": TEXT,
            "positive": counts,
            "runs": whole(1),
        }
    )


def read_facts(text: str, source: str) -> dict[str, Any]:
    """Read the facts that a model file states.

    Parameters
    ----------
    text : str
        JSON.
    source : str
        Name of the file, for messages.

    Raises
    ------
    ModelError
        If its format is another, or a fact is missing or not what it has to be.
    """
    try:
        facts = read_json(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ModelError(source, "is damaged: its metadata is not a JSON object", MODEL_FILE)
    if (found := facts.get("format")) != FORMAT:
        written_by = facts.get("gale_version", "of a version that it does not state")
        raise ModelError(
            source,
            f"is a model of format {_cut(found)}, written by gale {_cut(written_by)}",
            f"format {FORMAT}, which this gale reads",
            "install that version of gale, or train again",
        )
    families = facts.get("families")
    n_families = len(families) if isinstance(families, list) else 0
    for place, schema in (("", schema_of_facts(n_families)), ("recipe", PLAIN_TABLE)):
        value = facts[place] if place else facts
        check_schema(value, schema, source, ModelError, place=place, remedy=TRAIN_AGAIN)
    _check_families(facts["families"], source)
    return facts


def _cut(value: Any) -> str:
    """Write any value on one line, and not all of a long one."""
    text = str(value)
    return text if len(text) <= 40 and text.isprintable() else shown(text)


def _check_families(families: list[str], source: str) -> None:
    """Refuse families whose columns in a table of predictions would not be their own."""
    known, seen = frozenset(families), set[str]()
    for name in families:
        if name in seen or is_reserved(name, known) or CONTROLS.search(name):
            raise ModelError(
                source,
                f"is damaged: its family {name!r} is there twice, or has a name that none may have",
                "families of different names without control characters",
                TRAIN_AGAIN,
            )
        seen.add(name)
    if not families:
        raise ModelError(source, "is damaged: it has no families", MODEL_FILE)
