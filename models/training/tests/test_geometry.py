"""The model's grid and the way back are inverse where nothing is lost."""

import numpy as np
import pytest

from slicewise_training.config import InputConfig
from slicewise_training.data import to_model_matrix, window_centres
from slicewise_training.predict import dice, predict_scores


def identity(window: np.ndarray) -> np.ndarray:
    middle = window[:, 1:2]
    return np.concatenate([1 - middle, middle], 1)


@pytest.mark.parametrize("shape", [(2, 31, 20), (2, 20, 57), (1, 90, 33)])
def test_at_the_models_spacing_the_scores_come_back_unchanged_whatever_the_windows(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    config = InputConfig(size=32, spacing=1.5, low=0, high=100)
    # odd and even lengths differ by half a pixel from the window's grid, so only even ones are exact
    even = image[:, : shape[1] // 2 * 2, : shape[2] // 2 * 2]
    scores = predict_scores(even, (1.5, 1.5), 0, config, identity)
    if max(even.shape[1:]) <= 32:
        assert np.allclose(scores[1], even[0], atol=1e-5)
    assert np.allclose(scores.sum(0), 1, atol=1e-5)


def test_a_linear_ramp_survives_both_ways() -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32) / 40, (1, 30, 40))
    config = InputConfig(size=96, spacing=0.7, low=0, high=100)
    scores = predict_scores(ramp, (1.5, 1.5), 0, config, identity)
    assert np.allclose(scores[1][:, 1:-1], ramp[0][:, 1:-1], atol=0.02)


def test_windows_cover_the_slice_and_overlap_by_a_quarter() -> None:
    centres = window_centres(512, 0.7, 96, 1.5)
    assert centres[0] - 72 == pytest.approx(-512 * 0.35)
    assert centres[-1] + 72 == pytest.approx(512 * 0.35)
    assert max(np.diff(centres)) <= 0.75 * 144 + 1e-9


def test_weights_sum_to_one_and_the_outside_is_marked() -> None:
    weights, inside = to_model_matrix(10, 1.0, 32, 1.0, 0.0)
    assert np.allclose(weights.sum(1), 1)
    assert inside.sum() == 10


def test_two_empty_masks_have_no_dice() -> None:
    empty = np.zeros((2, 2, 2), np.uint8)
    assert np.isnan(dice(empty, empty, 1))
