"""Draw a patient split once, before the first training.

Writes the file that the configuration's `split` names: JSON with the patients of train, validation and test. An
existing split is never overwritten. With --earlier, by which weights were released, the test part is those of its
test patients of whom these weights saw no image at all: it is honest for them and for all that follow.

    slicewise-training make-split configs/cardiac-mr.json --data <folder>
"""

from __future__ import annotations

import argparse
import json

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_config(parser)
    shared.add_data(parser)
    parser.add_argument(
        "--test", type=shared.share, default=0.2, metavar="SHARE", help="of the patients, 0 to 1 (default: 0.2)"
    )
    parser.add_argument(
        "--validation", type=shared.share, default=0.08, metavar="SHARE", help="of the patients, 0 to 1 (default: 0.08)"
    )
    parser.add_argument(
        "--earlier", type=shared.existing_file, metavar="SPLIT", help="the split that released weights were trained by"
    )


def run(arguments: argparse.Namespace) -> str:
    from ..config import load_config
    from ..make_split import make_split

    config = load_config(arguments.config)
    split = make_split(config, arguments.data, arguments.test, arguments.validation, arguments.earlier)
    return json.dumps({part: len(patients) for part, patients in split.items()})
