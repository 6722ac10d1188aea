"""Runs of new compounds: their probabilities are less sure, in the graph as in held-out figures."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch
from scipy.special import expit, logit

from gale.matching.novelty import known_spectra, novelty, strong_spectra
from gale.model.file import NOVELTY
from gale.training.calibration import Calibration
from gale.training.export import PartGraph, to_onnx
from gale.training.folds import Fold
from gale.training.networks.layers import Dense
from gale.training.novelty import UNSURE, Novelty, Spectra, less_sure, novelty_from

FIRST_MZ, N_MZ, N_SPECTRA, N_OTHERS = 20, 40, 4, 3
RUNS, FAMILIES = 30, 2


def features_of_runs() -> np.ndarray:
    """Features (R, D) of runs with up to four spectra, of which the last runs have others."""
    rng = np.random.default_rng(3)
    compounds = rng.exponential(1.0, (8, N_MZ)) * (rng.random((8, N_MZ)) < 0.2)
    images = np.zeros((RUNS, N_SPECTRA, N_MZ), dtype=np.float32)
    for row in range(RUNS):
        held = rng.choice(5 if row < RUNS - 6 else 8, size=rng.integers(0, 4), replace=False)
        images[row, : len(held)] = np.log1p(compounds[held] * rng.lognormal(6, 2, (len(held), 1)))
    profile = rng.normal(size=(RUNS, N_OTHERS)).astype(np.float32)
    return np.hstack([profile, images.reshape(RUNS, -1)])


FEATURES = features_of_runs()
COLUMNS = slice(N_OTHERS, FEATURES.shape[1])
STRONG = strong_spectra(FEATURES[:, COLUMNS], N_MZ, FIRST_MZ)
LABELS = (np.random.default_rng(4).random((RUNS, FAMILIES)) < 0.3).astype(np.float32)
FOLDS = [Fold(np.arange(RUNS - 6), np.arange(RUNS - 6, RUNS))]


def graph_of(of_training: Novelty | None) -> onnxruntime.InferenceSession:
    network = Dense(N_OTHERS, FAMILIES, [torch.Generator().manual_seed(1)]).eval()
    calibration = Calibration(np.full((1, FAMILIES), 2.0), np.array([0.5, -1.0]))
    parts = [PartGraph(network, slice(0, N_OTHERS))]
    data = to_onnx(parts, FEATURES.shape[1], {}, calibration, novelty=of_training)
    return onnxruntime.InferenceSession(data)


def test_the_graph_moves_logits_towards_the_prevalence_as_far_as_a_run_is_new() -> None:
    spectra = Spectra(STRONG.of(FOLDS[0].training), FIRST_MZ, COLUMNS)
    of_training = novelty_from(spectra, LABELS)
    (before,) = graph_of(None).run(["probability"], {"summary": FEATURES})
    names = ["probability", "member_probability", NOVELTY]
    after, (of_member,), new = graph_of(of_training).run(names, {"summary": FEATURES})
    np.testing.assert_allclose(new, novelty(STRONG, of_training.spectra, RUNS), atol=1e-4)
    assert new[: RUNS - 6].max() < 1e-4 < 0.5 < new[RUNS - 6 :].max()
    share = UNSURE * new[:, None]
    expected = expit((1 - share) * logit(before) + share * of_training.log_odds)
    np.testing.assert_allclose(after, expected, atol=1e-5)
    np.testing.assert_allclose(of_member, after, atol=1e-5)


def test_held_out_runs_are_new_beside_those_of_the_training() -> None:
    held_out = np.full((RUNS, FAMILIES), np.nan)
    held_out[RUNS - 6 :] = np.linspace(0, 1, 12).reshape(6, FAMILIES)
    prior = np.full((RUNS, FAMILIES), 0.3)
    found = less_sure(held_out, prior, Spectra(STRONG, FIRST_MZ, COLUMNS), FOLDS)
    known = known_spectra(STRONG.of(FOLDS[0].training))
    new = novelty(STRONG, known, RUNS)[RUNS - 6 :, None]
    assert np.isnan(found[: RUNS - 6]).all()
    inside = (held_out[RUNS - 6 :] > 0) & (held_out[RUNS - 6 :] < 1)
    z = logit(held_out[RUNS - 6 :].clip(1e-12, 1 - 1e-12))
    expected = expit(z + UNSURE * new * (logit(0.3) - z))
    np.testing.assert_allclose(found[RUNS - 6 :][inside], expected[inside])
    assert np.isfinite(found[RUNS - 6 :]).all(), "also where a probability is exactly 0 or 1"
