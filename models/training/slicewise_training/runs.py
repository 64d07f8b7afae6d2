"""Ways to run a network on one window of the model's grid: a checkpoint's average, or an exported ONNX file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .data import Float
from .network import NetworkConfig, build_network
from .predict import Run

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded, and never again
import onnxruntime


def load_network(run_folder: Path, config: NetworkConfig) -> nn.Module:
    """The running average of a training run, in evaluation mode."""
    network = build_network(config)
    state = torch.load(run_folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(state["average"], strict=True)
    return network.eval()


def run_checkpoint(run_folder: Path, config: NetworkConfig) -> Run:
    network = load_network(run_folder, config)

    @torch.no_grad()
    def run(window: Float) -> Float:
        return np.asarray(network(torch.from_numpy(window)).numpy())

    return run


def run_onnx(model_folder: Path) -> Run:
    manifest = json.loads((model_folder / "manifest.json").read_text())
    return run_onnx_file(model_folder / manifest["file"]["path"])


def run_onnx_file(path: Path) -> Run:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(window: Float) -> Float:
        return np.asarray(session.run(None, {name: window})[0])

    return run
