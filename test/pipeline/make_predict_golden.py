"""Writes test/pipeline/golden/predict.json: what the training code makes of small asymmetric volumes.

    PYTHONPATH=models/training python test/pipeline/make_predict_golden.py && npx prettier --write test/pipeline/golden

The "network" is a formula that training-agreement.test.ts repeats: each class is a weighted sum of the channels'
cell means, tilted along rows and columns so that a flip or transpose shows.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from slicewise_training.config import InputConfig
from slicewise_training.data import Float, normalise
from slicewise_training.predict import predict_volume
from slicewise_training.reorient import seen_along, view_axes

STRIDE = 4
WEIGHTS = np.array([[2, -3, 1], [-4, 9, -2], [3, 1, -5], [-1, -6, 8]], np.float32)
TILTS = np.array([[0, 0], [0.5, -0.25], [-0.375, 0.125], [0.25, 0.5]], np.float32)

IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
PLAIN: dict[str, Any] = {
    "direction": IDENTITY,
    "input": {"size": 12, "spacing": 1.5, "intensity": "percentile", "low": 5, "high": 95},
}
"""`shape` and `spacing` are of the voxel array, [K, J, I]; `direction` has the LPS unit vector of each index axis."""
CASES: list[dict[str, Any]] = [
    {"name": "two windows along rows, padding along columns", "shape": (3, 11, 17), "spacing": (8, 1.9, 0.7), **PLAIN},
    {"name": "one window", "shape": (4, 9, 23), "spacing": (8, 1.9, 0.7), **PLAIN},
    {"name": "windows along both axes, enlarging", "shape": (2, 14, 13), "spacing": (8, 2.1, 2.7), **PLAIN},
    {
        "name": "sagittal slices of an RAS volume, turned to LPS",
        "shape": (9, 13, 3),
        "spacing": (1.3, 1.1, 0.9),
        "direction": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
        "input": PLAIN["input"] | {"slice_axis": "sagittal", "orientation": "LPS"},
    },
    {
        "name": "axial slices of a coronal stack, oblique and left-handed, by a window",
        "shape": (11, 4, 13),
        "spacing": (1.7, 4, 1.2),
        "direction": [[-0.8, 0.6, 0], [0, 0, -1], [-0.6, -0.8, 0]],
        "input": PLAIN["input"]
        | {"slice_axis": "axial", "orientation": "LPS", "intensity": "window", "low": 30, "high": 200},
    },
    {
        "name": "a left-handed volume in its stored order",
        "shape": (3, 11, 10),
        "spacing": (5, 1.4, 1.6),
        "direction": [[1, 0, 0], [0, -1, 0], [0, 0, 1]],
        "input": PLAIN["input"],
    },
    {
        "name": "two windows, with a share of the neighbouring slices' scores",
        "shape": (4, 7, 17),
        "spacing": (8, 1.9, 0.7),
        "direction": IDENTITY,
        "input": PLAIN["input"] | {"neighbour_weight": 0.2},
    },
]


def main() -> None:
    random = np.random.default_rng(20241121)
    documents = []
    for case in CASES:
        voxels = random.integers(0, 256, case["shape"], dtype=np.uint8)
        config = InputConfig(**case["input"])
        spacing = case["spacing"][::-1]
        affine = np.eye(4)
        affine[:3, :3] = np.array(case["direction"]).T * spacing * np.array([[-1], [-1], [1]])
        axes, flipped = view_axes(affine, config.slice_axis, config.orientation)
        image = normalise(seen_along(voxels.T.astype(np.float32), axes, flipped), config)
        inputs: list[Float] = []

        def run(window: Float, inputs: list[Float] = inputs) -> Float:
            inputs.append(window[0])
            return formula(window)

        in_plane = (spacing[axes[1]], spacing[axes[2]])
        scores = np.stack(list(predict_volume(image, in_plane, config, run)))
        documents.append(
            {
                "name": case["name"],
                "dimensions": voxels.T.shape,
                "spacing": spacing,
                "direction": case["direction"],
                "input": asdict(config),
                "voxels": voxels.ravel().tolist(),
                "inputs": [rounded(window) for window in inputs],
                "scores": rounded(as_stored(scores, axes, flipped)),
            }
        )
    path = Path(__file__).parent / "golden" / "predict.json"
    path.write_text(json.dumps(documents, separators=(",", ":")) + "\n")


def as_stored(scores: Float, axes: list[int], flipped: list[bool]) -> Float:
    """[slices, classes, rows, columns] of the view → [K, J, I, classes] of the volume."""
    view = np.moveaxis(scores, 1, -1)[tuple(slice(None, None, -1 if f else 1) for f in flipped)]
    return view.transpose([axes.index(2), axes.index(1), axes.index(0), 3])


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
