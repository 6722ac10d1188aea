"""A recipe of several parts whose fits take moments."""

from __future__ import annotations

import gale

STACK = """
name = "small"
kind = "stack"

[features]
kind = "events"
bins = 24
mz_first = 26
mz_last = 95
losses = 10
events = 6

[pretraining]
runs = 8
runs_per_laboratory = 4
instruments = 1
ions = 2000

[folds]
count = 2

[[parts]]
name = "elution"
network = { kind = "elution", hidden = [8], batch_norm = false }
loss = { hinge = 0.0, label_correlation = 0.0 }
augment = { abundance = 0.3 }
pretrain = { learning_rate = 1e-2, batch_size = 2, epochs = 3, patience = 3 }
fitting = { learning_rate = 1e-2, batch_size = 16, epochs = 4, patience = 4, schedule = "cosine" }
soup = { kind = "none", size = 2 }

[[parts]]
name = "profile"
network = { hidden = [8], standardise = "centre" }
loss = { hinge = 0.0, label_correlation = 0.0 }
pretrain = { learning_rate = 1e-2, batch_size = 2, epochs = 3, patience = 3 }
fitting = { learning_rate = 1e-2, batch_size = 16, epochs = 4, patience = 4 }
soup = { kind = "uniform", size = 2 }
"""


def stack_recipe(**replaced: str) -> gale.Recipe:
    """The small stack, with other values of some keys: ``stack_recipe(events="7")``.

    Where several tables have the key, it is that of the first one.
    """
    lines = STACK.splitlines()
    for key, value in replaced.items():
        (at, *_) = (n for n, line in enumerate(lines) if line.startswith(f"{key} ="))
        lines[at] = f"{key} = {value}"
    return gale.Recipe.parse("\n".join(lines), "small.toml")
