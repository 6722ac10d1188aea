"""Rows of each member for itself."""

from __future__ import annotations

import torch

from gale.training.rows import take_rows


def test_each_member_gives_its_own_rows() -> None:
    values = torch.arange(24.0).reshape(2, 4, 3)
    rows = torch.tensor([[3, 0], [1, 1]])
    expected = torch.stack([values[0, [3, 0]], values[1, [1, 1]]])
    assert torch.equal(take_rows(values, rows), expected)
    assert torch.equal(take_rows(values[..., :1], rows), expected[..., :1])  # not contiguous


def test_no_rows_are_none() -> None:
    assert take_rows(torch.zeros(2, 4, 3), torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0, 3)


def test_gradients_reach_the_rows_that_were_taken() -> None:
    values = torch.zeros(1, 3, 2, requires_grad=True)
    take_rows(values, torch.tensor([[2, 2, 0]])).sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad[0, :, 0].tolist() == [1, 0, 2]
