"""Writes readers.json: what pydicom and nibabel read from the shared data.

    python test/goldens/make_goldens.py ../shared/data

For each image: shape (i, j, k), type, the voxel buffer's SHA-256 (little endian, i fastest) and the affine that takes
an index to LPS millimetres. Slices are sorted along their normal; modality values are float64 as pydicom's
apply_rescale gives them, then stored in the type that src/readers/modality-values.ts documents.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from pydicom.pixels import apply_rescale

SUPPORTED_SYNTAXES = {
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
}

DICOM_SERIES = [
    "dicom/cardiac-sunnybrook/SCD0000101/phase_08",
    "dicom/cardiac-sunnybrook/SCD0000101/phase_19",
    "dicom/cardiac-sunnybrook/SCD0000201/phase_00",
    "dicom/cardiac-sunnybrook/SCD0000201/phase_07",
    "dicom/ct-abdomen/example_ct_dicom",
    "dicom/brain-tumour-progression/11-T1post-18670",
    "dicom/brain-tumour-progression/36468-FLAIRreg-58706",
    "dicom/brain-tumour-progression/11_HCropVolume",
    "dicom/odd-series/dicom2nifti/generic/anatomical/001",
    "dicom/odd-series/dicom2nifti/generic/anatomical/001_implicit",
    "dicom/odd-series/dicom2nifti/generic/anatomical/002_non_isotropic",
    "dicom/odd-series/dicom2nifti/generic/compressed/001",
    "dicom/odd-series/dicom2nifti/generic/compressed_j2k/001",
    "dicom/odd-series/dicom2nifti/generic/compressed_rle/001",
    "dicom/odd-series/dicom2nifti/failing/slicecount/001",
    "dicom/seg-objects/dcmqi/segmentations/ct-3slice",
    "dicom/seg-objects/dcmqi/segmentations/23x38x3/image",
    "dicom/seg-objects/dcmqi/segmentations/24x38x3/image",
]

NIFTI_FILES = [
    "cardiac-mr/patient001_frame01_image.nii.gz",
    "cardiac-mr/patient001_frame01_label.nii.gz",
    "abdomen-ct/patient00_image.nii.gz",
    "abdomen-ct/patient00_label.nii.gz",
    "hippocampus-mr/images/hippocampus_001.nii.gz",
    "hippocampus-mr/labels/hippocampus_001.nii.gz",
]

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def main() -> None:
    root = Path(sys.argv[1])
    images = [dicom_golden(root, path, sorted((root / path).iterdir())) for path in DICOM_SERIES]
    images += [dicom_golden(root, str(file.relative_to(root)), [file]) for file in single_images(root)]
    images += [nifti_golden(root, path) for path in [*NIFTI_FILES, *nifti_files(root)]]
    goldens = {
        "command": "python test/goldens/make_goldens.py ../shared/data",
        "madeWith": {name: version(name) for name in ("pydicom", "pylibjpeg-openjpeg", "nibabel", "numpy")},
        "affine": "LPS mm, rows; the columns are one step along i, j, k and the centre of voxel (0, 0, 0)",
        "images": [image for image in images if image is not None],
    }
    lines = ",\n".join(f"    {json.dumps(image)}" for image in goldens.pop("images"))
    head = json.dumps(goldens, indent=2)[:-2]
    target = Path(__file__).with_name("readers.json")
    target.write_text(f'{head},\n  "images": [\n{lines}\n  ]\n}}\n')


def dicom_golden(root: Path, path: str, files: list[Path]) -> dict[str, object]:
    slices = [pydicom.dcmread(file) for file in files]
    row, column = np.split(np.array(slices[0].ImageOrientationPatient, float), 2)
    row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    depth = [float(np.dot(np.array(s.ImagePositionPatient, float), normal)) for s in slices]
    order = np.argsort(depth)
    first = slices[order[0]]
    if len(slices) > 1:
        gap = (max(depth) - min(depth)) / (len(slices) - 1)
    else:
        gap = float(first.get("SpacingBetweenSlices") or first.get("SliceThickness") or 1)
    affine = np.eye(4)
    affine[:3, 0] = row * float(first.PixelSpacing[1])
    affine[:3, 1] = column * float(first.PixelSpacing[0])
    affine[:3, 2] = normal * gap
    affine[:3, 3] = np.array(first.ImagePositionPatient, float)
    voxels = modality_values([slices[n] for n in order])
    return golden(path, np.transpose(voxels, (2, 1, 0)), affine)


def modality_values(slices: list[pydicom.Dataset]) -> np.ndarray:
    stored = np.stack([s.pixel_array for s in slices])
    scales = [(float(s.get("RescaleSlope", 1)), float(s.get("RescaleIntercept", 0))) for s in slices]
    if all(scale == (1, 0) for scale in scales):
        return stored
    values = np.stack([apply_rescale(s.pixel_array, s) for s in slices])
    return in_smallest_type(values, all(x.is_integer() for scale in scales for x in scale))


def in_smallest_type(values: np.ndarray, integral: bool) -> np.ndarray:
    if not integral:
        return values.astype(np.float32)
    return values.astype(np.int16 if values.min() >= -(2**15) and values.max() < 2**15 else np.int32)


def single_images(root: Path) -> Iterator[Path]:
    """Single greyscale images in the syntaxes that can be read, with a place in the patient."""
    for file in sorted((root / "dicom/transfer-syntaxes").rglob("*")):
        if not file.is_file():
            continue
        try:
            image = pydicom.dcmread(file)
        except pydicom.errors.InvalidDicomError:
            continue
        place = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
        usable = (
            image.file_meta.get("TransferSyntaxUID") in SUPPORTED_SYNTAXES
            and image.get("PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
            and str(image.get("NumberOfFrames", "1")) == "1"
            and all(image.get(keyword) for keyword in place)
            and image.Modality != "RTDOSE"
        )
        if not usable:
            continue
        try:
            image.pixel_array  # noqa: B018
        except ValueError as error:  # truncated on purpose: in the table of test/readers/refused-files.test.ts
            print(f"left out: {file.relative_to(root)}: {error}", file=sys.stderr)
        else:
            yield file


def nifti_files(root: Path) -> Iterator[str]:
    for folder in ("nifti", "dicom"):
        for file in sorted((root / folder).rglob("*.nii*")):
            yield str(file.relative_to(root))


def nifti_golden(root: Path, path: str) -> dict[str, object] | None:
    try:
        image = nib.load(root / path)
    except nib.filebasedimages.ImageFileError:
        return None
    if type(image) is not nib.Nifti1Image or np.prod(image.shape[3:]) != 1:
        return None
    stored = np.asanyarray(image.dataobj.get_unscaled()).reshape(image.shape[:3])
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    if stored.dtype.kind not in "iuf" or stored.dtype.itemsize == 8 and stored.dtype.kind != "f":
        return None
    if (slope, intercept) == (1, 0):
        voxels = stored
    else:
        integral = stored.dtype.kind in "iu" and float(slope).is_integer() and float(intercept).is_integer()
        voxels = in_smallest_type(stored.astype(np.float64) * slope + intercept, integral)
    header = image.header
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        # nifti1.h, method 1; nibabel would centre the volume and flip i instead.
        affine = np.diag([*(float(size) for size in header["pixdim"][1:4]), 1.0])
    else:
        affine = image.affine
    return golden(path, voxels, RAS_TO_LPS @ affine)


def golden(path: str, voxels: np.ndarray, affine: np.ndarray) -> dict[str, object]:
    """voxels: indexed i, j, k"""
    little = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    return {
        "path": path,
        "shape": list(voxels.shape),
        "type": voxels.dtype.name,
        "affine": [[round(float(x), 7) + 0.0 for x in row] for row in affine[:3]],
        "sha256": hashlib.sha256(little.tobytes(order="F")).hexdigest(),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
