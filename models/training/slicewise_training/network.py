"""Networks by their configuration.

A network takes [B, C, H, W] and gives logits [B, classes, H / s, W / s], s = config.logits_stride; in training mode it
gives (logits, auxiliary logits or None).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from .psp_net import PSPNet, PSPNetConfig
from .settings import read_block


@dataclass(frozen=True)
class LibraryNetworkConfig:
    """A U-Net or DeepLabv3+ of segmentation-models-pytorch, without pretrained weights, to compare with."""

    architecture: Literal["unet", "deeplabv3plus"]
    classes: int
    in_channels: int = 3
    backbone: str = "resnet18"

    @property
    def logits_stride(self) -> int:
        return 1 if self.architecture == "unet" else 4

    @property
    def size_multiple(self) -> int:
        return 32 if self.architecture == "unet" else 16


NetworkConfig = PSPNetConfig | LibraryNetworkConfig


def network_config(document: Any) -> NetworkConfig:
    """@raises InputError for settings that are unknown, missing or of another type, or do not go together"""
    is_library = isinstance(document, dict) and "architecture" in document
    if is_library:
        return read_block(LibraryNetworkConfig, document, "network")
    return read_block(PSPNetConfig, document, "network")


def build_network(config: NetworkConfig) -> nn.Module:
    return PSPNet(config) if isinstance(config, PSPNetConfig) else LibraryNetwork(config)


class LibraryNetwork(nn.Module):
    def __init__(self, config: LibraryNetworkConfig) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp  # only what is compared needs it

        options = {"encoder_weights": None, "in_channels": config.in_channels, "classes": config.classes}
        self.network = (
            smp.Unet(config.backbone, **options)
            if config.architecture == "unet"
            else smp.DeepLabV3Plus(config.backbone, upsampling=1, **options)
        )

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, None]:
        logits = self.network(x)
        return (logits, None) if self.training else logits


def parameter_count(network: nn.Module) -> int:
    """Of the deployed network: without the auxiliary head."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith("auxiliary."))
