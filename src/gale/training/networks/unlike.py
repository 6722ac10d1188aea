"""The distance from the training runs, as part of a model's graph."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gale.model.unlike import SOFTNESS, Block, n_neighbours


class Unlike(nn.Module):
    """Distance from the training runs, as `gale.model.unlike.unlike`: features (R, D) to (R,).

    Parameters
    ----------
    blocks : sequence of Block
        From `gale.model.unlike.fit_unlike`.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([_BlockDistance(block) for block in blocks])

    def forward(self, features: Tensor) -> Tensor:
        """Return the largest distance over the blocks."""
        return torch.stack([block(features) for block in self.blocks]).amax(0)


class _BlockDistance(nn.Module):
    """The distance in one block in units of the usual one: features (R, D) to (R,)."""

    centre: Tensor
    windows: Tensor
    runs: Tensor

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.columns, self.usual = block.columns, block.usual
        for name in ("centre", "windows", "runs"):
            value = torch.tensor(getattr(block, name), dtype=torch.float32)
            self.register_buffer(name, value)

    def forward(self, features: Tensor) -> Tensor:
        softened = torch.asinh(features[:, self.columns] / SOFTNESS)
        placed = (softened - self.centre) @ self.windows
        # The squared norm of `placed` is left out: it is the same for all training runs.
        order = self.runs.square().sum(1) - 2 * placed @ self.runs.T
        nearest = order.topk(n_neighbours(len(self.runs)), largest=False).indices
        # Recomputed, since a small difference of large squares is not exact.
        distance = (self.runs[nearest] - placed[:, None]).square().sum(2).sqrt()
        return distance.mean(1) / self.usual
