"""Whether a training has anything to learn from, said before its first step."""

from __future__ import annotations

from .errors import InputError
from .train import Training


def refuse_nothing_to_learn(training: Training) -> None:
    """@raises InputError if no slice of the training part can be drawn, or none that shows a structure"""
    split = training.config.split.name
    if not training.slices:
        raise InputError(
            f"no slice of the training patients of {split} has a voxel that somebody judged",
            "give the training part patients, and look at data.ignore",
        )
    if training.config.training.structure_share > 0 and not training.slices_of:
        raise InputError(
            f"no label of the training patients of {split} shows a structure",
            "look at data.label and at the label files",
        )
