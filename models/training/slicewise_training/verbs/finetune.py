"""Train a network from the weights of another, or from ImageNet's.

The start is an exported model folder, a training run, `imagenet` (torchvision's weights for the encoder of a ResNet
with a 7x7 stem, downloaded once, or a file) or `shared` (the encoder of the run that SLICEWISE_SHARED_START names).

The network's configuration must be the start's, except for `classes`: layers of another shape start anew; and except
for `width`: a narrow network starts from the strongest channels of one of full width. Files are those of `train`, and
the same command goes on. The result is a work derived from the start's weights and carries their licence too.

    slicewise-training finetune configs/mine.json --start ../cardiac-mr --data <folder> --run runs/mine --minutes 20
    slicewise-training finetune configs/mine.json --start imagenet --data <folder> --run runs/mine
"""

from __future__ import annotations

import argparse
import json
import logging

from . import arguments as shared

LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    parser.add_argument(
        "--start",
        required=True,
        metavar="START",
        help="imagenet, shared, a model folder or the folder of a training run",
    )
    parser.add_argument(
        "--weights",
        type=shared.existing_file,
        metavar="FILE",
        help="imagenet: .pth or .safetensors, in place of a download (or name it in SLICEWISE_IMAGENET_WEIGHTS)",
    )
    parser.add_argument(
        "--colours",
        choices=("as-is", "summed"),
        default="as-is",
        help="imagenet: what three slices get of its colour filters (default: as-is)",
    )
    parser.add_argument("--encoder-only", action="store_true", help="pyramid, heads and classifier start anew")
    shared.add_training(parser)


def run(arguments: argparse.Namespace) -> None:
    import torch

    from ..config import load_config
    from ..enough import refuse_nothing_to_learn
    from ..finetune import find_start
    from ..train import Training

    torch.set_num_threads(arguments.threads)
    config = load_config(arguments.config)
    start = find_start(arguments.start, config, arguments.weights, arguments.colours, arguments.encoder_only)
    training = Training(config, arguments.data, arguments.run, arguments.minutes * 60, start.hash)
    refuse_nothing_to_learn(training)
    if training.step == 0:
        LOG.info(json.dumps({"startsAnew": start.give(training)}))
    training.go()
