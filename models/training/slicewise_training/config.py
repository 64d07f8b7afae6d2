"""One JSON file a model: data, network, input, augmentation, training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .augment import Augmentation
from .errors import InputError
from .lateral import refuse_mirrored_sides
from .network import NetworkConfig, network_config
from .settings import read_block


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
    """@raises InputError for settings that are unknown, missing, of another type, or that do not go together"""
    document = read_document(path)
    for key in ("id", "split", "data", "network", "input", "augmentation", "training"):
        if key not in document:
            raise InputError(
                f"{path.name}: {key} is missing", "models/training/README.md says what a configuration has"
            )
    try:
        refuse_mirrored_sides(document)
        config = Config(
            id=str(document["id"]),
            split=Path(document["split"]),
            data=read_block(DataConfig, document["data"], "data"),
            network=network_config(document["network"]),
            input=read_block(InputConfig, document["input"], "input"),
            augmentation=read_block(Augmentation, document["augmentation"], "augmentation"),
            training=read_block(TrainingConfig, document["training"], "training"),
        )
    except InputError as error:
        raise InputError(f"{path.name}: {error.message}", error.remedy) from error
    if config.network.in_channels != config.input.channels:
        raise InputError(
            f"{path.name}: the network takes {config.network.in_channels} channels, the input has "
            f"{config.input.channels}",
            "say the same in network.in_channels and input.channels",
        )
    if not config.training.crops or config.training.crops[-1].until < 1:
        raise InputError(f"{path.name}: training.crops end before the training", "the last one is used until 1.0")
    return config


def read_release(path: Path, needed: tuple[str, ...] = ("segments",)) -> dict[str, Any]:
    """What a configuration's manifest and card say in words.

    @raises InputError if it lacks what is `needed` of it
    """
    release = dict(read_document(path).get("release") or {})
    for key in needed:
        if key not in release:
            raise InputError(f"{path.name}: release.{key} is missing", "configs/cardiac-mr.json has an example of it")
    return release


def read_document(path: Path) -> dict[str, Any]:
    """A configuration may say what it `extends`, relative to itself, and only what differs; a `network` is given whole.
    The split's path, relative to the file that names it, comes back absolute.

    @raises InputError if a file is not there or is not JSON
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a configuration", "it is a JSON object; README.md says what it has")
    if "split" in document:
        document["split"] = str((path.parent / document["split"]).resolve())
    if "extends" not in document:
        return document
    base = read_document(path.parent / document.pop("extends"))
    return _merged(base, document) | {"network": document.get("network", base["network"])}


def read_json(path: Path) -> Any:
    """@raises InputError if the file is not there or is not JSON"""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there", "name a file that exists") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error})", "mend the file, or name another one") from error


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in changes.items()
    }
    return base | both
