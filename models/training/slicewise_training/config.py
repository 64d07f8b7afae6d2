"""One JSON file a model: data, network, input, augmentation, training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .augment import Augmentation
from .lateral import refuse_mirrored_sides
from .network import NetworkConfig, network_config


@dataclass(frozen=True)
class DataConfig:
    """Where a data folder has its pairs: a glob of the images (NIfTI files, or folders of a DICOM series), what to
    replace in an image's path to get its label's (NIfTI, or DICOM-SEG), and who the patient is: a rule of patients.py
    by its name, or a regular expression whose first match in an image's path is the patient. `ignore` is the label of
    voxels that nobody judged: of slices or structures that were left out."""

    images: str
    label: tuple[str, str]
    patient: str
    ignore: int | None = None


@dataclass(frozen=True)
class InputConfig:
    """The deployed input, by the manifest's words: `size` and `spacing` (mm) of its square; `low` and `high` become 0
    and 1, as modality values ("window") or percentiles of the volume; `channels` 3 is the slice with its neighbours
    along `slice_axis`, 1 the slice alone; `neighbour_weight` is the share that each neighbouring slice's scores get in
    a slice's own (the manifest's output.neighbourWeight)."""

    size: int
    spacing: float
    low: float
    high: float
    intensity: Literal["window", "percentile"] = "percentile"
    channels: Literal[1, 3] = 3
    slice_axis: Literal["acquired", "axial", "sagittal", "coronal"] = "acquired"
    orientation: Literal["LPS", "any"] = "any"
    neighbour_weight: float = 0.0


@dataclass(frozen=True)
class Crop:
    """Crop size and batch used until this share of the training."""

    until: float
    size: int
    batch: int


@dataclass(frozen=True)
class TrainingConfig:
    """`structure_share` of the views show a structure drawn first, all alike, so that small ones are seen often; the
    others are of any slice. `spacing` (mm) is that of the crops, the input's unless given: a finer one than training's
    can be better, for random zoom shows larger structures than there are. `validate_steps` is how often the validation
    part is read, every ten minutes unless given."""

    steps: int
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    ema: float
    auxiliary_weight: float
    crops: tuple[Crop, ...]
    seed: int
    structure_share: float = 0.0
    spacing: float | None = None
    validate_steps: int | None = None


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
    """Unknown or missing keys raise TypeError or KeyError, settings that do not go together ValueError."""
    document = read_document(path)
    refuse_mirrored_sides(document)
    data, training = dict(document["data"]), dict(document["training"])
    data["label"] = tuple(data["label"])
    training["crops"] = tuple(Crop(**crop) for crop in training["crops"])
    network, model_input = network_config(document["network"]), InputConfig(**document["input"])
    if network.in_channels != model_input.channels:
        raise ValueError(f"the network takes {network.in_channels} channels, the input has {model_input.channels}")
    return Config(
        id=document["id"],
        split=Path(document["split"]),
        data=DataConfig(**data),
        network=network,
        input=model_input,
        augmentation=Augmentation(**document["augmentation"]),
        training=TrainingConfig(**training),
    )


def read_release(path: Path) -> dict[str, Any]:
    """What a configuration's manifest and card say in words."""
    return dict(read_document(path)["release"])


def read_document(path: Path) -> dict[str, Any]:
    """A configuration may say what it `extends`, relative to itself, and only what differs; a `network` is given whole.
    The split's path, relative to the file that names it, comes back absolute."""
    document: dict[str, Any] = json.loads(path.read_text())
    if "split" in document:
        document["split"] = str((path.parent / document["split"]).resolve())
    if "extends" not in document:
        return document
    base = read_document(path.parent / document.pop("extends"))
    return _merged(base, document) | {"network": document.get("network", base["network"])}


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in changes.items()
    }
    return base | both
