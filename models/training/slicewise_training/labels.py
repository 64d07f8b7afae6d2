"""Labels as training takes them: whole numbers of known classes, or IGNORED."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

IGNORED = 255
"""Label of a voxel that nobody judged: no loss, no figure and no drawing of views counts it."""


@dataclass(frozen=True)
class LabelRule:
    """Labels are 0…`classes` − 1, and `ignore` says that nobody labelled the voxel. None for `classes` allows any that
    a byte holds beside IGNORED, for labels whose classes nobody has said."""

    classes: int | None = None
    ignore: int | None = None

    def __post_init__(self) -> None:
        if self.classes is not None and not 2 <= self.classes <= IGNORED:
            raise InputError(
                f"a network of {self.classes} classes cannot be trained",
                f"say between 2 and {IGNORED} in network.classes, background included",
            )
        if self.ignore is not None and 0 <= self.ignore < (self.classes or 1):
            raise InputError(
                f"the ignore value {self.ignore} is one of the classes",
                "say another one in data.ignore, and in the labels",
            )


def checked_labels(values: NDArray[Any], rule: LabelRule, name: str) -> NDArray[np.uint8]:
    """The labels as bytes, those of the ignore value as IGNORED.

    @raises InputError for labels that are not whole numbers or lie outside the classes: rounding or wrapping them would
        train another structure
    """
    found = np.unique(values)
    whole = np.rint(found)
    # A scaled file may miss a whole number by the rounding of its scale; nothing is close to infinity but itself.
    strange = found[~np.isfinite(found) | ~np.isclose(found, whole, rtol=0, atol=1e-3)]
    if strange.size:
        raise InputError(
            f"{name}: labels are whole numbers, but it has {_listed(strange)}",
            "write it anew, without interpolation between labels",
        )
    highest = (rule.classes or IGNORED) - 1
    outside = [int(v) for v in np.unique(whole) if not 0 <= v <= highest and v != rule.ignore]
    if outside:
        raise InputError(
            f"{name}: labels lie between 0 and {highest}, but it has {_listed(outside)}",
            "raise network.classes; a value of voxels that nobody labelled belongs in the configuration's data.ignore",
        )
    labels = np.rint(values)
    if rule.ignore is not None:
        labels = np.where(labels == rule.ignore, IGNORED, labels)
    return np.asarray(labels, np.uint8)


def _listed(values: Any) -> str:
    shown = ", ".join(f"{value:g}" for value in list(values)[:4])
    return f"{shown} and {len(values) - 4} more" if len(values) > 4 else shown
