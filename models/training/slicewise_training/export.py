"""Exports a trained network as a model folder: ONNX, manifest, golden arrays, model card. Figures come into it by
`model_card` afterwards, for they are measured on what was exported.

Weights are stored as float16 behind Cast nodes and computed in float32. The ONNX file must agree with PyTorch, or
no model.onnx is written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .config import Config
from .data import Float
from .model_card import model_card, write_json
from .runs import run_onnx_file

LOG = logging.getLogger(__name__)

RELEASE = ("version", "title", "licence", "intendedUse", "input", "tta", "segments", "postProcess", "card")
"""What a configuration's `release` must say for an export."""

OPSET = 17
INPUT, OUTPUT = "image", "logits"
LARGEST_DIFFERENCE = 2e-3
"""Of a logit, ONNX Runtime against PyTorch: other kernels sum in another order."""


def write_model_folder(
    network: nn.Module,
    config: Config,
    release: dict[str, Any],
    window: Float,
    temperature: float,
    folder: Path,
) -> None:
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    partial = folder / "model.onnx.partial"
    logits = export_onnx(network, partial, window)
    partial.replace(folder / "model.onnx")
    LOG.info(json.dumps({"classes_missing_in_golden": missing_classes(logits)}))
    manifest = {
        "schemaVersion": 1,
        "id": config.id,
        **{key: release[key] for key in ("version", "title", "licence", "intendedUse")},
        "file": file_entry(folder / "model.onnx"),
        "input": {
            "name": INPUT,
            "shape": [1, config.network.in_channels, config.input.size, config.input.size],
            **{
                key: release["input"][key] for key in ("modality", "bodyPart", "fieldOfView") if key in release["input"]
            },
            "sliceAxis": config.input.slice_axis,
            "orientation": config.input.orientation,
            "channels": {"offsetsInSlices": [0] if config.input.channels == 1 else [-1, 0, 1], "edge": "replicate"},
            "spacing": config.input.spacing,
            "intensity": {
                "kind": config.input.intensity,
                "scope": "volume",
                "low": config.input.low,
                "high": config.input.high,
            },
            "padValue": 0,
        },
        "output": {
            "name": OUTPUT,
            "kind": "logits",
            "stride": config.network.logits_stride,
            "alignCorners": False,
            "temperature": temperature,
            **({"neighbourWeight": config.input.neighbour_weight} if config.input.neighbour_weight else {}),
        },
        "tta": release["tta"],
        "segments": release["segments"],
        "postProcess": release["postProcess"],
        "evaluation": [],
        "golden": {
            "input": write_array(folder, "golden/input.f32", window),
            "output": write_array(folder, "golden/output.f32", logits),
            "tolerance": 0.01,
        },
    }
    write_json(folder / "manifest.json", manifest)
    (folder / "MODEL_CARD.md").write_text(model_card(manifest, config, release))


@torch.no_grad()
def export_onnx(network: nn.Module, path: Path, window: Float) -> Float:
    """Writes the ONNX file and returns its logits of the window, [1, classes, h, w].

    Raises RuntimeError if ONNX Runtime's logits differ from PyTorch's before the weights are rounded, or if rounding
    them to float16 changes more than 0.5 % of the labels.
    """
    torch.onnx.export(
        network.eval(),
        (torch.from_numpy(window),),
        str(path),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamo=False,
    )
    reference = np.asarray(network(torch.from_numpy(window)).numpy())
    difference = float(np.abs(run_onnx_file(path)(window) - reference).max())
    model = onnx.load(path)
    store_weights_as_float16(model)
    model.producer_name, model.doc_string = "slicewise", "research use only"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    logits = run_onnx_file(path)(window)
    changed = float((logits.argmax(1) != reference.argmax(1)).mean())
    LOG.info(json.dumps({"onnx_vs_torch": difference, "labels_changed_by_float16": changed}))
    if difference > LARGEST_DIFFERENCE or changed > 0.005:
        raise RuntimeError(f"the exported network differs: logits by {difference}, labels in {changed:.2%} of cells")
    return logits


def store_weights_as_float16(model: onnx.ModelProto) -> None:
    """Replaces every float32 initializer by a float16 one and a Cast; runtimes fold the Cast when they load."""
    casts = []
    for initializer in list(model.graph.initializer):
        if initializer.data_type != TensorProto.FLOAT or math.prod(initializer.dims) < 16:
            continue
        name = initializer.name
        half = numpy_helper.from_array(numpy_helper.to_array(initializer).astype(np.float16), f"{name}.half")
        model.graph.initializer.remove(initializer)
        model.graph.initializer.append(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def generated_window(config: Config) -> Float:
    """A golden input that is nobody's scan: smooth ellipses of many intensities in a body, drifting from channel to
    channel, [1, C, S, S] in 0…1."""
    random = np.random.default_rng(20161121)
    channels, size = config.network.in_channels, config.input.size
    axis = (np.arange(size) - (size - 1) / 2) / (size / 2)
    y, x = np.meshgrid(axis, axis, indexing="ij")

    def ellipse(cx: float, cy: float, rx: float, ry: float) -> Float:
        edge = 1 - np.hypot((x - cx) / rx, (y - cy) / ry)
        return np.asarray(np.clip(0.5 + edge * min(rx, ry) * size / 4, 0, 1), np.float32)

    image = np.stack([0.3 * ellipse(0, 0, 0.85, 0.65)] * channels)
    for _ in range(14):
        cx, cy, drift = random.uniform(-0.6, 0.6), random.uniform(-0.45, 0.45), random.uniform(-0.02, 0.02, 2)
        rx, ry, brightness = random.uniform(0.05, 0.25), random.uniform(0.05, 0.2), random.uniform(0.1, 1)
        for channel in range(channels):
            inside = ellipse(cx + channel * drift[0], cy + channel * drift[1], rx, ry)
            image[channel] = image[channel] * (1 - inside) + brightness * inside
    return image[None].astype(np.float32)


def missing_classes(logits: Float) -> list[int]:
    """Classes that no cell of a golden output, [1, classes, h, w], shows: of these it proves scores, but no label."""
    return sorted(set(range(logits.shape[1])) - set(logits.argmax(1).ravel().tolist()))


def write_array(folder: Path, path: str, array: Float) -> dict[str, Any]:
    data = array.astype("<f4").tobytes()
    (folder / path).write_bytes(data)
    return {"path": path, "shape": list(array.shape), "sha256": hashlib.sha256(data).hexdigest()}


def file_entry(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(data).hexdigest(), "byteLength": len(data)}
