"""Whether a model's uncertainty means something: calibration and error detection of an exported model.

Expected calibration error: over voxels within BAND_PX pixels of a predicted or reference structure, 15 bins of the
top probability, weighted by voxels. Error detection: of the slices that show a structure in reference or prediction,
the share of the worst WORST by Dice that is among the UNSURE most uncertain, by the figure that the deployed pipeline
gives each slice (src/pipeline/classify.ts).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from .calibrate import BAND_PX
from .config import Config
from .data import Float, load_part
from .labels import IGNORED
from .predict import Run, dice, predict_volume

BINS = 15
WORST, UNSURE = 0.2, 0.3
SURE, KNOWN_MM2 = 0.2, 20.0
"""As in src/pipeline/classify.ts: below this normalised entropy a voxel is taken for sure; and so much of a
slice is taken for known."""


ERRORS = np.linspace(1e-6, 0.5, 2001)
ENTROPIES = -ERRORS * np.log(ERRORS) - (1 - ERRORS) * np.log(1 - ERRORS)
"""Of a voxel whose label is wrong with that probability, a single other class being in question."""


def measure(
    config: Config, data: Path, part: str, run: Run, temperature: float, reading: str | None = None
) -> dict[str, Any]:
    sums = np.zeros((BINS, 3))  # voxels, of them right, sum of confidence
    slice_dice, slice_uncertainty = [], []
    for volume in load_part(data, config, part, reading):
        slices = predict_volume(volume.image, volume.spacing, config.input, run)
        for scores, truth in zip(slices, volume.label, strict=True):
            probability = softmax(scores / temperature)
            judged = truth != IGNORED
            prediction = np.where(judged, scores.argmax(0), 0).astype(np.uint8)
            shown = (prediction > 0) | ((truth > 0) & judged)
            if not shown.any():
                continue
            band = binary_dilation(shown, iterations=BAND_PX) & judged
            sums += confidence_bins(probability.max(0)[band], prediction[band] == truth[band])
            present = [n for n in range(1, config.network.classes) if ((prediction == n) | (truth == n)).any()]
            slice_dice.append(float(np.mean([dice(prediction, truth, n) for n in present])))
            slice_uncertainty.append(uncertainty_of_slice(probability, prediction, volume.spacing))
    return {
        "part": part,
        "slices": len(slice_dice),
        "expectedCalibrationError": round(calibration_error(sums), 4),
        "worstFifthAmongMostUncertain": round(found_share(np.array(slice_dice), np.array(slice_uncertainty)), 3),
    }


def softmax(scores: Float) -> Float:
    raised = np.exp(scores - scores.max(0))
    return np.asarray(raised / raised.sum(0), np.float32)


def uncertainty_of_slice(probability: Float, prediction: NDArray[np.uint8], spacing: tuple[float, float]) -> float:
    """What the voxels' entropy lets expect to be missing from a Dice of 1: [classes, J, I], [J, I] → scalar."""
    entropy = -(probability * np.log(np.maximum(probability, 1e-12))).sum(0)
    highest = np.log(probability.shape[0])
    error = np.interp(entropy, ENTROPIES, ERRORS) * (np.round(255 * entropy / highest) >= SURE * 255)
    is_found = prediction > 0
    right = float((1 - error[is_found]).sum())
    known = KNOWN_MM2 / (spacing[0] * spacing[1])
    return 1 - (2 * right + known) / (int(is_found.sum()) + right + float(error[~is_found].sum()) + known)


def confidence_bins(confidence: Float, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[BINS, 3]: voxels, of them right, and their confidences' sum, by bins of equal width."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    columns = [np.bincount(bins, weights, BINS) for weights in (np.ones(bins.size), right, confidence)]
    return np.stack(columns, 1)


def calibration_error(sums: NDArray[np.float64]) -> float:
    """Mean distance of accuracy from confidence, by voxels: Guo et al., ICML 2017, equation 3."""
    return float(np.abs(sums[:, 1] - sums[:, 2]).sum() / max(sums[:, 0].sum(), 1))


def found_share(slice_dice: NDArray[np.float64], uncertainty: NDArray[np.float64]) -> float:
    """Of the WORST share of slices by Dice, those among the UNSURE share of the most uncertain."""
    worst = np.argsort(slice_dice, kind="stable")[: max(1, round(WORST * slice_dice.size))]
    unsure = np.argsort(-uncertainty, kind="stable")[: max(1, round(UNSURE * slice_dice.size))]
    return float(np.isin(worst, unsure).mean())
