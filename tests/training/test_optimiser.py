"""AdamW against torch's own class, also after members have left."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from gale.training.optimiser import AdamW

SHAPES = ((3, 4, 2), (3, 1, 2), (3, 5))


def gradients(seed: int, members: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(members, *shape[1:], generator=generator) for shape in SHAPES]


@pytest.mark.slow
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_steps_are_those_of_torch(weight_decay: float) -> None:
    ours, theirs = ([nn.Parameter(torch.ones(shape)) for shape in SHAPES] for _ in range(2))
    optimiser = AdamW(ours, epsilon=1e-7, weight_decay=weight_decay)
    reference = torch.optim.AdamW(theirs, eps=1e-7, weight_decay=weight_decay, fused=True)
    for step in range(5):
        for mine, other, gradient in zip(ours, theirs, gradients(step, 3), strict=True):
            mine.grad, other.grad = gradient, gradient.clone()
        ours[2].grad = theirs[2].grad = None if step == 2 else theirs[2].grad
        reference.param_groups[0]["lr"] = 0.01 / (1 + step)
        optimiser.step(0.01 / (1 + step))
        reference.step()
        for mine, other in zip(ours, theirs, strict=True):
            assert torch.equal(mine, other)


def test_members_that_stay_go_on_as_if_nothing_had_happened() -> None:
    all_three, two = ([nn.Parameter(torch.ones(shape)) for shape in SHAPES] for _ in range(2))
    of_all, of_two = (AdamW(each, epsilon=1e-8, weight_decay=0.1) for each in (all_three, two))
    for step in range(6):
        if step == 3:
            of_two.keep_only([2, 0])
            assert all(each.grad is None for each in two)
        for mine, other, gradient in zip(all_three, two, gradients(step, 3), strict=True):
            mine.grad = gradient
            other.grad = gradient if step < 3 else gradient[[2, 0]]
        of_all.step(0.01)
        of_two.step(0.01)
    for mine, other in zip(all_three, two, strict=True):
        assert torch.equal(mine[[2, 0]], other)


def test_gradients_are_forgotten() -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    AdamW([weight], epsilon=1e-8, weight_decay=0).zero_grad()
    assert weight.grad is None


@pytest.mark.slow
def test_fitting_does_not_import_a_compiler() -> None:
    code = (
        "import sys, torch; from torch import nn; from gale.training.optimiser import AdamW\n"
        "weight = nn.Parameter(torch.ones(2)); weight.grad = torch.ones(2)\n"
        "AdamW([weight], epsilon=1e-8, weight_decay=0).step(0.1)\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
