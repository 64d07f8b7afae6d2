"""A training run's checkpoint, and a network from it."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .errors import InputError
from .network import NetworkConfig, build_network


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `Training.save` wrote; `average`, the running average of the weights, is in every one.

    @raises InputError if the file is not there or is not a training's checkpoint
    """
    remedy = "name the folder of a training run; a damaged one begins anew in another folder"
    if not path.is_file():
        raise InputError(f"{path} is not there", remedy)
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a training's checkpoint", remedy) from error
    if not isinstance(state, dict) or "average" not in state:
        raise InputError(f"{path} is not a training's checkpoint", remedy)
    return state


def load_network(run_folder: Path, config: NetworkConfig) -> nn.Module:
    """The running average of a training run, in evaluation mode.

    @raises InputError if there is none, or if it is of another network
    """
    network = build_network(config)
    average = read_checkpoint(run_folder / "checkpoint.pt")["average"]
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    stored = {name: tuple(value.shape) for name, value in average.items()}
    if own != stored:
        other = sorted(name for name in own.keys() | stored.keys() if own.get(name) != stored.get(name))
        raise InputError(
            f"{run_folder} is a training of another network: it differs in {', '.join(other[:3])}",
            "give the configuration that it was trained by",
        )
    network.load_state_dict(average, strict=True)
    return network.eval()
