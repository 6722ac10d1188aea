"""AdamW for many members at once, whose states can be taken out with them.

The update is torch's own (Loshchilov and Hutter 2019, "Decoupled weight decay regularization",
ICLR), in one pass over memory, which is the bottleneck. Only its class is not used: making one
imports a compiler that gale has no use for, which takes longer than a brief training.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BETA1, BETA2 = 0.9, 0.999
"""How much of the running means of the gradients and of their squares each step keeps."""


class AdamW:
    """The optimiser of some parameters, the first axis of which is that of the members.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
    epsilon : float
        Added to the root of the mean squared gradient.
    weight_decay : float
        Times the learning rate, the share that weights lose at each step.

    Examples
    --------
    >>> weight = nn.Parameter(torch.ones(2, 3))
    >>> optimiser = AdamW([weight], epsilon=1e-8, weight_decay=0.0)
    >>> weight.square().sum().backward()
    >>> optimiser.step(learning_rate=0.25)
    >>> weight.tolist()
    [[0.75, 0.75, 0.75], [0.75, 0.75, 0.75]]
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, epsilon: float, weight_decay: float
    ) -> None:
        self.parameters = list(parameters)
        self.epsilon, self.weight_decay = epsilon, weight_decay
        self.mean, self.mean_square = (
            [
                torch.zeros_like(each, memory_format=torch.preserve_format)
                for each in self.parameters
            ]
            for _ in range(2)
        )
        self.steps = [torch.zeros((), device=each.device) for each in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the parameters that have a gradient."""
        rows = [row for row, each in enumerate(self.parameters) if each.grad is not None]

        def of(values: list[Tensor]) -> list[Tensor]:
            return [values[row] for row in rows]

        adamw(
            of(list(self.parameters)),
            [each.grad for each in self.parameters if each.grad is not None],
            of(self.mean),
            of(self.mean_square),
            [],
            of(self.steps),
            fused=True,
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=learning_rate,
            weight_decay=self.weight_decay,
            eps=self.epsilon,
            maximize=False,
        )

    def keep_only(self, members: list[int]) -> None:
        """Remove all other members from the parameters and their states."""
        for parameter in self.parameters:
            parameter.data, parameter.grad = parameter.data[members], None
        self.mean = [each[members] for each in self.mean]
        self.mean_square = [each[members] for each in self.mean_square]
