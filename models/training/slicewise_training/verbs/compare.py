"""Measure networks that were trained on one split.

Dice (0 to 1), surfaces a slice (HD95 in pixels, surface Dice at 1 pixel, 0 to 1), parameters, 10⁹
multiply-accumulates a window, megabytes; without post-processing. A configuration's network is its training in
`<runs>/<id>`, or else the released model; one that is in neither is left out. Needs `pip install -e '.[comparison]'`.

    slicewise-training compare configs/cardiac-mr.json configs/comparison/*.json --data <folder> --runs runs \\
        --part test --output evaluations/cardiac-mr.comparison.json
"""

from __future__ import annotations

import argparse
import json

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configs", type=shared.existing_file, nargs="+", metavar="CONFIG", help="configuration, JSON")
    shared.add_data(parser)
    parser.add_argument(
        "--runs", type=shared.existing_folder, required=True, metavar="FOLDER", help="has a training run <id> for each"
    )
    shared.add_part(parser)
    parser.add_argument("--output", type=shared.output_file, required=True, metavar="FILE", help="JSON")
    parser.add_argument(
        "--export",
        type=shared.existing_folder,
        metavar="FOLDER",
        help="keep each network there as <id>.onnx, to time it",
    )


def run(arguments: argparse.Namespace) -> None:
    from ..compare import compare
    from ..config import load_config
    from ..environment import environment

    configs, rows = [load_config(path) for path in arguments.configs], []
    for row in compare(configs, arguments.data, arguments.part, arguments.runs, arguments.export):
        rows.append(row)
        written = {"part": arguments.part, "environment": environment(), "networks": rows}
        arguments.output.write_text(json.dumps(written, indent=2) + "\n")
