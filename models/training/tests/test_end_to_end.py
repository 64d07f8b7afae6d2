"""Train, kill, resume, evaluate, export, run: on a tiny generated set, so in seconds."""

import json
from itertools import chain
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from slicewise_training.config import load_config
from slicewise_training.evaluate import evaluate
from slicewise_training.export import generated_window, write_model_folder
from slicewise_training.network import load_network, run_checkpoint, run_onnx
from slicewise_training.psp_net import PSPNet
from slicewise_training.train import Training

PATIENTS = {"train": ["a", "b"], "validation": ["c"], "test": ["d"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A data set of bright discs, its split, and a configuration of few and small steps."""
    random = np.random.default_rng(5)
    (tmp_path / "data").mkdir()
    for patient in chain.from_iterable(PATIENTS.values()):
        label = np.zeros((90, 70, 3), np.uint8)
        x, y = np.meshgrid(np.arange(90), np.arange(70), indexing="ij")
        label[np.hypot(x - random.uniform(35, 55), y - random.uniform(30, 40)) < 18] = 1
        image = (label * 150 + random.uniform(0, 40, label.shape)).astype(np.uint8)
        affine = np.diag([-1.5, -1.5, 8, 1])
        nib.save(nib.Nifti1Image(image, affine), tmp_path / "data" / f"{patient}_frame01_image.nii.gz")
        nib.save(nib.Nifti1Image(label, affine), tmp_path / "data" / f"{patient}_frame01_label.nii.gz")
    (tmp_path / "split.json").write_text(json.dumps(PATIENTS))
    shipped = Path(__file__).parents[1] / "configs" / "cardiac-mr.json"
    document = json.loads(shipped.read_text())
    document["split"] = "split.json"
    document["data"]["patient"] = "^[a-d]"
    document["network"]["classes"] = 2
    document["input"]["size"] = 96
    document["training"] |= {
        "steps": 12,
        "warmup_steps": 1,
        "crops": [{"until": 0.5, "size": 96, "batch": 2}, {"until": 1.0, "size": 96, "batch": 3}],
    }
    document["release"]["segments"] = document["release"]["segments"][:1]
    document["release"]["postProcess"] = document["release"]["postProcess"][:1]
    (tmp_path / "config.json").write_text(json.dumps(document))
    return tmp_path


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
    network = load_network(project / "run", config)
    write_model_folder(network, config, release, window, 1.0, project / "model")
    manifest = json.loads((project / "model" / "manifest.json").read_text())
    golden = np.fromfile(project / "model" / "golden" / "output.f32", "<f4").reshape(
        manifest["golden"]["output"]["shape"]
    )
    assert np.allclose(run_onnx(project / "model")(window), golden, atol=1e-5)
    assert (project / "model" / "model.onnx").stat().st_size < parameters_as_float32(network) * 0.6

    by_torch = evaluate(config, project / "data", "test", run_checkpoint(project / "run", config))
    by_onnx = evaluate(config, project / "data", "test", run_onnx(project / "model"))
    assert by_onnx["mean"]["all"] == pytest.approx(by_torch["mean"]["all"], abs=0.02)


def parameters_as_float32(network: PSPNet) -> int:
    return sum(p.numel() for p in network.parameters()) * 4
