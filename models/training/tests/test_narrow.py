"""A narrow network from the strongest channels of a wide one."""

from dataclasses import replace

import pytest
import torch
from test_finetune import SMALL, trained

from slicewise_training.narrow import take_strongest_channels
from slicewise_training.network import build_network
from slicewise_training.psp_net import PSPNet, PSPNetConfig


@torch.no_grad()
@pytest.mark.parametrize("config", [SMALL, PSPNetConfig(classes=3, pyramid=False)])
def test_of_the_same_width_computes_the_same(config: PSPNetConfig) -> None:
    wide, same = trained(config), PSPNet(config)
    take_strongest_channels(same, wide)
    images = torch.rand(2, 3, 96, 96)
    assert torch.equal(same.eval()(images), wide(images))
    for own, source in zip(same.state_dict().values(), wide.state_dict().values(), strict=True):
        assert own.ndim == 0 or torch.equal(own, source)


@torch.no_grad()
def test_loses_nothing_where_the_channels_left_out_are_silent() -> None:
    """Channels whose scale and shift are 0 are 0 after the rectifier, so that the narrow network lacks nothing."""
    narrow_config = replace(SMALL, width=0.5)
    wide, narrow = trained(), PSPNet(narrow_config)
    for own, source in zip(narrow.modules(), wide.modules(), strict=True):
        if isinstance(source, torch.nn.BatchNorm2d):
            source.weight[own.num_features :] = 0
            source.bias[own.num_features :] = 0
    take_strongest_channels(narrow, wide)
    images = torch.rand(2, 3, 96, 96)
    assert torch.allclose(narrow.eval()(images), wide(images), atol=1e-5)


def test_a_narrow_network_costs_the_square_of_its_width() -> None:
    def weights(width: float) -> int:
        return sum(p.numel() for p in build_network(replace(SMALL, width=width)).parameters())

    assert weights(0.5) / weights(1.0) == pytest.approx(0.25, abs=0.01)
