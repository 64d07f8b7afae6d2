"""Starts a narrow PSPNet from the strongest channels of a wide one.

Channels are ranked by the scales of their normalisations: Liu et al., Learning Efficient Convolutional Networks through
Network Slimming, ICCV 2017 (arXiv 1708.06519). What is left computes something else; it is a start for training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .errors import InputError
from .psp_net import BasicBlock, DilatedResNet, PSPNet, PyramidPooling


@torch.no_grad()
def take_strongest_channels(narrow: PSPNet, wide: PSPNet) -> None:
    """Both have the same layers, on a ResNet of basic blocks. A classifier of other classes starts anew.

    Layers that are added to each other keep the same channels: those whose scales are largest in sum.

    @raises InputError if their backbone is another one
    """
    own_backbone, backbone = narrow.backbone, wide.backbone
    if not isinstance(own_backbone, DilatedResNet) or not isinstance(backbone, DilatedResNet):
        raise _other_backbone(wide)
    own_stages, stages = ([_blocks(network, s) for s in network.backbone.stages] for network in (narrow, wide))
    x = torch.arange(wide.config.in_channels)
    *first_layers, own_last = own_backbone.stem
    *source_layers, last_of_stem = backbone.stem
    for own_layer, layer in zip(first_layers, source_layers, strict=True):
        x = _take(own_layer, layer, x)
    # The first stage adds to what the stem gives, so both keep the same.
    features = [_strongest(own_backbone.channels[0], [_normalised(last_of_stem)[1], *_added(stages[0])])]
    x = _take(own_last, last_of_stem, x, features[0])
    for n, (channels, own, stage) in enumerate(zip(own_backbone.channels, own_stages, stages, strict=True)):
        kept = features[0] if n == 0 else _strongest(channels, _added(stage))
        for own_block, block in zip(own, stage, strict=True):
            _take_block(own_block, block, x, kept)
            x = kept
        features.append(kept)
    first, _, third, last = features[1:]
    x = last
    if isinstance(narrow.pyramid, PyramidPooling) and isinstance(wide.pyramid, PyramidPooling):
        parts, offset = [last], backbone.channels[-1]
        for own_branch, branch in zip(narrow.pyramid.branches, wide.pyramid.branches, strict=True):
            parts.append(offset + _take(own_branch, branch, last))
            offset += _normalised(branch)[1].num_features
        x = torch.cat(parts)
    x = _take(narrow.head[0], wide.head[0], x)
    if wide.config.refine:
        low = _take(narrow.low_level, wide.low_level, first)
        x = _take(narrow.refine, wide.refine, torch.cat([x, _normalised(wide.head[0])[1].num_features + low]))
    _take_classifier(narrow.classifier, wide.classifier, x)
    _take_classifier(narrow.auxiliary[2], wide.auxiliary[2], _take(narrow.auxiliary[0], wide.auxiliary[0], third))


def _other_backbone(network: PSPNet) -> InputError:
    return InputError(
        f"no narrow network starts from a {network.config.backbone} of full width",
        "take resnet18 or resnet34, or leave `width` out",
    )


def _blocks(network: PSPNet, stage: nn.Module) -> list[BasicBlock]:
    blocks = [block for block in stage.children() if isinstance(block, BasicBlock)]
    if not blocks:
        raise _other_backbone(network)
    return blocks


def _normalised(layers: nn.Module) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution and its normalisation, the first two layers of some."""
    convolution, norm, *_ = layers.children()
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    return convolution, norm


def _take(own: nn.Module, source: nn.Module, inputs: Tensor, outputs: Tensor | None = None) -> Tensor:
    """Gives a convolution and its normalisation those of the source; returns the channels that were kept."""
    (own_convolution, own_norm), (convolution, norm) = _normalised(own), _normalised(source)
    kept = _strongest(own_norm.num_features, [norm]) if outputs is None else outputs
    _copy(own_convolution, own_norm, convolution, norm, inputs, kept)
    return kept


def _take_block(own: BasicBlock, source: BasicBlock, inputs: Tensor, outputs: Tensor) -> None:
    inner = _strongest(own.bn1.num_features, [source.bn1])
    _copy(own.conv1, own.bn1, source.conv1, source.bn1, inputs, inner)
    _copy(own.conv2, own.bn2, source.conv2, source.bn2, inner, outputs)
    if isinstance(source.shortcut, nn.Sequential):
        _take(own.shortcut, source.shortcut, inputs, outputs)


def _take_classifier(own: nn.Module, source: nn.Module, inputs: Tensor) -> None:
    assert isinstance(own, nn.Conv2d) and isinstance(source, nn.Conv2d)
    if own.out_channels == source.out_channels and own.bias is not None and source.bias is not None:
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


def _added(stage: list[BasicBlock]) -> list[nn.BatchNorm2d]:
    """The normalisations of a stage whose results are added to each other."""
    shortcut = stage[0].shortcut
    added = [block.bn2 for block in stage]
    return [*added, _normalised(shortcut)[1]] if isinstance(shortcut, nn.Sequential) else added
