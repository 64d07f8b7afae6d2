"""Writes readers.json: what pydicom and nibabel read from the shared data.

    pip install pydicom==3.0.2 pylibjpeg-libjpeg pylibjpeg-openjpeg pillow imagecodecs nibabel
    python test/goldens/make_goldens.py ../shared/data

For each image: shape (i, j, k), type, the voxel buffer's SHA-256 (little endian, i fastest) and the affine that takes
an index to LPS millimetres. Slices are sorted along their normal; modality values are float64 as pydicom's
apply_rescale gives them, then stored in the type that src/dicom/modality-values.ts documents.

DCT-compressed JPEG has no one right answer to the last bit: libjpeg-turbo's accurate integer transform is taken, by way
of pydicom and Pillow for 8 bits, of imagecodecs for 12.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import imagecodecs
import nibabel as nib
import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"

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
    "dicom/odd-series/dicom2nifti/generic/compressed_jpeg/001",
    "dicom/odd-series/dicom2nifti/generic/compressed_jpegls/001",
    "dicom/odd-series/dicom2nifti/generic/compressed_rle/001",
    "dicom/odd-series/dicom2nifti/failing/slicecount/001",
    "dicom/odd-series/dicom2nifti/philips_enhanced/anatomical/001",
    "dicom/odd-series/dicom2nifti/philips_enhanced/anatomical/001_implicit",
    "dicom/odd-series/dicom2nifti/siemens_multiframe/anatomical/001",
    "dicom/seg-objects/dcmqi/segmentations/ct-3slice",
    "dicom/seg-objects/dcmqi/segmentations/23x38x3/image",
    "dicom/seg-objects/dcmqi/segmentations/24x38x3/image",
]

# Several volumes, by time point.
DICOM_PHASES = [
    "dicom/odd-series/dicom2nifti/philips_enhanced/fmri/001",
    "dicom/odd-series/dicom2nifti/philips_enhanced/fmri/001_implicit",
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
    for path in DICOM_PHASES:
        images += [dicom_golden(root, path, sorted((root / path).iterdir()), phase) for phase in (1, 2, 3, 4)]
    images += [dicom_golden(root, str(file.relative_to(root)), [file]) for file in single_images(root)]
    images += [golden for path in [*NIFTI_FILES, *nifti_files(root)] for golden in nifti_goldens(root, path)]
    goldens = {
        "command": "python test/goldens/make_goldens.py ../shared/data",
        "madeWith": {
            name: version(name)
            for name in ("pydicom", "pylibjpeg-openjpeg", "pillow", "imagecodecs", "nibabel", "numpy")
        },
        "affine": "LPS mm, rows; the columns are one step along i, j, k and the centre of voxel (0, 0, 0)",
        "images": images,
    }
    lines = ",\n".join(f"    {json.dumps(image)}" for image in goldens.pop("images"))
    head = json.dumps(goldens, indent=2)[:-2]
    target = Path(__file__).with_name("readers.json")
    target.write_text(f'{head},\n  "images": [\n{lines}\n  ]\n}}\n')


@dataclass
class Frame:
    position: np.ndarray
    orientation: np.ndarray
    spacing: np.ndarray
    gap: float
    slope: float
    intercept: float
    phase: int
    stored: np.ndarray


def dicom_golden(root: Path, path: str, files: list[Path], phase: int | None = None) -> dict[str, object]:
    frames = [frame for file in files for frame in frames_of(read_dicom(file))]
    if phase is not None:
        frames = [frame for frame in frames if frame.phase == phase]
    row, column = np.split(frames[0].orientation, 2)
    row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    frames.sort(key=lambda frame: float(np.dot(frame.position, normal)))
    first, last = frames[0], frames[-1]
    gap = float(np.dot(last.position - first.position, normal)) / (len(frames) - 1) if len(frames) > 1 else first.gap
    affine = np.eye(4)
    affine[:3, 0] = row * first.spacing[1]
    affine[:3, 1] = column * first.spacing[0]
    affine[:3, 2] = normal * gap
    affine[:3, 3] = first.position
    return golden(path, np.transpose(modality_values(frames), (2, 1, 0)), affine, phase)


def read_dicom(file: Path) -> pydicom.Dataset:
    if file.suffix == ".gz":
        return pydicom.dcmread(io.BytesIO(gzip.decompress(file.read_bytes())))
    return pydicom.dcmread(file)


def frames_of(image: pydicom.Dataset) -> list[Frame]:
    """The frames of a multi-frame image by their functional groups, or the one frame of any other."""
    pixels = stored_values(image)
    if "PerFrameFunctionalGroupsSequence" not in image or "ImagePositionPatient" in image:
        return [frame_of(lambda group: image, pixels)]
    shared = (image.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]

    def lookup(frame: pydicom.Dataset):
        return lambda group: (frame.get(group) or shared.get(group) or [image])[0]

    return [frame_of(lookup(frame), pixels[n]) for n, frame in enumerate(image.PerFrameFunctionalGroupsSequence)]


def frame_of(group, stored: np.ndarray) -> Frame:
    measures = group("PixelMeasuresSequence")
    values = group("PixelValueTransformationSequence")
    return Frame(
        position=np.array(group("PlanePositionSequence").ImagePositionPatient, float),
        orientation=np.array(group("PlaneOrientationSequence").ImageOrientationPatient, float),
        spacing=np.array(measures.PixelSpacing, float),
        gap=float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1),
        slope=float(values.get("RescaleSlope", 1)),
        intercept=float(values.get("RescaleIntercept", 0)),
        phase=int(group("FrameContentSequence").get("TemporalPositionIndex", 1)),
        stored=stored,
    )


def stored_values(image: pydicom.Dataset) -> np.ndarray:
    syntax = image.file_meta.TransferSyntaxUID
    if syntax == JPEG_BASELINE:
        return pixel_array(image, decoding_plugin="pillow")
    if syntax == JPEG_EXTENDED:
        count = int(image.get("NumberOfFrames", 1))
        frames = [imagecodecs.jpeg8_decode(frame) for frame in generate_frames(image.PixelData, number_of_frames=count)]
        return frames[0] if count == 1 else np.stack(frames)
    return image.pixel_array


def modality_values(frames: list[Frame]) -> np.ndarray:
    stored = np.stack([frame.stored for frame in frames])
    scales = [(frame.slope, frame.intercept) for frame in frames]
    if all(scale == (1, 0) for scale in scales):
        return stored
    values = np.stack([frame.stored.astype(np.float64) * frame.slope + frame.intercept for frame in frames])
    return in_smallest_type(values, all(x.is_integer() for scale in scales for x in scale))


def in_smallest_type(values: np.ndarray, integral: bool) -> np.ndarray:
    if not integral:
        return values.astype(np.float32)
    return values.astype(np.int16 if values.min() >= -(2**15) and values.max() < 2**15 else np.int32)


def single_images(root: Path) -> Iterator[Path]:
    """Greyscale images, alone in their file, that pydicom can decode and that have a place in the patient."""
    for file in sorted((root / "dicom/transfer-syntaxes").rglob("*")):
        if not file.is_file():
            continue
        try:
            image = read_dicom(file)
        except pydicom.errors.InvalidDicomError:
            continue
        if image.get("PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2"):
            continue
        if image.get("Modality") in ("RTDOSE", "SEG"):
            continue
        try:
            frames_of(image)
        except (AttributeError, ValueError, TypeError, NotImplementedError, RuntimeError) as error:
            # No place, cut off on purpose, or a syntax without a decoder: in refused.json.
            print(f"left out: {file.relative_to(root)}: {str(error)[:100]}", file=sys.stderr)
        else:
            yield file


def nifti_files(root: Path) -> Iterator[str]:
    for folder in ("nifti", "dicom"):
        for pattern in ("*.nii*", "*.hdr*"):
            for file in sorted((root / folder).rglob(pattern)):
                yield str(file.relative_to(root))


def nifti_goldens(root: Path, path: str) -> Iterator[dict[str, object]]:
    """One for each volume of a file, twelve at most."""
    try:
        image = nib.load(root / path)
    except nib.filebasedimages.ImageFileError:
        return
    if not isinstance(image, (nib.Nifti1Pair, nib.Nifti2Pair)):
        return
    stored = np.asanyarray(image.dataobj.get_unscaled())
    if stored.dtype.kind not in "iuf":
        return
    volumes = stored.reshape((*stored.shape[:3], -1), order="F")
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    header = image.header
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        # nifti1.h, method 1; nibabel would centre the volume and flip i instead.
        affine = np.diag([*(float(size) for size in header["pixdim"][1:4]), 1.0])
    else:
        affine = image.affine
    scale = {2: 1.0, 1: 1000.0, 3: 0.001}.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = np.diag([scale, scale, scale, 1.0]) @ affine
    count = volumes.shape[3]
    for n in range(min(count, 12)):
        voxels = volumes[..., n]
        if (slope, intercept) != (1, 0):
            integral = voxels.dtype.kind in "iu" and float(slope).is_integer() and float(intercept).is_integer()
            voxels = in_smallest_type(voxels.astype(np.float64) * slope + intercept, integral)
        yield golden(path, voxels, RAS_TO_LPS @ affine, n + 1 if count > 1 else None)


def golden(path: str, voxels: np.ndarray, affine: np.ndarray, phase: int | None) -> dict[str, object]:
    """voxels: indexed i, j, k"""
    little = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    return {
        "path": path,
        **({} if phase is None else {"phase": phase}),
        "shape": list(voxels.shape),
        "type": voxels.dtype.name,
        "affine": [[round(float(x), 7) + 0.0 for x in row] for row in affine[:3]],
        "sha256": hashlib.sha256(little.tobytes(order="F")).hexdigest(),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
