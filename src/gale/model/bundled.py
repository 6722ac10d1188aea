"""The model that comes with gale, for whoever has no labelled runs to train one of their own.

It learned from simulated runs alone, and says so with everything that it gives. Its file was made
by ``tools/make_bundled.py``.
"""

from __future__ import annotations

import gzip
import logging
from functools import cache
from importlib.resources import files

from gale.model import Model

LOG = logging.getLogger("gale.model")

FILE = "model.onnx.gz"

NAME = "the model that comes with gale"
"""What messages call it."""


@cache
def bundled_model() -> Model:
    """Return the model that comes with gale.

    It knows the nine published families, learned from simulated runs alone: on another instrument
    its probabilities are rough. ``model.caution`` says how rough, and every prediction warns of it.
    It needs no extra of gale.

    Returns
    -------
    Model
        Always the same object.

    Examples
    --------
    >>> import gale
    >>> model = gale.bundled_model()
    >>> len(model.families), model.has_elution_network
    (9, True)
    >>> model.caution.split(";")[0]
    'the model that comes with gale learned from simulated runs alone'
    """
    model = Model(gzip.decompress((files("gale") / "data" / FILE).read_bytes()), NAME)
    LOG.info("model that comes with gale: SHA-256 %s", model.sha256)
    return model
