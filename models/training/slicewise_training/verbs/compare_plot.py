"""Draw what compare measured.

Reads its JSON and writes SVG: a row for each network, a column of dots for each figure.

    slicewise-training compare-plot evaluations/cardiac-mr.comparison.json --output comparison.svg
"""

from __future__ import annotations

import argparse

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("comparison", type=shared.existing_file, metavar="COMPARISON", help="JSON that compare wrote")
    parser.add_argument("--output", type=shared.output_file, required=True, metavar="FILE", help="SVG")


def run(arguments: argparse.Namespace) -> None:
    from ..compare_plot import draw
    from ..config import read_json

    arguments.output.write_text(draw(read_json(arguments.comparison)["networks"]))
