"""Volume in, labels out, with the deployed pipeline's geometry (windows, score interpolation before argmax)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .config import InputConfig
from .data import Float, from_model_matrix, to_model_matrix, window_centres, with_neighbours
from .labels import IGNORED

Run = Callable[[Float], Float]
"""[1, C, S, S] → logits [1, classes, S / stride, S / stride]."""


def predict_scores(image: Float, spacing: tuple[float, float], k: int, config: InputConfig, run: Run) -> Float:
    """Logits of slice k alone on the source grid: [classes, J, I]."""
    channels = with_neighbours(image, k, config.channels)
    rows, columns = channels.shape[1:]
    total: Float | None = None
    weight = np.zeros((rows, columns), np.float32)
    for centre_y in window_centres(rows, spacing[0], config.size, config.spacing):
        to_y, inside_y = to_model_matrix(rows, spacing[0], config.size, config.spacing, centre_y)
        for centre_x in window_centres(columns, spacing[1], config.size, config.spacing):
            to_x, inside_x = to_model_matrix(columns, spacing[1], config.size, config.spacing, centre_x)
            window = (to_y @ channels @ to_x.T) * inside_y[:, None] * inside_x[None]
            logits = run(window[None].astype(np.float32))[0]
            stride = config.size // logits.shape[-1]
            from_y, tent_y = from_model_matrix(rows, spacing[0], config.size, config.spacing, centre_y, stride)
            from_x, tent_x = from_model_matrix(columns, spacing[1], config.size, config.spacing, centre_x, stride)
            tent = tent_y[:, None] * tent_x[None]
            scores = (from_y @ logits @ from_x.T) * tent
            total = scores if total is None else total + scores
            weight += tent
    assert total is not None
    return np.asarray(total / np.maximum(weight, 1e-6), np.float32)


def predict_volume(image: Float, spacing: tuple[float, float], config: InputConfig, run: Run) -> Iterator[Float]:
    """Logits of each slice in turn, with its neighbours' share; beyond the first and the last slice, its own."""
    weight, last = config.neighbour_weight, image.shape[0] - 1
    before = here = predict_scores(image, spacing, 0, config, run)
    for k in range(last + 1):
        after = predict_scores(image, spacing, k + 1, config, run) if k < last else here
        yield here + weight * (before + after - 2 * here)
        before, here = here, after


def predict_labels(image: Float, spacing: tuple[float, float], config: InputConfig, run: Run) -> NDArray[np.uint8]:
    """Labels [K, J, I] of a whole volume, slice by slice, without post-processing."""
    return np.stack([scores.argmax(0).astype(np.uint8) for scores in predict_volume(image, spacing, config, run)])


def dice(prediction: NDArray[np.uint8], reference: NDArray[np.uint8], label: int) -> float:
    """2 |A ∩ B| / (|A| + |B|) over the voxels that the reference judges; NaN where both are empty: such a label is left
    out of means (mean_dice)."""
    a, b = (prediction == label) & (reference != IGNORED), reference == label
    both = int(a.sum()) + int(b.sum())
    return float("nan") if both == 0 else 2 * int((a & b).sum()) / both


def mean_dice(dices: Sequence[float]) -> float:
    """The mean of those that are there: NaN, of a label that prediction and reference both lack, is left out."""
    present = [value for value in dices if not math.isnan(value)]
    return sum(present) / len(present) if present else float("nan")
