"""Draw a training run's loss and validation Dice.

Reads curves.jsonl of the run and writes SVG: Dice by structure and in the mean, 0 to 1, by minutes of training.

    slicewise-training curves configs/cardiac-mr.json --run runs/cardiac-mr --output curves.svg
"""

from __future__ import annotations

import argparse
import json

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    parser.add_argument(
        "--run",
        type=shared.existing_folder,
        required=True,
        metavar="FOLDER",
        help="of a training run, with curves.jsonl",
    )
    parser.add_argument("--output", type=shared.output_file, required=True, metavar="FILE", help="SVG")


def run(arguments: argparse.Namespace) -> None:
    from ..config import load_config, read_release
    from ..curves import draw
    from ..errors import InputError

    config = load_config(arguments.config)
    segments = read_release(arguments.config)["segments"]
    names = {str(s["segmentNumber"]): s["segmentLabel"] for s in segments} | {"mean": "mean"}
    path = arguments.run / "curves.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    if not any("validation" in row for row in rows):
        raise InputError(f"{path} has no validation yet", "train for ten minutes, or to the end")
    arguments.output.write_text(draw(config.id, rows, names))
