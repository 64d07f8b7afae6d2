"""Exports a trained network as a model folder: ONNX, manifest, golden arrays, model card.

    python -m slicewise_training.export configs/cardiac-mr.json --run runs/cardiac-mr --data <folder> \\
        --golden ../../sample-data/generated/nifti/phase_01/image.nii.gz --output ../cardiac-mr \\
        [--evaluation figures.json]

Weights are stored as float16 behind Cast nodes and computed in float32. The ONNX file must agree with PyTorch
running the same rounded weights, or nothing is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .calibrate import fit_temperature
from .config import Config, load_config
from .data import Float, normalise, to_model_matrix, with_neighbours
from .model_card import model_card
from .network import load_network, run_checkpoint, run_onnx_file
from .psp_net import PSPNet

OPSET = 17
INPUT, OUTPUT = "image", "logits"
LARGEST_DIFFERENCE = 2e-3
"""Of a logit, ONNX Runtime against PyTorch with the same rounded weights; other kernels sum in another order."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="for the temperature, fitted on the validation part")
    parser.add_argument("--golden", type=Path, required=True, help="a NIfTI image that our own generator made")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--evaluation", type=Path, help="JSON list of {data, metric, value, perSegment?}")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    release = json.loads(arguments.config.read_text())["release"]
    temperature = fit_temperature(config, arguments.data, run_checkpoint(arguments.run, config))
    evaluation = json.loads(arguments.evaluation.read_text()) if arguments.evaluation else []
    network = load_network(arguments.run, config)
    window = golden_window(arguments.golden, config)
    write_model_folder(network, config, release, window, temperature, evaluation, arguments.output)


def write_model_folder(
    network: PSPNet,
    config: Config,
    release: dict[str, Any],
    window: Float,
    temperature: float,
    evaluation: list[dict[str, Any]],
    folder: Path,
) -> None:
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    partial = folder / "model.onnx.partial"
    export_onnx(network, config, partial)
    logits = check_against_torch(network, partial, window)
    partial.replace(folder / "model.onnx")
    manifest = {
        "schemaVersion": 1,
        "id": config.id,
        **{key: release[key] for key in ("version", "title", "licence", "intendedUse")},
        "file": file_entry(folder / "model.onnx"),
        "input": {
            "name": INPUT,
            "shape": [1, config.network.in_channels, config.input.size, config.input.size],
            **{key: release["input"][key] for key in ("modality", "bodyPart", "sliceAxis", "orientation")},
            "channels": {"offsetsInSlices": [-1, 0, 1], "edge": "replicate"},
            "spacing": config.input.spacing,
            "intensity": {
                "kind": "percentile",
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
        },
        "tta": release["tta"],
        "segments": release["segments"],
        "postProcess": release["postProcess"],
        "evaluation": evaluation,
        "golden": {
            "input": write_array(folder, "golden/input.f32", window),
            "output": write_array(folder, "golden/output.f32", logits),
            "tolerance": 0.01,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    (folder / "MODEL_CARD.md").write_text(model_card(manifest, config, release, parameter_count(network)))


def export_onnx(network: PSPNet, config: Config, path: Path) -> None:
    sample = torch.zeros(1, config.network.in_channels, config.input.size, config.input.size)
    torch.onnx.export(
        network.eval(),
        (sample,),
        str(path),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    store_weights_as_float16(model)
    model.producer_name, model.doc_string = "slicewise", f"{config.id}: research use only"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


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


@torch.no_grad()
def check_against_torch(network: PSPNet, path: Path, window: Float) -> Float:
    """ONNX Runtime's logits of the window, [1, classes, h, w].

    Raises RuntimeError if they differ from PyTorch's, or if float16 rounding changed more than 0.5 % of the labels.
    """
    logits = run_onnx_file(path)(window)
    unrounded = np.asarray(network(torch.from_numpy(window)).numpy())
    plain = path.with_suffix(".float32")
    rounding = float(np.abs(logits - unrounded).max())
    changed = float((logits.argmax(1) != unrounded.argmax(1)).mean())
    torch.onnx.export(network, (torch.from_numpy(window),), str(plain), opset_version=OPSET, dynamo=False)
    exported = run_onnx_file(plain)(window)
    plain.unlink()
    difference = float(np.abs(exported - unrounded).max())
    print(json.dumps({"onnx_vs_torch": difference, "float16_rounding": rounding, "labels_changed": changed}))
    if difference > LARGEST_DIFFERENCE or changed > 0.005:
        raise RuntimeError(f"the exported network differs: logits by {difference}, labels in {changed:.2%} of cells")
    return logits


def golden_window(path: Path, config: Config) -> Float:
    """The middle slice of a volume, prepared as the pipeline does it: [1, C, S, S]."""
    image = nib.load(path)
    volume = normalise(np.asarray(image.get_fdata(dtype=np.float32)).T, config.input.low, config.input.high)
    zooms = image.header.get_zooms()
    channels = with_neighbours(volume, volume.shape[0] // 2)
    size, spacing = config.input.size, config.input.spacing
    to_y, inside_y = to_model_matrix(channels.shape[1], float(zooms[1]), size, spacing, 0.0)
    to_x, inside_x = to_model_matrix(channels.shape[2], float(zooms[0]), size, spacing, 0.0)
    return ((to_y @ channels @ to_x.T) * inside_y[:, None] * inside_x[None])[None].astype(np.float32)


def write_array(folder: Path, path: str, array: Float) -> dict[str, Any]:
    data = array.astype("<f4").tobytes()
    (folder / path).write_bytes(data)
    return {"path": path, "shape": list(array.shape), "sha256": hashlib.sha256(data).hexdigest()}


def file_entry(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(data).hexdigest(), "byteLength": len(data)}


def parameter_count(network: PSPNet) -> int:
    """Of the deployed network: without the auxiliary head."""
    auxiliary = {id(p) for p in network.auxiliary.parameters()}
    return sum(p.numel() for p in network.parameters() if id(p) not in auxiliary)


if __name__ == "__main__":
    main()
