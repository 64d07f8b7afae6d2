"""A model folder as it is read: its manifest and its ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .config import read_json
from .errors import InputError


def read_manifest(folder: Path) -> dict[str, Any]:
    """@raises InputError if the folder is not an exported model's"""
    if not (folder / "manifest.json").is_file():
        raise InputError(f"{folder} is not a model folder", "name one that has a manifest.json, as export writes it")
    return dict(read_json(folder / "manifest.json"))


def model_file(folder: Path) -> Path:
    """@raises InputError if the folder is not an exported model's, or lacks its file"""
    path = folder / str(read_manifest(folder)["file"]["path"])
    if not path.is_file():
        raise InputError(f"{path} is not there, though the manifest names it", "export the model anew")
    return path
