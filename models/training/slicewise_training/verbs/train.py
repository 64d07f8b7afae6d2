"""Train a network from random weights, or go on where it stopped.

Writes checkpoint.pt into the run's folder every two minutes of training, and a row of curves.jsonl with it: step,
minutes, progress (0 to 1), loss; every ten minutes the validation patients' Dice (0 to 1) by label, and their mean.
The same command goes on from the checkpoint, to the weights that an uninterrupted training would have. A checkpoint
of another configuration, split, start, code or --minutes is refused.

    slicewise-training train configs/cardiac-mr.json --data <folder> --run runs/cardiac-mr --minutes 115
"""

from __future__ import annotations

import argparse

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_training(parser)


def run(arguments: argparse.Namespace) -> None:
    import torch

    from ..config import load_config
    from ..enough import refuse_nothing_to_learn
    from ..train import Training

    torch.set_num_threads(arguments.threads)
    training = Training(load_config(arguments.config), arguments.data, arguments.run, arguments.minutes * 60)
    refuse_nothing_to_learn(training)
    training.go()
