"""Write a model folder of a run: ONNX, manifest, golden arrays, card.

Weights are stored as float16 and computed in float32. The ONNX file must agree with PyTorch, or no model.onnx is
written. The temperature is fitted on the validation patients. Figures come into the folder by `model-card`
afterwards, for they are measured on what was exported.

    slicewise-training export configs/cardiac-mr.json --data <folder> --run runs/cardiac-mr --output ../cardiac-mr
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    parser.add_argument("--run", type=shared.existing_folder, required=True, metavar="FOLDER", help="of a training run")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="of the model")


def run(arguments: argparse.Namespace) -> None:
    from ..calibrate import fit_temperature
    from ..checkpoint import load_network
    from ..config import load_config, read_release
    from ..export import RELEASE, generated_window, write_model_folder
    from ..runs import run_checkpoint

    config, release = load_config(arguments.config), read_release(arguments.config, RELEASE)
    temperature = fit_temperature(config, arguments.data, run_checkpoint(arguments.run, config.network))
    network = load_network(arguments.run, config.network)
    write_model_folder(network, config, release, generated_window(config), temperature, arguments.output)
