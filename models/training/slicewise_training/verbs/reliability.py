"""Measure whether a model's uncertainty means something.

Expected calibration error (0 to 1) near structures, and of the worst fifth of the slices by Dice the share (0 to 1)
among the three tenths that are called most uncertain; chance would be 0.3. Prints both as JSON.

    slicewise-training reliability configs/cardiac-mr.json --data <folder> --part test --model ../cardiac-mr
"""

from __future__ import annotations

import argparse
import json

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    shared.add_part(parser)
    parser.add_argument(
        "--model", type=shared.existing_folder, required=True, metavar="FOLDER", help="of an exported model"
    )
    parser.add_argument(
        "--output", type=shared.output_file, metavar="FILE", help="JSON: what is printed, and versions of the libraries"
    )


def run(arguments: argparse.Namespace) -> str:
    from .. import runs
    from ..config import load_config
    from ..environment import environment
    from ..model_folder import read_manifest
    from ..reliability import measure

    config, model = load_config(arguments.config), arguments.model
    temperature = float(read_manifest(model)["output"]["temperature"])
    reading = f"{model.resolve().name}, reliability"
    figures = measure(config, arguments.data, arguments.part, runs.run_onnx(model), temperature, reading)
    if arguments.output:
        written = figures | {"environment": environment()}
        arguments.output.write_text(json.dumps(written, indent=2) + "\n")
    return json.dumps(figures, indent=2)
