"""What networks and calibrations of a model give, computed by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gale.training.calibration import Calibration
from gale.training.fitting import predict_logits


def probability_of(network: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities by each member of a network: features (R, D) to (E, R, K)."""
    return torch.sigmoid(torch.from_numpy(predict_logits(network, features))).numpy()


def calibration_of(facts: Mapping[str, Any]) -> Calibration:
    """The calibration that the facts of a model have."""
    values = facts["calibration"]
    return Calibration(*(np.array(values[name], dtype=float) for name in ("weight", "bias")))
