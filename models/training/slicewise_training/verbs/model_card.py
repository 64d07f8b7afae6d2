"""Put a model's figures into its manifest and card.

Reads evaluations/<id>.json beside the configuration's folder, and writes manifest.json and MODEL_CARD.md of the
model.

    slicewise-training model-card configs/cardiac-mr.json --model ../cardiac-mr
"""

from __future__ import annotations

import argparse

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    parser.add_argument(
        "--model", type=shared.existing_folder, required=True, metavar="FOLDER", help="of an exported model"
    )


def run(arguments: argparse.Namespace) -> None:
    from ..model_card import write_figures

    write_figures(arguments.config, arguments.model)
