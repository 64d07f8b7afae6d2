"""What a configuration's network costs: parameters and multiply-accumulates at its deployed input.

python -m slicewise_training.cost configs/*.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from .config import load_config
from .network import build_network, parameter_count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", type=Path, nargs="+")
    for path in parser.parse_args().configs:
        config = load_config(path)
        network = build_network(config.network)
        gmac = multiply_accumulates(network, config.input.size, config.input.channels) / 1e9
        print(
            f"{config.id}: {parameter_count(network) / 1e6:.1f} M parameters, {gmac:.2f} GMAC at {config.input.size}²"
        )


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


if __name__ == "__main__":
    main()
