"""Training on from an exported model or a run."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from slicewise_training.config import load_config
from slicewise_training.export import export_onnx, generated_window, write_model_folder
from slicewise_training.finetune import adopt_onnx, adopt_state, start_from
from slicewise_training.network import build_network
from slicewise_training.psp_net import PSPNetConfig
from slicewise_training.train import Training

SMALL = PSPNetConfig(classes=3, output_stride=16, refine=True)


def trained(config: PSPNetConfig = SMALL) -> torch.nn.Module:
    """A network whose normalisations have statistics and scales of their own."""
    torch.manual_seed(4)
    network = build_network(config).train()
    for _ in range(3):
        network(torch.rand(4, 3, 96, 96))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
    return network.eval()


@torch.no_grad()
def test_a_network_that_starts_from_an_exported_one_computes_the_same(tmp_path: Path) -> None:
    images = torch.rand(4, 3, 96, 96)
    logits = export_onnx(trained(), tmp_path / "model.onnx", images[:1].numpy())
    network = build_network(SMALL)
    left = adopt_onnx(network, onnx.load(tmp_path / "model.onnx"), images)
    assert left == ["auxiliary"]
    assert np.allclose(network.eval()(images[:1]).numpy(), logits, atol=1e-4)
    in_training, _ = network.train()(images)
    assert np.allclose(in_training[:1].numpy(), logits, atol=0.5)


def test_a_classifier_of_other_classes_starts_anew_and_nothing_else_does(tmp_path: Path) -> None:
    images = torch.rand(2, 3, 96, 96)
    source = trained()
    export_onnx(source, tmp_path / "model.onnx", images[:1].numpy())
    other = replace(SMALL, classes=5)
    assert adopt_onnx(build_network(other), onnx.load(tmp_path / "model.onnx"), images) == ["classifier", "auxiliary"]
    assert adopt_state(build_network(other), source.state_dict()) == ["auxiliary.2", "classifier"]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    images = torch.rand(1, 3, 96, 96)
    export_onnx(trained(), tmp_path / "model.onnx", images.numpy())
    deeper = build_network(replace(SMALL, backbone="resnet34"))
    with pytest.raises(ValueError, match="another network"):
        adopt_onnx(deeper, onnx.load(tmp_path / "model.onnx"), images)
    with pytest.raises(ValueError, match="another network"):
        adopt_state(deeper, trained().state_dict())


def test_after_a_few_steps_a_start_from_a_model_beats_a_start_from_nothing(project: Path) -> None:
    config = load_config(project / "config.json")
    long = replace(config, training=replace(config.training, steps=60))
    short = replace(config, training=replace(config.training, steps=12, warmup_steps=4, learning_rate=2e-4))
    source = Training(long, project / "data", project / "source", budget_s=3600)
    source.go()
    release = json.loads((project / "config.json").read_text())["release"]
    write_model_folder(source.average, config, release, generated_window(config), 1.0, project / "model")

    def mean_dice(run: str, start: Path | None) -> float:
        training = Training(short, project / "data", project / run, budget_s=3600)
        if start:
            assert start_from(start, training) == ["auxiliary"]
        training.go()
        return training.validate()["mean"]

    assert mean_dice("finetuned", project / "model") > mean_dice("from-nothing", None) + 0.1


def test_a_narrow_network_starts_from_a_wide_one(project: Path) -> None:
    config = load_config(project / "config.json")
    wide = Training(config, project / "data", project / "wide", budget_s=0)
    wide.save()
    narrow_config = replace(config, network=replace(config.network, width=0.5))
    training = Training(narrow_config, project / "data", project / "narrow", budget_s=3600)
    assert start_from(project / "wide", training) == []
    columns = [
        {tuple(channel.tolist()) for channel in network.classifier.weight.flatten(1).T}
        for network in (training.network, training.average, wide.average)
    ]
    assert columns[0] == columns[1] < columns[2]


def test_a_narrow_network_starts_from_another_as_it_is(project: Path) -> None:
    config = load_config(project / "config.json")
    narrow = replace(config, network=replace(config.network, width=0.5))
    first = Training(narrow, project / "data", project / "first", budget_s=0)
    first.save()
    release = json.loads((project / "config.json").read_text())["release"]
    write_model_folder(first.average, narrow, release, generated_window(narrow), 1.0, project / "model")
    for start, anew in (("first", []), ("model", ["auxiliary"])):
        second = Training(narrow, project / "data", project / f"from-{start}", budget_s=3600)
        assert start_from(project / start, second) == anew
        assert torch.allclose(second.average.classifier.weight, first.average.classifier.weight, atol=1e-2)
