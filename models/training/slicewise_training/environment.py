"""What figures were measured with: versions, for the figures' files."""

from __future__ import annotations

import platform
from importlib.metadata import version

LIBRARIES = ("numpy", "scipy", "nibabel", "torch", "onnx", "onnxruntime")
"""Whose other versions may give other figures; environment.txt pins them with all that they need."""


def environment() -> dict[str, str]:
    """Versions by name: Python's, and those of LIBRARIES as they are installed."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
