"""Trains a model from the weights of another: an exported model folder, a training run, or ImageNet's.

`imagenet` starts the encoder of a ResNet with a 7x7 stem from torchvision's weights, downloaded once, or from a file
(imagenet.py). `shared` is the training run that SLICEWISE_SHARED_START names, a backbone that was trained on other
sets; of it, as of every start with `--encoder-only`, only the encoder is taken.

The network's configuration must be the start's, except for `classes`: layers of another shape start anew; and except
for `width`: a narrow network starts from the strongest channels of one of full width. A second call goes on where a
killed one stopped. The result is a work derived from the start's weights and carries their licence too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .checkpoint import read_checkpoint
from .config import Config
from .errors import InputError
from .identity import digest, hash_of_start
from .imagenet import Colours, adopt_imagenet, imagenet_file, read_imagenet_weights, refuse_other_encoders
from .model_folder import model_file
from .narrow import take_strongest_channels
from .network import build_network
from .psp_net import PSPNet, PSPNetConfig
from .train import Training

SHARED_VARIABLE = "SLICEWISE_SHARED_START"


@dataclass(frozen=True)
class Start:
    """Where weights come from; `hash` says which and how they are taken."""

    hash: str
    give: Callable[[Training], list[str]]
    """Gives them to a training's networks, and returns the parts that start anew."""


def find_start(said: str, config: Config, weights: Path | None, colours: Colours, encoder_only: bool) -> Start:
    """@raises InputError if there is no such start for the configuration's network"""
    if said == "imagenet":
        if not isinstance(config.network, PSPNetConfig):
            raise InputError("only a PSPNet starts from ImageNet weights", "leave `architecture` out of `network`")
        refuse_other_encoders(config.network)
        path = imagenet_file(config.network.backbone, weights)
        return Start(
            digest(f"{hash_of_start(path)} {colours}".encode()),
            lambda training: start_from_imagenet(path, training, colours),
        )
    if said == "shared" and not os.environ.get(SHARED_VARIABLE):
        raise InputError(
            f"{SHARED_VARIABLE} names no training run", "set it to the folder of the shared backbone's run"
        )
    folder = Path(os.environ[SHARED_VARIABLE] if said == "shared" else said)
    only = encoder_only or said == "shared"
    stored = digest(f"{hash_of_start(weights_file(folder))}{' encoder' if only else ''}".encode())
    return Start(stored, lambda training: start_from(folder, training, only))


def weights_file(folder: Path) -> Path:
    """The file that holds the weights of a training run or a model folder."""
    if (folder / "checkpoint.pt").is_file():
        return folder / "checkpoint.pt"
    if not (folder / "manifest.json").is_file():
        raise InputError(f"{folder} is neither a training run nor a model folder", "name one of them with --start")
    return model_file(folder)


def start_from_imagenet(path: Path, training: Training, colours: Colours) -> list[str]:
    network = training.network
    assert isinstance(network, PSPNet)
    left = adopt_imagenet(network, read_imagenet_weights(path), colours)
    training.average.load_state_dict(network.state_dict(), strict=True)
    return left


def start_from(folder: Path, training: Training, encoder_only: bool = False) -> list[str]:
    """Gives the training's networks the weights of a run's checkpoint or of a model folder, or those of its encoder.

    @returns the layers whose shape differs, which start anew
    """
    own, config = training.network, training.config.network
    fresh = {name: value.clone() for name, value in own.state_dict().items() if not name.startswith("backbone.")}

    def network_like(first_kernel: tuple[int, ...]) -> nn.Module:
        if first_kernel == next(own.parameters()).shape or not isinstance(config, PSPNetConfig):
            return own
        return build_network(replace(config, width=1.0)).to(training.device)

    if (folder / "checkpoint.pt").exists():
        state: dict[str, Tensor] = read_checkpoint(folder / "checkpoint.pt", training.device)["average"]
        network = network_like(next(iter(state.values())).shape)
        left = adopt_state(network, state)
    else:
        model = onnx.load(weights_file(folder))
        images, _ = training.batch(training.config.training.crops[0])
        network = network_like(convolution_weights(model)[0][0].shape)
        left = adopt_onnx(network, model, images)
    if network is not own:
        assert isinstance(own, PSPNet) and isinstance(network, PSPNet)
        take_strongest_channels(own, network)
    if encoder_only:
        own.load_state_dict(fresh, strict=False)
        left = sorted({name.split(".")[0] for name in fresh})
    training.average.load_state_dict(own.state_dict(), strict=True)
    return left


def another_network(difference: str) -> InputError:
    return InputError(
        f"the start is another network: {difference}", "take the start's `network`, but for `classes` and `width`"
    )


def adopt_state(network: nn.Module, state: dict[str, Tensor]) -> list[str]:
    own = network.state_dict()
    # A start of another classifier's shape is fine, one of other layers is another network.
    if own.keys() != state.keys():
        raise another_network(f"it differs in {', '.join(sorted(own.keys() ^ state.keys())[:3])}")
    fitting = {name: value for name, value in state.items() if value.shape == own[name].shape}
    network.load_state_dict(fitting, strict=False)
    return sorted({name.rsplit(".", 1)[0] for name in own.keys() - fitting.keys()})


@torch.no_grad()
def adopt_onnx(network: nn.Module, model: onnx.ModelProto, images: Tensor) -> list[str]:
    """Takes the weights of an exported network, whose batch normalisations were folded into its convolutions.

    Each normalisation is unfolded again by what it sees of `images`: mean and variance of these become its statistics,
    and scale and shift undo them, so that the network computes what the exported one does and trains on from there.
    """
    pairs = normalised_convolutions(network, images[:1])
    exported = convolution_weights(model)
    if len(pairs) != len(exported):
        raise another_network(f"{len(exported)} convolutions instead of {len(pairs)}")
    names = {module: name for name, module in network.named_modules()}
    left, hooks = [], []
    for (convolution, norm), (weight, bias) in zip(pairs, exported, strict=True):
        if convolution.weight.shape != weight.shape:
            if norm is not None:
                raise another_network(f"{names[convolution]} has another shape")
            left.append(names[convolution])
            continue
        convolution.weight.copy_(torch.from_numpy(weight))
        if norm is None:
            assert convolution.bias is not None
            convolution.bias.copy_(torch.from_numpy(bias))
        else:
            norm.bias.copy_(torch.from_numpy(bias))
            hooks.append(norm.register_forward_pre_hook(unfold))
    network.eval()(images)
    for hook in hooks:
        hook.remove()
    return [*left, *sorted(name for name, _ in network.named_children() if name == "auxiliary")]


def unfold(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    variance, mean = torch.var_mean(inputs[0].float(), (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.add_(mean)


@torch.no_grad()
def normalised_convolutions(network: nn.Module, image: Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions of the deployed network, each with the normalisation right behind it, in order of execution."""
    ran: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, _inputs, _output: ran.append(module))
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    network.eval()(image)
    for hook in hooks:
        hook.remove()
    followers = [*ran[1:], None]
    return [
        (module, follower if isinstance(follower, nn.BatchNorm2d) else None)
        for module, follower in zip(ran, followers, strict=True)
        if isinstance(module, nn.Conv2d)
    ]


def convolution_weights(model: onnx.ModelProto) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of each Conv node, in order of execution; float16 ones by way of their Cast, equal ones by way of
    the Identity that the exporter puts in the place of a second copy."""
    stored = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    return [(stored[node.input[1]], stored[node.input[2]]) for node in model.graph.node if node.op_type == "Conv"]
