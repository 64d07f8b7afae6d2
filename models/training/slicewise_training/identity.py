"""What a training is, by hash: a checkpoint goes on only as what it was begun as."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from .config import Config

NOTHING = "nothing"
"""The start of a training from random weights."""

COMPUTING = (
    "augment",
    "config",
    "data",
    "finetune",
    "identity",
    "imagenet",
    "labels",
    "mobile_net",
    "narrow",
    "network",
    "patients",
    "predict",
    "psp_net",
    "reorient",
    "scans",
    "train",
)
"""The modules that fix what a training computes."""


def identity(config: Config, start: str, minutes: float) -> dict[str, str]:
    """Hashes of configuration, split, start, code and schedule; `start` is `hash_of_start`'s, or NOTHING."""
    settings = {key: value for key, value in asdict(config).items() if key != "split"}
    return {
        "configuration": digest(json.dumps(settings, sort_keys=True).encode()),
        "split": digest(json.dumps(json.loads(config.split.read_text()), sort_keys=True).encode()),
        "start": start,
        "code": code_hash(Path(__file__).parent),
        "minutes": f"{minutes:g}",
    }


def code_hash(folder: Path) -> str:
    """Of the syntax trees, so that comments and layout are free."""
    trees = [ast.dump(ast.parse((folder / f"{name}.py").read_text())) for name in COMPUTING]
    return digest("\n".join(trees).encode())


def hash_of_start(path: Path) -> str:
    """Of the file that holds a start's weights."""
    return digest(path.read_bytes())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refuse_another(own: dict[str, str], stored: dict[str, str] | None, checkpoint: Path) -> None:
    """@raises ValueError if a checkpoint was begun as something else, or does not say as what"""
    if stored is None:
        raise ValueError(
            f"{checkpoint} does not say what it was begun as: begin a new run folder and take this one as its start"
        )
    other = [name for name, value in own.items() if stored.get(name) != value]
    if other:
        raise ValueError(
            f"{checkpoint} was begun with another {' and another '.join(other)}: go on with those of its beginning, or "
            "begin a new run folder, with this one as its start"
        )
