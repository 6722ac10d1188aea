"""The matching network: its cosines are those of a matcher, and its graph gives what it gives."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from gale.matching import Matcher
from gale.matching.references import ReferenceSpectra, reference_spectra
from gale.training.calibration import Calibration
from gale.training.export import PartGraph, to_onnx
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.matching import INPUTS, MatchingNetwork

FIRST_MZ, N_MZ, N_SPECTRA = 12, 339, 4
FAMILIES = ("aromatic", "nitrogen_bearing_compound", "mineral")


@pytest.fixture(scope="module")
def references() -> ReferenceSpectra:
    return reference_spectra(FAMILIES, FIRST_MZ, N_MZ)


def network_of(references: ReferenceSpectra, members: int = 2) -> MatchingNetwork:
    generators = [torch.Generator().manual_seed(seed) for seed in range(members)]
    shape = (N_SPECTRA, N_MZ)
    return MatchingNetwork(shape, FIRST_MZ, references, generators, hidden=5).eval()


def spectrum_of(name: str) -> np.ndarray:
    library = Matcher.default().library
    row = library.name.index(name)
    return library.nominal_spectra(FIRST_MZ + N_MZ)[row, FIRST_MZ:]


def features_of(*spectra: np.ndarray) -> torch.Tensor:
    """Event features (1, 1, N·M) of some spectra; the others are empty."""
    images = np.zeros((N_SPECTRA, N_MZ), dtype=np.float32)
    images[: len(spectra)] = np.log1p(np.array(spectra))
    return torch.tensor(images.reshape(1, 1, -1))


def test_a_spectrum_is_like_its_own_compound(references: ReferenceSpectra) -> None:
    features = features_of(spectrum_of("diphenylamine"), 20 * spectrum_of("water"))
    seen = network_of(references).inputs(features).reshape(N_SPECTRA, len(FAMILIES), len(INPUTS))
    inside, outside, usual, apart, unusual, height = seen.movedim(-1, 0)
    assert inside[0, 0] == pytest.approx(2, abs=0.01), "it is aromatic"
    assert inside[0, 1] == pytest.approx(2, abs=0.01), "and has nitrogen"
    assert outside[0, 2] == pytest.approx(2, abs=0.01), "which is no mineral"
    assert apart[0, 1] > 0.3 > 0 > apart[0, 2]
    assert unusual[0, 1] > 0.3, "no laboratory has it without a sample"
    assert usual[1, 2] == pytest.approx(2, abs=0.01), "but all have water"
    assert height[1, 0] > height[0, 0] > height[2, 0]
    assert inside[2:].abs().max() == 0, "of no ions, nothing is said"


def test_only_the_shape_of_a_spectrum_counts(references: ReferenceSpectra) -> None:
    network, spectrum = network_of(references), spectrum_of("diphenylamine")
    small, large = (network.inputs(features_of(f * spectrum))[..., :5] for f in (1, 50))
    torch.testing.assert_close(small, large)


def test_one_good_spectrum_is_enough(references: ReferenceSpectra) -> None:
    network = network_of(references)
    one, other = spectrum_of("diphenylamine"), spectrum_of("decane")
    both = features_of(one, other), features_of(other, one)
    first, second = (network(features.expand(2, -1, -1)) for features in both)
    torch.testing.assert_close(first, second)


def test_the_graph_gives_what_the_network_gives(references: ReferenceSpectra) -> None:
    generators = [torch.Generator().manual_seed(7)]
    elution = ElutionNetwork((N_SPECTRA, N_MZ), 3, generators, hidden=(8,), apexes=True).eval()
    parts = [PartGraph(elution), PartGraph(network_of(references))]
    weight = np.array([[0.5, 0.2, 1.0], [1.0, 0.6, 0.1]])
    calibration = Calibration(weight, np.array([0.1, -0.3, 0.0]))
    data = to_onnx(parts, N_SPECTRA * N_MZ, {"families": list(FAMILIES)}, calibration)
    rng = np.random.default_rng(5)
    noise = rng.exponential(0.3, (3, N_SPECTRA, N_MZ)) * (rng.random((3, N_SPECTRA, 1)) < 0.7)
    features = noise.reshape(3, -1).astype(np.float32)
    features[0] = features_of(spectrum_of("diphenylamine")).numpy()[0, 0]
    session = onnxruntime.InferenceSession(data)
    probability, evidence = session.run(["probability", "evidence"], {"summary": features})
    x = torch.tensor(features)[None]
    with torch.no_grad():
        both = (x, x.expand(2, -1, -1))  # of one member, and of two
        logits = np.stack(
            [part.network(each).mean(0).numpy() for part, each in zip(parts, both, strict=True)]
        )
        of_spectra = elution.event_logits(x)[0].numpy()
    expected = 1 / (1 + np.exp(-calibration.logits(logits)))
    np.testing.assert_allclose(probability, expected, atol=1e-5)
    assert evidence.shape == (3, N_SPECTRA, 3)
    alone = 1 / (1 + np.exp(-of_spectra))
    elsewhere = [PartGraph(elution, slice(0, N_SPECTRA * N_MZ)), parts[1]]
    data = to_onnx(elsewhere, N_SPECTRA * N_MZ, {"families": list(FAMILIES)}, calibration)
    (of_elution,) = onnxruntime.InferenceSession(data).run(["evidence"], {"summary": features})
    np.testing.assert_allclose(of_elution, alone, atol=1e-5)  # matches of other spectra say nothing
    # where a matching network hardly counts, the evidence is that of the elution network
    assert np.abs(evidence - alone)[..., 2].max() < np.abs(evidence - alone)[..., 0].max()
