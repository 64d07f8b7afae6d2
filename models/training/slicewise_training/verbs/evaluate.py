"""Measure the Dice of a run or an exported model, in Python.

Dice (0 to 1) without post-processing, by patient and label; NaN where result and reference both lack a label. Prints
the means by label as JSON.

    slicewise-training evaluate configs/cardiac-mr.json --data <folder> --run runs/cardiac-mr
    slicewise-training evaluate configs/cardiac-mr.json --data <folder> --model ../cardiac-mr --output figures.json
"""

from __future__ import annotations

import argparse
import json

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    shared.add_part(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=shared.existing_folder, metavar="FOLDER", help="of a training run")
    source.add_argument("--model", type=shared.existing_folder, metavar="FOLDER", help="of an exported model")
    parser.add_argument(
        "--output",
        type=shared.output_file,
        metavar="FILE",
        help="JSON: means, figures by volume, and versions of the libraries",
    )


def run(arguments: argparse.Namespace) -> str:
    from ..config import load_config
    from ..environment import environment
    from ..evaluate import evaluate
    from ..runs import run_checkpoint, run_onnx

    config = load_config(arguments.config)
    network = run_onnx(arguments.model) if arguments.model else run_checkpoint(arguments.run, config.network)
    figures = evaluate(config, arguments.data, arguments.part, network, (arguments.model or arguments.run).name)
    if arguments.output:
        written = figures | {"environment": environment()}
        arguments.output.write_text(json.dumps(written, indent=2) + "\n")
    return json.dumps(figures["mean"], indent=2)
