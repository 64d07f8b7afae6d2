"""Print what a configuration's network costs.

Millions of parameters, and 10⁹ multiply-accumulates of a window at the deployed input.

    slicewise-training cost configs/*.json
"""

from __future__ import annotations

import argparse

from . import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configs", type=shared.existing_file, nargs="+", metavar="CONFIG", help="configuration, JSON")


def run(arguments: argparse.Namespace) -> str:
    from ..config import load_config
    from ..cost import cost_in_words

    return "\n".join(cost_in_words(load_config(path)) for path in arguments.configs)
