"""Make one run of several: its network has the mean of their weights.

For trainings of which each was begun from another, or all from the same start (`finetune`): such a mean is often
better than any of them, and costs no more to run (Wortsman et al., ICML 2022, "model soups"). Compare them with
`evaluate` on the validation part. Writes checkpoint.pt into the output folder.

    slicewise-training average runs/mine runs/mine-2 runs/mine-3 --output runs/mine-mean
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=shared.existing_folder, nargs="+", metavar="RUN", help="folder of a training run")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="of the new run")


def run(arguments: argparse.Namespace) -> None:
    from ..average import average_runs

    average_runs(arguments.runs, arguments.output)
