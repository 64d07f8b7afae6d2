"""Arguments that verbs share: what they take is checked before any work begins."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path


def existing_file(said: str) -> Path:
    if not Path(said).is_file():
        raise argparse.ArgumentTypeError(f"{said} is not a file")
    return Path(said)


def existing_folder(said: str) -> Path:
    if not Path(said).is_dir():
        raise argparse.ArgumentTypeError(f"{said} is not a folder")
    return Path(said)


def output_file(said: str) -> Path:
    """A file to write, whose folder is there: hours of work must not end in a wrong name."""
    if not Path(said).absolute().parent.is_dir() or Path(said).is_dir():
        raise argparse.ArgumentTypeError(f"{said} cannot be written: its folder is not there, or it is a folder")
    return Path(said)


def share(said: str) -> float:
    """A number from 0 to less than 1."""
    value = float(said)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{said} is not a share: say a number from 0 to less than 1")
    return value


def minutes(said: str) -> float:
    value = float(said)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{said} is no time to train: say minutes above 0")
    return value


def count(said: str) -> int:
    if int(said) < 1:
        raise argparse.ArgumentTypeError(f"{said} is none: say 1 or more")
    return int(said)


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=existing_file, metavar="CONFIG", help="configuration: JSON, configs/<id>.json")


def add_data(parser: argparse.ArgumentParser, why: str = "folder that has the images of data.images") -> None:
    parser.add_argument("--data", type=existing_folder, required=True, metavar="FOLDER", help=why)


def add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--part",
        choices=("validation", "test"),
        default="validation",
        help="patients of the split (default: validation); a reading of the test part is logged beside the split",
    )


def add_training(parser: argparse.ArgumentParser) -> None:
    """What `train` and `finetune` share."""
    add_data(parser)
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER", help="gets checkpoint.pt and curves.jsonl")
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=math.inf,
        metavar="MIN",
        help="end the learning-rate schedule at so many minutes of training, validation not counted, if training.steps "
        "are not made before",
    )
    parser.add_argument(
        "--threads", type=count, default=os.cpu_count(), metavar="N", help="CPU threads (default: one for each core)"
    )


def add_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--command",
        metavar="WORDS",
        help="the slicewise command (default: node with this repository's dist/cli/main.js, of `npm run build`)",
    )
