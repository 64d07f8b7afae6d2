"""Draw the best, the median and the worst patient of a released model.

Reads what `deployed` wrote, runs the slicewise command on the three patients, and writes PNG: reference above result.
Of each patient the first volume is shown, at the slice with the most voxels wrong. Needs `pip install -e
'.[pictures]'`.

    slicewise-training pictures configs/cardiac-mr.json --data <folder> \\
        --figures evaluations/cardiac-mr.deployed.json --output ../../docs/models/cardiac-mr.png
"""

from __future__ import annotations

import argparse
import shlex

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    parser.add_argument(
        "--figures", type=shared.existing_file, required=True, metavar="FILE", help="JSON that deployed wrote"
    )
    parser.add_argument("--output", type=shared.output_file, required=True, metavar="FILE", help="PNG")
    shared.add_command(parser)


def run(arguments: argparse.Namespace) -> None:
    from ..config import load_config, read_json, read_release
    from ..deployed import COMMAND
    from ..pictures import draw_patients

    config, release = load_config(arguments.config), read_release(arguments.config)
    command = shlex.split(arguments.command or COMMAND)
    picture = draw_patients(config, release, read_json(arguments.figures), arguments.data, command)
    picture.save(arguments.output, optimize=True)
