"""A NIfTI array seen along a model's axes: the Python twin of src/volume/reorient.ts."""

from __future__ import annotations

from itertools import permutations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)
PATIENT_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}


def view_axes(affine: NDArray[np.float64], slice_axis: str, orientation: str) -> tuple[list[int], list[bool]]:
    """Which index axis becomes slices, rows and columns, and which of the three run backwards.

    "LPS" runs to the left, back and head, in-plane axes in that order, columns first; "any" keeps the stored order
    and turns the rows of a left-handed grid round. Oblique grids go to the nearest axes.
    """
    columns = affine[:3, :3] * np.array([[-1], [-1], [1]])  # NIfTI's RAS to LPS
    direction = (columns / np.linalg.norm(columns, axis=0)).T
    nearest = max(permutations(range(3)), key=lambda p: sum(abs(direction[a][p[a]]) for a in range(3)))
    stacked = 2 if slice_axis == "acquired" else nearest.index(PATIENT_AXIS[slice_axis])
    in_plane = [axis for axis in range(3) if axis != stacked]
    if orientation == "LPS":
        in_plane.sort(key=lambda axis: nearest[axis])
    across, down = in_plane
    left_handed = bool(np.linalg.det(direction) < 0)

    def is_flipped(axis: int) -> bool:
        return bool(direction[axis][nearest[axis]] < 0) if orientation == "LPS" else axis == down and left_handed

    axes = [stacked, down, across]
    return axes, [is_flipped(axis) for axis in axes]


def seen_along(voxels: NDArray[T], axes: list[int], flipped: list[bool]) -> NDArray[T]:
    """[I, J, K] → [slices, rows, columns]."""
    view = voxels.transpose(axes)
    return np.ascontiguousarray(view[tuple(slice(None, None, -1 if f else 1) for f in flipped)])
