"""A ResNet with ImageNet's weights computes what torchvision's does."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from slicewise_training.config import load_config
from slicewise_training.cost import multiply_accumulates
from slicewise_training.errors import InputError, SetupError
from slicewise_training.export import export_onnx
from slicewise_training.finetune import find_start
from slicewise_training.imagenet import (
    DEVIATION,
    FILE_VARIABLE,
    MEAN,
    TORCHVISION,
    adopt_imagenet,
    imagenet_file,
    read_imagenet_weights,
)
from slicewise_training.narrow import take_strongest_channels
from slicewise_training.network import parameter_count
from slicewise_training.psp_net import PSPNet, PSPNetConfig
from slicewise_training.train import Training

SEVEN = PSPNetConfig(classes=3, output_stride=16, refine=True, stem="7x7")


def torchvision_resnet(name: str) -> nn.Module:
    """With statistics of its own, as trained weights have them."""
    torch.manual_seed(3)
    network = getattr(torchvision.models, name)(weights=None)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


@torch.no_grad()
def stages_of(network: nn.Module, images: Tensor) -> list[Tensor]:
    """The reference: what torchvision's network gives after each stage, from images in 0…1."""
    shape = (1, 3, 1, 1)
    black_around = F.pad(images, (3, 3, 3, 3))
    x = (black_around - torch.tensor(MEAN).reshape(shape)) / torch.tensor(DEVIATION).reshape(shape)
    x = network.maxpool(network.relu(network.bn1(F.conv2d(x, network.conv1.weight, stride=2))))
    stages = []
    for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
        x = layer(x)
        stages.append(x)
    return stages


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@torch.no_grad()
def test_features_are_those_of_torchvision_with_black_around_the_image(name: str, tmp_path: Path) -> None:
    reference = torchvision_resnet(name)
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    network = PSPNet(replace(SEVEN, backbone=name)).eval()
    left = adopt_imagenet(network, read_imagenet_weights(tmp_path / "weights.pth"))
    assert left == ["auxiliary", "classifier", "head", "low_level", "pyramid", "refine"]
    images = torch.rand(1, 3, 96, 96)
    # The last stage dilates here, and strides there.
    for own, other in zip(network.backbone(images)[:3], stages_of(reference, images)[:3], strict=True):
        assert torch.allclose(own, other, atol=1e-4 * float(other.abs().max()))


@torch.no_grad()
def test_eight_bit_weights_are_scaled_by_output_channel(tmp_path: Path) -> None:
    stored: dict[str, Tensor] = {}
    reference = torchvision_resnet("resnet18")
    for key, value in reference.state_dict().items():
        if key.startswith("fc.") or key.endswith("num_batches_tracked"):
            continue
        if value.dim() == 4 and key != "conv1.weight":
            scale = value.abs().amax((1, 2, 3)) / 127
            stored[f"{key}.int8"] = (value / scale[:, None, None, None]).round().to(torch.int8)
            stored[f"{key}.scale"] = scale
        else:
            stored[key] = value.clone()
    save_file(stored, tmp_path / "weights.safetensors")
    weights = read_imagenet_weights(tmp_path / "weights.safetensors")
    for key, value in weights.items():
        original = reference.state_dict()[key]
        assert (value - original).abs().max() <= original.abs().max() / 250
    adopt_imagenet(PSPNet(SEVEN), weights)


@torch.no_grad()
def test_one_slice_alone_gets_what_three_equal_colours_give() -> None:
    weights = torchvision_resnet("resnet18").state_dict()
    three, summed, one = PSPNet(SEVEN).eval(), PSPNet(SEVEN).eval(), PSPNet(replace(SEVEN, in_channels=1)).eval()
    weights = {k: v for k, v in weights.items() if not k.startswith("fc.")}
    adopt_imagenet(three, weights)
    adopt_imagenet(summed, weights, "summed")
    adopt_imagenet(one, weights)
    grey = torch.rand(1, 1, 96, 96)
    expected = three.backbone(grey.expand(1, 3, 96, 96))[0]
    assert torch.allclose(one.backbone(grey)[0], expected, atol=1e-4)
    neighbours = torch.cat([torch.rand(1, 1, 96, 96), grey, torch.rand(1, 1, 96, 96)], 1)
    assert torch.allclose(summed.backbone(neighbours)[0], expected, atol=1e-4)


def test_other_encoders_are_refused() -> None:
    weights = {k: v for k, v in torchvision_resnet("resnet18").state_dict().items() if not k.startswith("fc.")}
    for config in (replace(SEVEN, stem="3x3"), replace(SEVEN, width=0.5), replace(SEVEN, width=0.5, stem="3x3")):
        with pytest.raises(ValueError, match="fit a ResNet of full width with a 7x7 stem"):
            adopt_imagenet(PSPNet(config), weights)
    with pytest.raises(ValueError, match="of another network than resnet34"):
        adopt_imagenet(PSPNet(replace(SEVEN, backbone="resnet34")), weights)
    with pytest.raises(ValueError, match="stem of its own"):
        PSPNetConfig(classes=3, backbone="mobilenet_v2", stem="7x7")


def test_the_file_is_the_given_one_that_of_the_environment_or_torchvisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named = tmp_path / "given.pth", tmp_path / "named.pth"
    given.touch()
    named.touch()
    monkeypatch.setenv(FILE_VARIABLE, str(named))
    assert imagenet_file("resnet18", given) == given
    assert imagenet_file("resnet18", None) == named
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "missing.pth"))
    with pytest.raises(InputError, match=r"missing\.pth is not a file"):
        imagenet_file("resnet18", None)
    monkeypatch.delenv(FILE_VARIABLE)
    asked = []

    def offline(address: str, _target: str, hash_prefix: str, progress: bool) -> None:
        asked.append((address, hash_prefix))
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(SetupError, match=r"cannot be downloaded \(no network\).*--weights"):
        imagenet_file("resnet18", None)
    assert asked == [("https://download.pytorch.org/models/resnet18-f37072fd.pth", "f37072fd")]


@pytest.mark.parametrize(("backbone", "file"), TORCHVISION.items())
def test_the_addresses_are_torchvisions_own(backbone: str, file: str) -> None:
    weights = torchvision.models.get_model_weights(backbone).IMAGENET1K_V1
    assert weights.url == f"https://download.pytorch.org/models/{file}"
    assert tuple(weights.transforms().mean) == MEAN and tuple(weights.transforms().std) == DEVIATION


def test_a_training_starts_from_imagenet_in_one_command_and_knows_it(project: Path, tmp_path: Path) -> None:
    reference = torchvision_resnet("resnet18")
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    config = load_config(project / "config.json")
    with pytest.raises(ValueError, match=r'say "stem": "7x7"'):
        find_start("imagenet", config, tmp_path / "weights.pth", "as-is", False)
    config = replace(config, network=replace(config.network, stem="7x7"))
    start = find_start("imagenet", config, tmp_path / "weights.pth", "as-is", False)
    assert start.hash != find_start("imagenet", config, tmp_path / "weights.pth", "summed", False).hash
    training = Training(config, project / "data", project / "run", 3600, start.hash)
    assert "classifier" in start.give(training)
    for network in (training.network, training.average):
        layer = network.backbone.stages[3][1].conv2.weight
        assert torch.equal(layer.contiguous(), reference.layer4[1].conv2.weight)
    training.save()
    with pytest.raises(ValueError, match="another start"):
        Training(config, project / "data", project / "run", 3600)


def test_a_shared_start_gives_its_encoder_and_says_what_it_needs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(project / "config.json")
    monkeypatch.delenv("SLICEWISE_SHARED_START", raising=False)
    with pytest.raises(ValueError, match="SLICEWISE_SHARED_START names no training run"):
        find_start("shared", config, None, "as-is", False)
    shared = Training(config, project / "data", project / "shared", 3600)
    torch.nn.init.ones_(shared.average.classifier.weight)
    torch.nn.init.ones_(shared.average.backbone.stem[0][0].weight)
    shared.save()
    monkeypatch.setenv("SLICEWISE_SHARED_START", str(project / "shared"))
    start = find_start("shared", config, None, "as-is", False)
    training = Training(config, project / "data", project / "run", 3600, start.hash)
    assert start.give(training) == ["auxiliary", "classifier", "head", "low_level", "pyramid", "refine"]
    assert (training.average.backbone.stem[0][0].weight == 1).all()
    assert not (training.average.classifier.weight == 1).any()


@torch.no_grad()
def test_a_network_with_the_stem_exports_within_its_limits_and_narrows(tmp_path: Path) -> None:
    network = PSPNet(replace(SEVEN, classes=14)).eval()
    window = np.random.default_rng(1).random((1, 3, 96, 96), np.float32)
    logits = export_onnx(network, tmp_path / "model.onnx", window)
    assert logits.shape == (1, 14, 24, 24)
    assert os.path.getsize(tmp_path / "model.onnx") < 2.1 * parameter_count(network)
    assert parameter_count(network) <= 30e6
    today = PSPNet(PSPNetConfig(classes=14, output_stride=16, refine=True))
    assert multiply_accumulates(network, 288, 3) < 1.1 * multiply_accumulates(today, 288, 3)
    narrow = PSPNet(replace(SEVEN, classes=14, width=0.5))
    take_strongest_channels(narrow, network)
    kept = {tuple(row.flatten().tolist()) for row in narrow.backbone.stem[0][0].weight}
    assert kept < {tuple(row.flatten().tolist()) for row in network.backbone.stem[0][0].weight}
