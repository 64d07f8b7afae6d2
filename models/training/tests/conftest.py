"""A tiny project that trains in seconds."""

import json
from itertools import chain
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

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
