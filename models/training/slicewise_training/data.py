"""Reads labelled volumes and brings slices to the model's grid, exactly as the deployed pipeline does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import Config, DataConfig, InputConfig, read_json
from .errors import InputError
from .labels import LabelRule
from .patients import patient_of
from .readings import log_test_reading
from .reorient import seen_along, view_axes
from .scans import read_scan

Float = NDArray[np.float32]


@dataclass(frozen=True)
class LabelledVolume:
    """One scan: `image` [K, J, I] float32 normalised to 0…1, `label` [K, J, I] uint8 (IGNORED where
    nobody judged), `spacing` (row, column) in mm."""

    patient: str
    name: str
    image: Float
    label: NDArray[np.uint8]
    spacing: tuple[float, float]


def load_split(path: Path, part: str, reading: str | None = None) -> list[str]:
    """Patients of "train", "validation" or "test". Who asks for the test part says what `reading` it is for, and the
    log beside the split keeps it."""
    if part == "test":
        if reading is None:
            raise ValueError("the test part is read by saying what for: nothing reads it in passing")
        # A split that cannot be read is no reading.
        patients = list(read_split(path)[part])
        log_test_reading(path, reading)
        return patients
    return list(read_split(path)[part])


def read_split(path: Path) -> dict[str, Any]:
    """@raises InputError if there is none, or if it lacks a part"""
    if not path.is_file():
        raise InputError(f"the split {path} is not there", "draw it once with slicewise-training make-split")
    split = read_json(path)
    if not isinstance(split, dict) or not {"train", "validation", "test"} <= split.keys():
        raise InputError(f"{path} is not a split", "it is JSON with the patients of train, validation and test")
    return split


def find_images(folder: Path, data: DataConfig) -> dict[str, list[Path]]:
    """The images of a data folder by patient, both in order; without patients who are held out."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(data.images)):
        patient = patient_of(path.relative_to(folder).as_posix(), data.patient)
        if patient is not None:
            found.setdefault(patient, []).append(path)
    return dict(sorted(found.items()))


def label_path(image: Path, folder: Path, data: DataConfig) -> Path:
    return folder / str(image.relative_to(folder)).replace(*data.label)


def label_rule(config: Config) -> LabelRule:
    return LabelRule(config.network.classes, config.data.ignore)


def load_part(folder: Path, config: Config, part: str, reading: str | None = None) -> list[LabelledVolume]:
    """Every volume of the patients of "train", "validation" or "test", as the deployed pipeline sees them; `reading` as
    in load_split."""
    return [
        load_volume(path, label_path(path, folder, config.data), patient, config.input, label_rule(config))
        for patient, images in images_of_part(folder, config, part, reading)
        for path in images
    ]


def images_of_part(
    folder: Path, config: Config, part: str, reading: str | None = None
) -> Iterator[tuple[str, list[Path]]]:
    """The patients of a part, in the split's order, each with their images; `reading` as in load_split.

    @raises InputError if a patient has none
    """
    images = find_images(folder, config.data)
    for patient in load_split(config.split, part, reading):
        if patient not in images:
            raise InputError(
                f"no image of {patient} in {folder}",
                f"name with --data the folder that has {config.data.images}, complete",
            )
        yield patient, images[patient]


def load_volume(
    path: Path, label: Path, patient: str, config: InputConfig, rule: LabelRule | None = None
) -> LabelledVolume:
    voxels, labels, affine = read_scan(path, label, rule)
    axes, flipped = view_axes(affine, config.slice_axis, config.orientation)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return LabelledVolume(
        patient=patient,
        name=path.name.removesuffix(".nii.gz"),
        image=normalise(seen_along(voxels, axes, flipped), config),
        label=seen_along(labels, axes, flipped),
        spacing=(float(spacing[axes[1]]), float(spacing[axes[2]])),
    )


def normalise(voxels: Float, config: InputConfig) -> Float:
    """Clips to a window of modality values, or to two percentiles of the whole volume, and maps its ends to 0 and 1."""
    window = (config.low, config.high)
    bottom, top = window if config.intensity == "window" else np.percentile(voxels, window)
    return ((np.clip(voxels, bottom, top) - bottom) / max(top - bottom, 1e-6)).astype(np.float32)


def with_neighbours(volume: Float, k: int, channels: int = 3) -> Float:
    """Slices k−1, k, k+1 as channels, the edge repeated: [3, J, I]; or slice k alone: [1, J, I]."""
    if channels == 1:
        return volume[[k]]
    last = volume.shape[0] - 1
    return volume[[max(k - 1, 0), k, min(k + 1, last)]]


def window_centres(length: int, spacing: float, size: int, model_spacing: float) -> list[float]:
    """Centres, in mm from the slice's centre, of the windows that cover one axis; one window where the slice fits,
    else as few as overlap by at least a quarter, the outer ones flush with the slice's borders."""
    extent, window = length * spacing, size * model_spacing
    if extent <= window + model_spacing / 2:
        return [0.0]
    count = 1 + math.ceil((extent - window) / (0.75 * window))
    reach = (extent - window) / 2
    return [-reach + 2 * reach * n / (count - 1) for n in range(count)]


def to_model_matrix(length: int, spacing: float, size: int, model_spacing: float, centre: float) -> tuple[Float, Float]:
    """Weights [size, length] that bring one axis of a slice to a window of the model's grid, and which of the window's
    pixels lie inside the slice [size]. Linear, with a triangle filter of the step's width where it reduces."""
    step = model_spacing / spacing
    position = (np.arange(size) - (size - 1) / 2) * step + centre / spacing + (length - 1) / 2
    inside = (position >= -0.5) & (position <= length - 0.5)
    support = max(1.0, step)
    taps = np.arange(length)[None]
    weights = np.clip(1 - np.abs(np.clip(position, 0, length - 1)[:, None] - taps) / support, 0, None)
    weights /= weights.sum(1, keepdims=True)
    return weights.astype(np.float32), inside.astype(np.float32)


def from_model_matrix(
    length: int, spacing: float, size: int, model_spacing: float, centre: float, stride: int
) -> tuple[Float, Float]:
    """Weights [length, size / stride] that bring one axis of a window's scores back to the slice, and each voxel's
    blending weight [length]: a tent over the window, 0 outside."""
    step = spacing / model_spacing
    pixel = (np.arange(length) - (length - 1) / 2 - centre / spacing) * step + (size - 1) / 2
    tent = np.clip(np.minimum(pixel + 1, size - pixel), 0, None)
    cells = size // stride
    position = np.clip((pixel + 0.5) / stride - 0.5, 0, cells - 1)
    weights = np.clip(1 - np.abs(position[:, None] - np.arange(cells)[None]), 0, None)
    return weights.astype(np.float32), tent.astype(np.float32)
