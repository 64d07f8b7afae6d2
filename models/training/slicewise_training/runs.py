"""Ways to run a network on one window of the model's grid: a checkpoint's average, or an exported ONNX file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from .checkpoint import load_network
from .data import Float
from .errors import InputError
from .model_folder import model_file
from .network import NetworkConfig
from .predict import Run

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded, and never again
import onnxruntime


def run_checkpoint(run_folder: Path, config: NetworkConfig) -> Run:
    network = load_network(run_folder, config)

    @torch.no_grad()
    def run(window: Float) -> Float:
        return np.asarray(network(torch.from_numpy(window)).numpy())

    return run


def run_onnx(model_folder: Path) -> Run:
    return run_onnx_file(model_file(model_folder))


def run_onnx_file(path: Path) -> Run:
    """@raises InputError if ONNX Runtime cannot open the file"""
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base of their own
        raise InputError(f"{path} cannot be opened by ONNX Runtime ({error})", "export the model anew") from error
    name = session.get_inputs()[0].name

    def run(window: Float) -> Float:
        return np.asarray(session.run(None, {name: window})[0])

    return run
