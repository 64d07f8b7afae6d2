"""Dice of a checkpoint or of an exported model on one part of its split, by patient and label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .config import Config
from .data import load_part
from .predict import Run, dice, mean_dice, predict_labels


def evaluate(config: Config, data: Path, part: str, run: Run, reading: str | None = None) -> dict[str, Any]:
    """{"mean": {label: Dice, "all": mean of labels}, "volumes": {name: {label: Dice}}}; NaN where both lack a label."""
    volumes: dict[str, dict[str, float]] = {}
    for volume in load_part(data, config, part, reading):
        prediction = predict_labels(volume.image, volume.spacing, config.input, run)
        volumes[volume.name] = {
            str(label): dice(prediction, volume.label, label) for label in range(1, config.network.classes)
        }
    labels = [str(label) for label in range(1, config.network.classes)]
    mean = {label: mean_dice([v[label] for v in volumes.values()]) for label in labels}
    return {"mean": {**mean, "all": mean_dice(list(mean.values()))}, "volumes": volumes}
