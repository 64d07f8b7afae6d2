"""Measure the Dice of a released model by the slicewise command.

The command runs at its default options, on NIfTI images. Dice (0 to 1) by patient, the worst first, and by structure;
the mean with its 95 % interval over patients; how many slices without a structure were marked. Prints all but the
patients.

    slicewise-training deployed configs/cardiac-mr.json --data <folder> --part test \\
        --output evaluations/cardiac-mr.deployed.json
"""

from __future__ import annotations

import argparse
import json
import shlex

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    shared.add_part(parser)
    parser.add_argument("--output", type=shared.output_file, required=True, metavar="FILE", help="JSON")
    shared.add_command(parser)
    parser.add_argument("--tta", action="store_true", help="with test-time augmentation")


def run(arguments: argparse.Namespace) -> str:
    from ..config import load_config, read_release
    from ..deployed import COMMAND, measure_deployed

    config = load_config(arguments.config)
    names = [s["segmentLabel"] for s in read_release(arguments.config)["segments"]]
    command = shlex.split(arguments.command or COMMAND)
    figures = measure_deployed(config, names, arguments.data, arguments.part, command, arguments.tta)
    arguments.output.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return json.dumps({key: value for key, value in figures.items() if key != "patients"}, indent=2)
