"""Rows of values of E members, those of each member for itself."""

from __future__ import annotations

import torch
from torch import Tensor


def take_rows(values: Tensor, rows: Tensor) -> Tensor:
    """Take rows (E, n) of values (E, R, D), shape (E, n, D)."""
    first = torch.arange(len(values), device=rows.device).unsqueeze(1) * values.shape[1]
    # several times as fast on a CPU as values.gather
    taken = values.flatten(0, 1).index_select(0, (first + rows).flatten())
    return taken.view(*rows.shape, values.shape[-1])
