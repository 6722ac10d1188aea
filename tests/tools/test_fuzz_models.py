"""Damaged models are refused or work; `tools/fuzz_models.py` tries many more of them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from gale.errors import ModelError
from tools import fuzz_models


@pytest.mark.filterwarnings("ignore::gale.GaleWarning")
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_model_is_refused_or_works(seed: int) -> None:
    random = np.random.default_rng([7, seed])
    with contextlib.suppress(ModelError):
        fuzz_models.use(fuzz_models.damaged(random), pages=False)
