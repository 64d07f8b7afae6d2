"""Reads scans and their labels: NIfTI files, or a folder of a DICOM series with a DICOM-SEG.

DICOM needs highdicom: `pip install -e '.[dicom]'`.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .labels import LabelRule, checked_labels

if TYPE_CHECKING:
    import highdicom

Affine = NDArray[np.float64]
"""Voxel index (i, j, k) → RAS mm, as in NIfTI."""


def read_scan(
    image: Path, label: Path, rule: LabelRule | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint8], Affine]:
    """Modality values and labels on the image's grid, [I, J, K]. A SEG's labels are its segment numbers.

    @raises InputError if a file is not there or cannot be read, or if the label lies on another grid than the image or
        has labels against the rule
    """
    read = _read_dicom if image.is_dir() else _read_nifti
    return read(image, label, rule or LabelRule())


def _read_nifti(image: Path, label: Path, rule: LabelRule) -> tuple[NDArray[np.float32], NDArray[np.uint8], Affine]:
    scan, labels = open_nifti(image), open_nifti(label)
    if scan.shape != labels.shape or not np.allclose(scan.affine, labels.affine, atol=0.01):
        raise InputError(
            f"{label.name} lies on another grid than {image.name}",
            "resample the label onto the image, by nearest voxels",
        )
    return (
        np.asarray(scan.get_fdata(dtype=np.float32)),
        checked_labels(np.asarray(labels.dataobj), rule, label.name),
        np.asarray(scan.affine, np.float64),
    )


def open_nifti(path: Path) -> nib.Nifti1Image:
    """@raises InputError if the file is not there or is not NIfTI"""
    if not path.is_file():
        raise InputError(f"{path} is not there", "complete the data folder, or mend data.images and data.label")
    try:
        return cast(nib.Nifti1Image, nib.load(path))
    except (nib.filebasedimages.ImageFileError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path} is not a NIfTI file that can be read", "fetch or write it anew") from error


def _read_dicom(series: Path, label: Path, rule: LabelRule) -> tuple[NDArray[np.float32], NDArray[np.uint8], Affine]:
    import highdicom
    import pydicom

    datasets = [pydicom.dcmread(path) for path in sorted(series.iterdir()) if path.is_file()]
    scan = highdicom.get_volume_from_series(datasets, dtype=np.float32)
    labels = highdicom.seg.segread(label).get_volume(combine_segments=True, dtype=np.uint16)
    # Only permutes, flips, crops and pads, so that a segmentation of some slices comes onto the whole series.
    matched = labels.match_geometry(scan)
    numbers = checked_labels(np.asarray(matched.array.T), rule, label.name)
    return np.asarray(scan.array.T, np.float32), numbers, _ras_affine(scan)


def _ras_affine(scan: highdicom.Volume) -> Affine:
    """highdicom's arrays are [K, J, I] and its affine is LPS."""
    reversed_indices = np.eye(4)[[2, 1, 0, 3]]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(scan.affine) @ reversed_indices
