"""What a configuration's network costs: parameters and multiply-accumulates at its deployed input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import Config
from .network import build_network, parameter_count


def cost_in_words(config: Config) -> str:
    network = build_network(config.network)
    gmac = multiply_accumulates(network, config.input.size, config.input.channels) / 1e9
    millions = parameter_count(network) / 1e6
    return f"{config.id}: {millions:.1f} M parameters, {gmac:.2f} GMAC at {config.input.size}²"


@torch.no_grad()
def multiply_accumulates(network: nn.Module, size: int, channels: int = 3) -> int:
    """Of the convolutions, which are all but a percent, for one window of [channels, size, size]."""
    total = 0

    def count(module: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += output.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    network.eval()(torch.zeros(1, channels, size, size))
    for hook in hooks:
        hook.remove()
    return total
