"""Writes test/pipeline/golden/predict.json: what the training code makes of small asymmetric volumes.

    PYTHONPATH=models/training python test/pipeline/make_predict_golden.py && npx prettier --write test/pipeline/golden

The "network" is a formula that training-agreement.test.ts repeats: each class is a weighted sum of the channels'
cell means, tilted along rows and columns so that a flip or transpose shows.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from slicewise_training.config import InputConfig
from slicewise_training.data import Float, normalise
from slicewise_training.predict import predict_scores

STRIDE = 4
WEIGHTS = np.array([[2, -3, 1], [-4, 9, -2], [3, 1, -5], [-1, -6, 8]], np.float32)
TILTS = np.array([[0, 0], [0.5, -0.25], [-0.375, 0.125], [0.25, 0.5]], np.float32)

CASES = [
    {"name": "two windows along rows, padding along columns", "shape": (3, 11, 17), "spacing": (1.9, 0.7), "size": 12},
    {"name": "one window", "shape": (4, 9, 23), "spacing": (1.9, 0.7), "size": 12},
    {"name": "windows along both axes, enlarging", "shape": (2, 14, 13), "spacing": (2.1, 2.7), "size": 12},
]


def main() -> None:
    random = np.random.default_rng(20241121)
    documents = []
    for case in CASES:
        slices, rows, columns = case["shape"]
        voxels = random.integers(0, 256, case["shape"], dtype=np.uint8)
        config = InputConfig(size=case["size"], spacing=1.5, low=5, high=95)
        image = normalise(voxels.astype(np.float32), config.low, config.high)
        inputs: list[Float] = []

        def run(window: Float, inputs: list[Float] = inputs) -> Float:
            inputs.append(window[0])
            return formula(window)

        scores = [predict_scores(image, case["spacing"], k, config, run) for k in range(slices)]
        documents.append(
            {
                "name": case["name"],
                "dimensions": [columns, rows, slices],
                "spacing": [case["spacing"][1], case["spacing"][0]],
                "size": config.size,
                "modelSpacing": config.spacing,
                "percentiles": [config.low, config.high],
                "voxels": voxels.ravel().tolist(),
                "inputs": [rounded(window) for window in inputs],
                "scores": [rounded(of_slice) for of_slice in scores],
            }
        )
    path = Path(__file__).parent / "golden" / "predict.json"
    path.write_text(json.dumps(documents, separators=(",", ":")) + "\n")


def formula(window: Float) -> Float:
    """[1, 3, S, S] → [1, 4, S / 4, S / 4]."""
    cells = window.shape[-1] // STRIDE
    means = window[0].reshape(3, cells, STRIDE, cells, STRIDE).mean((2, 4))
    row, column = np.mgrid[:cells, :cells]
    tilts = TILTS[:, 0, None, None] * row + TILTS[:, 1, None, None] * column
    return (np.tensordot(WEIGHTS, means, 1) + tilts)[None].astype(np.float32)


def rounded(values: Float) -> list[float]:
    return [float(f"{value:.7g}") for value in values.ravel()]


if __name__ == "__main__":
    main()
