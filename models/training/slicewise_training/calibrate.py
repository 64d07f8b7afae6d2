"""Temperature scaling (Guo et al., On Calibration of Modern Neural Networks, ICML 2017), fitted where it matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation

from .config import Config
from .data import Float, load_part
from .labels import IGNORED
from .predict import Run, predict_volume

BAND_PX = 5
CANDIDATES = np.geomspace(0.5, 4, 61)


def fit_temperature(config: Config, data: Path, run: Run) -> float:
    """The temperature of least negative log-likelihood over the validation voxels within BAND_PX pixels of a predicted
    or reference structure; elsewhere nearly every voxel is sure background and would hide the rest."""
    scores, labels = [], []
    for volume in load_part(data, config, "validation"):
        slices = predict_volume(volume.image, volume.spacing, config.input, run)
        for logits, label in zip(slices, volume.label, strict=True):
            judged = label != IGNORED
            shown = ((logits.argmax(0) > 0) | (label > 0)) & judged
            band = binary_dilation(shown, iterations=BAND_PX) & judged
            scores.append(logits[:, band])
            labels.append(label[band])
    all_scores, all_labels = np.concatenate(scores, 1), np.concatenate(labels)
    losses = [negative_log_likelihood(all_scores, all_labels, float(t)) for t in CANDIDATES]
    return round(float(CANDIDATES[int(np.argmin(losses))]), 3)


def negative_log_likelihood(scores: Float, labels: np.ndarray, temperature: float) -> float:
    """Mean over voxels of −log p(label): [classes, N], [N] → scalar."""
    scaled = scores / temperature
    scaled = scaled - scaled.max(0)
    log_probability = scaled - np.log(np.exp(scaled).sum(0))
    return float(-log_probability[labels.astype(int), np.arange(labels.size)].mean())
