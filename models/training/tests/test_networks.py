"""Every network trains, exports and runs in ONNX Runtime."""

from pathlib import Path

import pytest
import torch

from slicewise_training.errors import InputError
from slicewise_training.export import export_onnx
from slicewise_training.network import NetworkConfig, build_network, network_config, parameter_count
from slicewise_training.train import segmentation_loss

PSPNETS = [
    {"classes": 3, "backbone": backbone, "output_stride": 16, "refine": True}
    for backbone in ("resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2")
]
OTHERS = [{"classes": 3, "architecture": name} for name in ("unet", "deeplabv3plus")]


@pytest.mark.parametrize("document", [*PSPNETS, *OTHERS], ids=lambda d: d.get("architecture", d.get("backbone")))
def test_a_network_trains_exports_and_runs(document: dict, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config: NetworkConfig = network_config(document)
    network = build_network(config).train()
    make_decided(network)
    images, labels = torch.rand(2, 3, 96, 96), torch.randint(0, 3, (2, 96, 96))
    optimiser = torch.optim.SGD(network.parameters(), 1e-5)
    logits, _ = network(images)
    assert logits.shape == (2, 3, 96 // config.logits_stride, 96 // config.logits_stride)
    segmentation_loss(logits, labels).backward()
    optimiser.step()
    written = export_onnx(network, tmp_path / "model.onnx", images[:1].numpy())
    assert written.shape == (1, 3, 96 // config.logits_stride, 96 // config.logits_stride)


def make_decided(network: torch.nn.Module) -> None:
    """An untrained network's classes tie, which rounding to float16 decides; and a deep one's activations grow until
    the normalisations' statistics, here those of the last batch, are its own."""
    *_, classifier = (m for name, m in network.named_modules() if hasattr(m, "weight") and "auxiliary" not in name)
    torch.nn.init.normal_(classifier.weight, std=0.001)
    classifier.bias.data = torch.arange(3.0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0


def test_the_light_backbone_is_light() -> None:
    light = build_network(network_config({"classes": 4, "backbone": "mobilenet_v2", "output_stride": 16}))
    assert parameter_count(light) < 4e6


@pytest.mark.parametrize("output_stride", [8, 16])
def test_the_light_backbone_keeps_the_output_stride_that_it_is_given(output_stride: int) -> None:
    config = network_config({"classes": 2, "backbone": "mobilenet_v2", "output_stride": output_stride})
    size = config.size_multiple
    logits = build_network(config).eval()(torch.zeros(1, 3, size, size))
    assert logits.shape[-1] == size // output_stride


def test_a_key_that_no_network_knows_is_refused() -> None:
    with pytest.raises(InputError, match=r"network\.stride is no setting"):
        network_config({"classes": 2, "stride": 8})
