import pytest
import torch

from slicewise_training.psp_net import PSPNet, PSPNetConfig


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("refine", [False, True])
def test_logits_have_the_stride_that_the_config_promises(output_stride: int, refine: bool) -> None:
    config = PSPNetConfig(classes=4, output_stride=output_stride, refine=refine)
    size = config.size_multiple
    logits = PSPNet(config).eval()(torch.zeros(1, 3, size, size))
    assert logits.shape == (1, 4, size // config.logits_stride, size // config.logits_stride)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_every_backbone_gives_logits_and_auxiliary_logits_in_training(backbone: str) -> None:
    network = PSPNet(PSPNetConfig(classes=2, backbone=backbone)).train()
    logits, auxiliary = network(torch.zeros(2, 3, 96, 96))
    assert logits.shape == auxiliary.shape == (2, 2, 12, 12)


def test_a_size_that_does_not_divide_is_refused_with_the_multiple() -> None:
    with pytest.raises(ValueError, match="48"):
        PSPNet(PSPNetConfig(classes=2)).eval()(torch.zeros(1, 3, 256, 256))


def test_pooling_windows_are_those_of_adaptive_pooling() -> None:
    x = torch.randn(1, 8, 24, 24)
    for bins in (1, 2, 3, 6):
        window = 24 // bins
        plain = torch.nn.functional.avg_pool2d(x, window, window)
        assert torch.allclose(plain, torch.nn.functional.adaptive_avg_pool2d(x, bins), atol=1e-6)
