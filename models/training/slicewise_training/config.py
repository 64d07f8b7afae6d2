"""One JSON file a model: network, input, augmentation, training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .augment import Augmentation
from .psp_net import PSPNetConfig


@dataclass(frozen=True)
class InputConfig:
    """`size` and `spacing` (mm) of the deployed square input; `low` and `high` percentiles of the volume → 0 and 1."""

    size: int
    spacing: float
    low: float
    high: float


@dataclass(frozen=True)
class Crop:
    """Crop size and batch used until this share of the training."""

    until: float
    size: int
    batch: int


@dataclass(frozen=True)
class TrainingConfig:
    steps: int
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    ema: float
    auxiliary_weight: float
    crops: tuple[Crop, ...]
    seed: int


@dataclass(frozen=True)
class Config:
    id: str
    split: Path
    network: PSPNetConfig
    input: InputConfig
    augmentation: Augmentation
    training: TrainingConfig


def load_config(path: Path) -> Config:
    """Unknown or missing keys raise TypeError or KeyError; the split's path is relative to the file."""
    document = json.loads(path.read_text())
    training = dict(document["training"])
    training["crops"] = tuple(Crop(**crop) for crop in training["crops"])
    return Config(
        id=document["id"],
        split=(path.parent / document["split"]).resolve(),
        network=PSPNetConfig(**document["network"]),
        input=InputConfig(**document["input"]),
        augmentation=Augmentation(**document["augmentation"]),
        training=TrainingConfig(**training),
    )
