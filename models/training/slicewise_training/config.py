"""One JSON file a model: data, network, input, augmentation, training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .augment import Augmentation
from .network import NetworkConfig, network_config


@dataclass(frozen=True)
class DataConfig:
    """Where a data folder has its pairs: a glob of the images (NIfTI files, or folders of a DICOM series), what to
    replace in an image's path to get its label's (NIfTI, or DICOM-SEG), and a regular expression whose first match in
    an image's path is the patient."""

    images: str
    label: tuple[str, str]
    patient: str


@dataclass(frozen=True)
class InputConfig:
    """The deployed input, by the manifest's words: `size` and `spacing` (mm) of its square; `low` and `high` become 0
    and 1, as modality values ("window") or percentiles of the volume; 3 neighbouring slices along `slice_axis`."""

    size: int
    spacing: float
    low: float
    high: float
    intensity: Literal["window", "percentile"] = "percentile"
    slice_axis: Literal["acquired", "axial", "sagittal", "coronal"] = "acquired"
    orientation: Literal["LPS", "any"] = "any"


@dataclass(frozen=True)
class Crop:
    """Crop size and batch used until this share of the training."""

    until: float
    size: int
    batch: int


@dataclass(frozen=True)
class TrainingConfig:
    """`structure_share` of the views show a structure drawn first, all alike, so that small ones are seen often; the
    others are of any slice."""

    steps: int
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    ema: float
    auxiliary_weight: float
    crops: tuple[Crop, ...]
    seed: int
    structure_share: float = 0.0


@dataclass(frozen=True)
class Config:
    id: str
    split: Path
    data: DataConfig
    network: NetworkConfig
    input: InputConfig
    augmentation: Augmentation
    training: TrainingConfig


def load_config(path: Path) -> Config:
    """Unknown or missing keys raise TypeError or KeyError; the split's path is relative to the file."""
    document = json.loads(path.read_text())
    data, training = dict(document["data"]), dict(document["training"])
    data["label"] = tuple(data["label"])
    training["crops"] = tuple(Crop(**crop) for crop in training["crops"])
    return Config(
        id=document["id"],
        split=(path.parent / document["split"]).resolve(),
        data=DataConfig(**data),
        network=network_config(document["network"]),
        input=InputConfig(**document["input"]),
        augmentation=Augmentation(**document["augmentation"]),
        training=TrainingConfig(**training),
    )
