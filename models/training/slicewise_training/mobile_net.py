"""MobileNetV2 as a dilated backbone of little arithmetic: Sandler et al., CVPR 2018, table 2 (arXiv 1801.04381)."""

from __future__ import annotations

from torch import Tensor, nn

# expansion, channels, blocks, stride, as in the paper's table, grouped by the four stages that heads read
STAGES = (
    ((1, 16, 1, 1), (6, 24, 2, 2)),
    ((6, 32, 3, 2),),
    ((6, 64, 4, 2), (6, 96, 3, 1)),
    ((6, 160, 3, 2), (6, 320, 1, 1)),
)


class InvertedResidual(nn.Module):
    def __init__(self, channels_in: int, channels: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        inner = channels_in * expansion
        layers = [] if expansion == 1 else [*_conv_bn(channels_in, inner, 1), nn.ReLU6(inplace=True)]
        layers += [*_conv_bn(inner, inner, 3, stride, dilation, groups=inner), nn.ReLU6(inplace=True)]
        layers += _conv_bn(inner, channels, 1)
        self.layers = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.has_shortcut else self.layers(x)


class DilatedMobileNetV2(nn.Module):
    """[B, C, H, W] → the four stages' features; the first has stride 4, the last the output stride (8 or 16): where the
    paper strides beyond it, blocks dilate instead."""

    channels = (24, 32, 96, 320)

    def __init__(self, in_channels: int, output_stride: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_conv_bn(in_channels, 32, 3, stride=2), nn.ReLU6(inplace=True))
        channels_in, reached, dilation = 32, 2, 1
        stages = []
        for groups in STAGES:
            blocks = []
            for expansion, channels, depth, stride in groups:
                for n in range(depth):
                    step = stride if n == 0 else 1
                    if reached * step > output_stride:
                        step, dilation = 1, dilation * stride
                    reached *= step
                    blocks.append(InvertedResidual(channels_in, channels, expansion, step, dilation))
                    channels_in = channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def _conv_bn(
    channels_in: int, channels: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(channels_in, channels, kernel, stride, padding, dilation, groups, bias=False)
    return [convolution, nn.BatchNorm2d(channels)]
