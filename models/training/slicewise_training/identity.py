"""What a training is, by hash: a checkpoint goes on only as what it was begun as."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from .config import Config
from .data import read_split
from .errors import InputError

NOTHING = "nothing"
"""The start of a training from random weights."""

COMPUTING = (
    "augment",
    "checkpoint",
    "config",
    "data",
    "finetune",
    "identity",
    "imagenet",
    "labels",
    "mobile_net",
    "model_folder",
    "narrow",
    "network",
    "patients",
    "predict",
    "psp_net",
    "reorient",
    "scans",
    "settings",
    "train",
)
"""The modules that fix what a training computes."""

SAME_CODE = "same_code.json"
"""Hashes of earlier code that was shown to compute the same weights, bit by bit, as the code whose hash stands beside
them; for any other code the file says nothing."""


def identity(config: Config, start: str, minutes: float) -> dict[str, str]:
    """Hashes of configuration, split, start, code and schedule; `start` is `hash_of_start`'s, or NOTHING."""
    settings = {key: value for key, value in asdict(config).items() if key != "split"}
    return {
        "configuration": digest(json.dumps(settings, sort_keys=True).encode()),
        "split": digest(json.dumps(read_split(config.split), sort_keys=True).encode()),
        "start": start,
        "code": code_hash(Path(__file__).parent),
        "minutes": f"{minutes:g}",
    }


def code_hash(folder: Path) -> str:
    """Of the syntax trees, so that comments, doc comments and layout are free."""
    trees = [ast.dump(without_words(ast.parse((folder / f"{name}.py").read_text()))) for name in COMPUTING]
    return digest("\n".join(trees).encode())


def without_words(tree: ast.Module) -> ast.Module:
    """The tree without doc comments, in place: texts that stand alone as a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            is_said = [isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body]
            node.body = [part for part, said in zip(node.body, is_said, strict=True) if not said]
    return tree


def same_code(code: str, record: Path | None = None) -> set[str]:
    """The hashes of all code that computes the same weights as that of hash `code`, its own among them."""
    said = json.loads((record or Path(__file__).with_name(SAME_CODE)).read_text())
    return {code, *(said["earlier"] if said["code"] == code else ())}


def hash_of_start(path: Path) -> str:
    """Of the file that holds a start's weights."""
    return digest(path.read_bytes())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refuse_another(own: dict[str, str], stored: dict[str, str] | None, checkpoint: Path) -> None:
    """@raises InputError if a checkpoint was begun as something else, or does not say as what"""
    if stored is None:
        raise InputError(
            f"{checkpoint} does not say what it was begun as", "begin a new run folder and take this one as its start"
        )
    accepted = {name: same_code(value) if name == "code" else {value} for name, value in own.items()}
    other = [name for name, values in accepted.items() if stored.get(name) not in values]
    if other:
        raise InputError(
            f"{checkpoint} was begun with another {' and another '.join(other)}",
            "go on with those of its beginning, or begin a new run folder, with this one as its start",
        )
