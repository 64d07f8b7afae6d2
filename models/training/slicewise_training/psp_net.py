"""PSPNet: a dilated ResNet or MobileNetV2, pyramid pooling, a 3×3 head and an auxiliary head.

Zhao, Shi, Qi, Wang, Jia: Pyramid Scene Parsing Network. CVPR 2017 (arXiv 1612.01105), figure 3 and section 3.2.
The stem of three 3×3 convolutions is the one of the authors' own code; that of one 7×7 convolution is the ResNet's own
(He et al., CVPR 2016, table 1), with which weights trained on ImageNet fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import InputError
from .mobile_net import DilatedMobileNetV2

Backbone = Literal["resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2"]

Stem = Literal["3x3", "7x7"]

POOLING_BINS = (1, 2, 3, 6)


@dataclass(frozen=True)
class PSPNetConfig:
    """What fixes a network's weights: two networks with equal configs have interchangeable state dicts.

    `refine` adds a boundary-refining step that the paper does not have: the stride-4 features of the first stage,
    reduced to `refine_channels`, are concatenated before a last 3×3 convolution (as in DeepLabv3+'s decoder,
    Chen et al., ECCV 2018). It makes output_stride 16 usable at a third of the arithmetic of 8. `width` scales the
    channels of every stage of a ResNet, to multiples of 8; arithmetic and weights go with its square. `stem` is a
    ResNet's first layers: three convolutions of 3×3, or one of 7×7.
    """

    classes: int
    in_channels: int = 3
    backbone: Backbone = "resnet18"
    width: float = 1.0
    output_stride: Literal[8, 16] = 8
    pyramid: bool = True
    refine: bool = False
    refine_channels: int = 32
    dropout: float = 0.1
    stem: Stem = "3x3"

    def __post_init__(self) -> None:
        if self.stem not in ("3x3", "7x7"):
            raise InputError(f"stem {self.stem!r} is neither 3x3 nor 7x7", "say one of them, or leave `stem` out")
        if self.stem == "7x7" and self.backbone == "mobilenet_v2":
            raise InputError("a MobileNetV2 has a stem of its own", "leave `stem` out")

    @property
    def logits_stride(self) -> int:
        """Pixels of the input for one pixel of the logits."""
        return 4 if self.refine else self.output_stride

    @property
    def size_multiple(self) -> int:
        """Input sizes must divide by this, so that the feature map divides by every pooling bin."""
        return self.output_stride * 6 if self.pyramid else self.output_stride


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, channels_in: int, channels: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = _shortcut(channels_in, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, channels_in: int, channels: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * 4)
        self.shortcut = _shortcut(channels_in, channels * 4, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x), inplace=True)


def _shortcut(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out))


LAYERS: dict[Backbone, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}


class DilatedResNet(nn.Module):
    """ResNet whose last one (output stride 16) or two (8) stages dilate instead of striding."""

    def __init__(
        self, backbone: Backbone, in_channels: int, output_stride: int, width: float = 1.0, stem_kind: Stem = "3x3"
    ) -> None:
        super().__init__()
        block, depths = LAYERS[backbone]
        stem, *widths = (max(8, 8 * round(c * width / 8)) for c in (32, 64, 128, 256, 512))
        self.stem = (
            nn.Sequential(_conv_bn_relu(in_channels, widths[0], kernel=7, stride=2))
            if stem_kind == "7x7"
            else nn.Sequential(
                _conv_bn_relu(in_channels, stem, stride=2), _conv_bn_relu(stem, stem), _conv_bn_relu(stem, widths[0])
            )
        )
        strides = (1, 2, 2, 1) if output_stride == 16 else (1, 2, 1, 1)
        dilations = (1, 1, 1, 2) if output_stride == 16 else (1, 1, 2, 4)
        channels_in = widths[0]
        stages = []
        for depth, channels, stride, dilation in zip(depths, widths, strides, dilations, strict=True):
            blocks = [
                block(
                    channels_in if n == 0 else channels * block.expansion, channels, stride if n == 0 else 1, dilation
                )
                for n in range(depth)
            ]
            channels_in = channels * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(c * block.expansion for c in widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        """[B, C, H, W] → the four stages' features; the first has stride 4, the last the output stride."""
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class PyramidPooling(nn.Module):
    """Average pooling to 1, 2, 3 and 6 bins, a 1×1 convolution to a quarter of the channels each, upsampled and
    concatenated behind the input: [B, C, H, W] → [B, 2C, H, W]. H and W divide by 6, so that the windows are those
    of adaptive pooling and export as plain AveragePool."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels // 4, 1, bias=False), nn.BatchNorm2d(channels // 4), nn.ReLU(inplace=True)
            )
            for _ in POOLING_BINS
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[2]), int(x.shape[3])
        parts = [x]
        for bins, branch in zip(POOLING_BINS, self.branches, strict=True):
            window = (height // bins, width // bins)
            pooled = branch(F.avg_pool2d(x, window, window))
            parts.append(
                F.interpolate(
                    pooled,
                    scale_factor=(float(window[0]), float(window[1])),
                    mode="bilinear",
                    align_corners=False,
                )
            )
        return torch.cat(parts, 1)


class PSPNet(nn.Module):
    """[B, in_channels, H, W] float32 → logits [B, classes, H/s, W/s], s = config.logits_stride.

    In training mode the result is (logits, auxiliary logits); the auxiliary head sits on the third stage.
    """

    def __init__(self, config: PSPNetConfig) -> None:
        super().__init__()
        self.config = config
        if config.backbone == "mobilenet_v2":
            self.backbone: DilatedMobileNetV2 | DilatedResNet = DilatedMobileNetV2(
                config.in_channels, config.output_stride
            )
        else:
            self.backbone = DilatedResNet(
                config.backbone, config.in_channels, config.output_stride, config.width, config.stem
            )
        stage1, _, stage3, stage4 = self.backbone.channels
        self.pyramid = PyramidPooling(stage4) if config.pyramid else nn.Identity()
        head_channels = stage4 // 4
        self.head = nn.Sequential(
            _conv_bn_relu(stage4 * 2 if config.pyramid else stage4, head_channels), nn.Dropout2d(config.dropout)
        )
        if config.refine:
            self.low_level = _conv_bn_relu(stage1, config.refine_channels, kernel=1)
            self.refine = _conv_bn_relu(head_channels + config.refine_channels, head_channels)
        self.classifier = nn.Conv2d(head_channels, config.classes, 1)
        self.auxiliary = nn.Sequential(
            _conv_bn_relu(stage3, stage3 // 4), nn.Dropout2d(config.dropout), nn.Conv2d(stage3 // 4, config.classes, 1)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.classifier.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        multiple = self.config.size_multiple
        if x.shape[2] % multiple or x.shape[3] % multiple:
            raise ValueError(f"input {tuple(x.shape)}: height and width must divide by {multiple}")
        low, _, third, last = self.backbone(x)
        y = self.head(self.pyramid(last))
        if self.config.refine:
            scale = float(self.config.output_stride // 4)
            y = F.interpolate(y, scale_factor=(scale, scale), mode="bilinear", align_corners=False)
            y = self.refine(torch.cat([y, self.low_level(low)], 1))
        logits = self.classifier(y)
        return (logits, self.auxiliary(third)) if self.training else logits


def _conv_bn_relu(channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )
