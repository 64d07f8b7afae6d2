"""Measures the distances of pairs of masks with DeepMind's surface-distance, and prints its figures.

surface_distances.py pairs.json: a list of {shape, spacing, toleranceMm, prediction, reference}, the last two names of
files of one byte a voxel, first axis fastest. What the package gives as NaN or infinity is null.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

# Version 0.1 calls names that numpy 2 and newer scipy have no more; they mean the same.
np.Inf = np.inf
np.NaN = np.nan
ndimage.filters = ndimage
ndimage.morphology = ndimage

import surface_distance.metrics as metrics  # noqa: E402


def finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def measure(pair: dict) -> dict:
    prediction, reference = (
        np.frombuffer(Path(pair[name]).read_bytes(), np.uint8).reshape(pair["shape"], order="F") > 0
        for name in ("prediction", "reference")
    )
    distances = metrics.compute_surface_distances(reference, prediction, pair["spacing"])
    to_prediction, to_reference = metrics.compute_average_surface_distance(distances)
    return {
        "dice": finite(metrics.compute_dice_coefficient(reference, prediction)),
        "hd95Mm": finite(metrics.compute_robust_hausdorff(distances, 95)),
        "predictionToReferenceMm": finite(to_reference),
        "referenceToPredictionMm": finite(to_prediction),
        "surfaceDice": finite(metrics.compute_surface_dice_at_tolerance(distances, pair["toleranceMm"])),
    }


with np.errstate(all="ignore"):
    print(json.dumps([measure(pair) for pair in json.loads(Path(sys.argv[1]).read_text())]))
