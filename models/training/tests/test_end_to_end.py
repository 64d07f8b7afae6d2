"""Train, kill, resume, evaluate, export, run: on a tiny generated set, so in seconds."""

import json
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from slicewise_training.checkpoint import load_network
from slicewise_training.config import load_config
from slicewise_training.evaluate import evaluate
from slicewise_training.export import generated_window, write_model_folder
from slicewise_training.runs import run_checkpoint, run_onnx
from slicewise_training.train import Training


def test_a_killed_training_goes_on_and_its_export_gives_the_same_scores(project: Path) -> None:
    config = load_config(project / "config.json")
    first = Training(config, project / "data", project / "run", budget_s=3600)
    losses = [first.one_step()]
    first.step += 1
    first.save()
    killed = Training(config, project / "data", project / "run", budget_s=3600)
    assert killed.step == 1
    killed.go()
    curves = [json.loads(line) for line in (project / "run" / "curves.jsonl").read_text().splitlines()]
    assert killed.step == 12
    assert np.isfinite(losses).all()
    assert 0 <= curves[-1]["validation"]["mean"] <= 1

    window = generated_window(config)
    release = json.loads((project / "config.json").read_text())["release"]
    network = load_network(project / "run", config.network)
    write_model_folder(network, config, release, window, 1.0, project / "model")
    manifest = json.loads((project / "model" / "manifest.json").read_text())
    golden = np.fromfile(project / "model" / "golden" / "output.f32", "<f4").reshape(
        manifest["golden"]["output"]["shape"]
    )
    assert np.allclose(run_onnx(project / "model")(window), golden, atol=1e-5)
    assert (project / "model" / "model.onnx").stat().st_size < parameters_as_float32(network) * 0.6

    by_torch = evaluate(config, project / "data", "test", run_checkpoint(project / "run", config.network), "run")
    by_onnx = evaluate(config, project / "data", "test", run_onnx(project / "model"), "model")
    assert by_onnx["mean"]["all"] == pytest.approx(by_torch["mean"]["all"], abs=0.02)


def parameters_as_float32(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters()) * 4
