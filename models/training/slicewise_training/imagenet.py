"""Starts a PSPNet's ResNet from weights that were trained on ImageNet.

A file is what torchvision offers for download (a state dict, .pth), or a safetensors file of torchvision's names and
layout, in which a convolution may be stored as `<name>.int8` with one `<name>.scale` for each output channel. Only the
encoder is taken; pyramid, heads and classifier start anew. A safetensors file needs `pip install -e '.[imagenet]'`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from .errors import InputError, SetupError
from .psp_net import PSPNet, PSPNetConfig

FILE_VARIABLE = "SLICEWISE_IMAGENET_WEIGHTS"
"""Environment variable that names a weights file, for a computer without the internet."""

TORCHVISION = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
}
"""torchvision's files of the IMAGENET1K_V1 weights; the end of a name is the start of the file's SHA-256."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue in 0…1: what the weights' input was normalised by."""

Colours = Literal["as-is", "summed"]
"""How three colour filters become those of three neighbouring slices: each as it is, or their sum on the slice itself
and none on its neighbours. One channel always gets the sum."""


def imagenet_file(backbone: str, given: Path | None) -> Path:
    """The weights file: the given one, that of the environment, or torchvision's, downloaded once and checked.

    @raises InputError without weights for this backbone or without the file, SetupError without the download
    """
    named = given or (Path(os.environ[FILE_VARIABLE]) if os.environ.get(FILE_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise InputError(f"{named} is not a file", f"name one of torchvision's weights files for {backbone}")
        return named
    if backbone not in TORCHVISION:
        raise InputError(f"there are no ImageNet weights for {backbone}", f"take one of {', '.join(TORCHVISION)}")
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    target = folder / TORCHVISION[backbone]
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(
                f"https://download.pytorch.org/models/{target.name}",
                str(target),
                hash_prefix=target.stem.rsplit("-", 1)[1],
                progress=False,
            )
        except OSError as error:
            raise SetupError(
                f"{target.name} cannot be downloaded ({error})",
                f"fetch it on another computer and name the file with --weights or in {FILE_VARIABLE}",
            ) from error
    return target


def read_imagenet_weights(path: Path) -> dict[str, Tensor]:
    """Float32 weights by torchvision's names, without the classifier."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file  # only such files need it

        stored = load_file(path)
    else:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = {}
    for name, value in stored.items():
        if name.endswith(".scale") or name.startswith("fc."):
            continue
        if name.endswith(".int8"):
            name = name.removesuffix(".int8")
            value = value.float() * stored[f"{name}.scale"].float()[:, None, None, None]
        weights[name] = value.float() if value.dtype.is_floating_point else value
    return weights


@torch.no_grad()
def adopt_imagenet(network: PSPNet, weights: dict[str, Tensor], colours: Colours = "as-is") -> list[str]:
    """Gives the encoder the weights, so that it computes from 0…1 what they compute from ImageNet's normalised colours,
    but for the outermost pixels: padding is black here and mean grey there.

    @returns the parts of the network that start anew
    @raises InputError if the encoder is another one
    """
    config = network.config
    refuse_other_encoders(config)
    own = network.backbone.state_dict()
    source = {encoder_name(name): value for name, value in weights.items()}
    # Counts of batches are not weights, and old files lack them.
    needed = {name for name in own if not name.endswith("num_batches_tracked")}
    offered = {name for name in source if not name.endswith("num_batches_tracked")}
    if needed != offered:
        raise of_another_network(config, sorted(needed ^ offered))
    first, norm_mean = "stem.0.0.weight", "stem.0.1.running_mean"
    deviation, mean = torch.tensor(DEVIATION)[None, :, None, None], torch.tensor(MEAN)[None, :, None, None]
    filters = source[first] / deviation
    # What the normalisation of the input subtracted, before the filter: a constant that the next mean takes up.
    source[norm_mean] = source[norm_mean] + (filters * mean).sum((1, 2, 3))
    source[first] = of_channels(filters, config.in_channels, colours)
    other = [name for name in sorted(needed) if source[name].shape != own[name].shape]
    if other:
        raise of_another_network(config, other)
    network.backbone.load_state_dict({name: source[name] for name in needed}, strict=False)
    return sorted(name for name, _ in network.named_children() if name != "backbone")


def of_another_network(config: PSPNetConfig, layers: list[str]) -> InputError:
    return InputError(
        f"the weights are of another network than {config.backbone}: it differs in {', '.join(layers[:3])}",
        f"name torchvision's file for {config.backbone}, {TORCHVISION[config.backbone]}",
    )


def refuse_other_encoders(config: PSPNetConfig) -> None:
    """@raises InputError if there are no ImageNet weights for this encoder"""
    if config.backbone not in TORCHVISION or config.stem != "7x7" or config.width != 1:
        raise InputError(
            f"ImageNet weights fit a ResNet of full width with a 7x7 stem, not {config.backbone} of width "
            f"{config.width:g} with a {config.stem} stem",
            'say "stem": "7x7" in `network`',
        )


def of_channels(filters: Tensor, channels: int, colours: Colours) -> Tensor:
    """[out, 3, h, w] → [out, channels, h, w] by `Colours`."""
    if channels == 3 and colours == "as-is":
        return filters
    total = filters.sum(1, keepdim=True)
    placed = total.new_zeros((filters.shape[0], channels, *filters.shape[2:]))
    placed[:, channels // 2] = total[:, 0]
    return placed


def encoder_name(name: str) -> str:
    """torchvision's name of a ResNet's weight → that of our encoder."""
    head, _, rest = name.partition(".")
    if head in ("conv1", "bn1"):
        return f"stem.0.{0 if head == 'conv1' else 1}.{rest}"
    if head.startswith("layer"):
        return f"stages.{int(head.removeprefix('layer')) - 1}.{rest.replace('downsample.', 'shortcut.')}"
    raise InputError(f"{name} is not a weight of a ResNet's encoder", "name one of torchvision's weights files")
