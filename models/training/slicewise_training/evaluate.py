"""Dice of a checkpoint or of an exported model on one part of its split, by patient and label.

    python -m slicewise_training.evaluate configs/cardiac-mr.json --data <folder> --part validation \\
        (--run runs/cardiac-mr | --model ../cardiac-mr)

The test part is read once per released model: each reading is logged beside its split.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .config import Config, load_config
from .data import load_part
from .predict import Run, dice, mean_dice, predict_labels
from .runs import run_checkpoint, run_onnx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="folder of a training's checkpoint")
    source.add_argument("--model", type=Path, help="exported model folder")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    run = run_onnx(arguments.model) if arguments.model else run_checkpoint(arguments.run, config.network)
    figures = evaluate(config, arguments.data, arguments.part, run, (arguments.model or arguments.run).name)
    print(json.dumps(figures["mean"], indent=2))
    if arguments.output:
        arguments.output.write_text(json.dumps(figures, indent=2) + "\n")


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


if __name__ == "__main__":
    main()
