"""Starts a narrow PSPNet from the strongest channels of a wide one.

Channels are ranked by the scales of their normalisations: Liu et al., Learning Efficient Convolutional Networks through
Network Slimming, ICCV 2017 (arXiv 1708.06519). What is left computes something else; it is a start for training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .psp_net import BasicBlock, PSPNet


@torch.no_grad()
def take_strongest_channels(narrow: PSPNet, wide: PSPNet) -> None:
    """Both have the same layers, on a ResNet of basic blocks. A classifier of other classes starts anew.

    Layers that are added to each other keep the same channels: those whose scales are largest in sum.
    """
    image = torch.arange(wide.config.in_channels)
    x = image
    *first_layers, own_last = narrow.backbone.stem
    *source_layers, last_of_stem = wide.backbone.stem
    for own_layer, layer in zip(first_layers, source_layers, strict=True):
        x = _take(own_layer, layer, x)
    # The first stage adds to what the stem gives, so both keep the same.
    features = [_strongest(narrow.backbone.channels[0], [last_of_stem[1], *_added(wide.backbone.stages[0])])]
    x = _take(own_last, last_of_stem, x, features[0])
    for channels, own, stage in zip(
        narrow.backbone.channels, narrow.backbone.stages, wide.backbone.stages, strict=True
    ):
        kept = features[0] if stage is wide.backbone.stages[0] else _strongest(channels, _added(stage))
        for own_block, block in zip(own, stage, strict=True):
            _take_block(own_block, block, x, kept)
            x = kept
        features.append(kept)
    first, _, third, last = features[1:]
    x = last
    if wide.config.pyramid:
        parts, offset = [last], wide.backbone.channels[-1]
        for own_branch, branch in zip(narrow.pyramid.branches, wide.pyramid.branches, strict=True):
            parts.append(offset + _take(own_branch, branch, last))
            offset += branch[1].num_features
        x = torch.cat(parts)
    x = _take(narrow.head[0], wide.head[0], x)
    if wide.config.refine:
        low = _take(narrow.low_level, wide.low_level, first)
        x = _take(narrow.refine, wide.refine, torch.cat([x, wide.head[0][1].num_features + low]))
    _take_classifier(narrow.classifier, wide.classifier, x)
    _take_classifier(narrow.auxiliary[2], wide.auxiliary[2], _take(narrow.auxiliary[0], wide.auxiliary[0], third))


def _take(own: nn.Sequential, source: nn.Sequential, inputs: Tensor, outputs: Tensor | None = None) -> Tensor:
    """Gives a convolution and its normalisation those of the source; returns the channels that were kept."""
    kept = _strongest(own[1].num_features, [source[1]]) if outputs is None else outputs
    _copy(own[0], own[1], source[0], source[1], inputs, kept)
    return kept


def _take_block(own: BasicBlock, source: BasicBlock, inputs: Tensor, outputs: Tensor) -> None:
    inner = _strongest(own.bn1.num_features, [source.bn1])
    _copy(own.conv1, own.bn1, source.conv1, source.bn1, inputs, inner)
    _copy(own.conv2, own.bn2, source.conv2, source.bn2, inner, outputs)
    if isinstance(source.shortcut, nn.Sequential):
        _take(own.shortcut, source.shortcut, inputs, outputs)


def _take_classifier(own: nn.Conv2d, source: nn.Conv2d, inputs: Tensor) -> None:
    if own.out_channels == source.out_channels:
        own.weight.copy_(source.weight[:, inputs])
        own.bias.copy_(source.bias)


def _copy(
    own: nn.Conv2d, own_norm: nn.BatchNorm2d, source: nn.Conv2d, norm: nn.BatchNorm2d, inputs: Tensor, outputs: Tensor
) -> None:
    own.weight.copy_(source.weight[outputs][:, inputs])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(own_norm, name).copy_(getattr(norm, name)[outputs])


def _strongest(count: int, norms: list[nn.BatchNorm2d]) -> Tensor:
    strength = torch.stack([norm.weight.abs() for norm in norms]).sum(0)
    return strength.topk(count).indices.sort().values


def _added(stage: nn.Sequential) -> list[nn.BatchNorm2d]:
    """The normalisations of a stage whose results are added to each other."""
    shortcut = stage[0].shortcut
    return [block.bn2 for block in stage] + ([shortcut[1]] if isinstance(shortcut, nn.Sequential) else [])
