"""Writes test/pipeline/golden/align-corners.json: PyTorch's interpolate(align_corners=True) on grids of 8 k + 1 pixels.

    python test/pipeline/make_align_corners_golden.py && npx prettier --write test/pipeline/golden

The scores are a formula in whole steps of 1/16, which float32 holds exactly and align-corners.test.ts repeats. Of a large
grid a sample of places is kept. Two windows are blended as training's predict.py does: a tent over each. Needs torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

STRIDE, CLASSES = 8, 3
CASES: list[tuple[str, tuple[int, int], tuple[int, int]]] = [
    ("one window", (25, 41), (25, 41)),
    ("two windows along rows", (25, 33), (25, 25)),
    ("two windows along columns", (33, 25), (25, 25)),
    ("PSPNet's 473", (473, 473), (473, 473)),
]
"""Name, the slice's (rows, columns), the window's; one voxel a pixel."""


def scores(seed: int, rows: int, columns: int) -> Tensor:
    c = torch.arange(CLASSES).reshape(-1, 1, 1)
    y = torch.arange(rows).reshape(1, -1, 1)
    x = torch.arange(columns).reshape(1, 1, -1)
    return ((c * 31 + y * 17 + x * 7 + seed * 11 + c * y * 5 + x * y * 3) % 97).float() / 16 - 3


def starts(length: int, window: int) -> list[int]:
    return [0] if length == window else [0, length - window]


def tent(length: int) -> Tensor:
    pixel = torch.arange(length)
    return torch.minimum(pixel + 1, length - pixel).float()


def blend(slice_size: tuple[int, int], window: tuple[int, int]) -> Tensor:
    rows, columns = window
    total = torch.zeros(CLASSES, *slice_size)
    weights = torch.zeros(slice_size)
    placements = [(y, x) for y in starts(slice_size[0], rows) for x in starts(slice_size[1], columns)]
    for seed, (y, x) in enumerate(placements):
        cells = scores(seed, (rows - 1) // STRIDE + 1, (columns - 1) // STRIDE + 1)
        pixels = functional.interpolate(cells[None], size=window, mode="bilinear", align_corners=True)[0]
        weight = tent(rows)[:, None] * tent(columns)[None, :]
        total[:, y : y + rows, x : x + columns] += weight * pixels
        weights[y : y + rows, x : x + columns] += weight
    return total / weights


def main() -> None:
    golden: list[dict[str, Any]] = []
    for name, slice_size, window in CASES:
        found = blend(slice_size, window).permute(1, 2, 0).reshape(-1, CLASSES)
        places = range(0, len(found), max(1, len(found) // 400))  # no divisor of a row
        values = [[round(value, 5) for value in found[at].tolist()] for at in places]
        golden.append({"name": name, "slice": slice_size, "window": window, "every": places.step, "values": values})
    path = Path(__file__).parent / "golden/align-corners.json"
    path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": golden}))


if __name__ == "__main__":
    main()
