"""A DICOM series with its SEG is the same scan as the NIfTI pair made of it."""

from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from slicewise_training.config import DataConfig, InputConfig
from slicewise_training.data import find_images, label_path, load_volume
from slicewise_training.scans import read_scan

COLUMNS, ROWS, SLICES = 7, 6, 5
SPACING = (0.8, 1.2, 3.0)  # columns, rows, slices


@pytest.fixture
def pair(tmp_path: Path) -> tuple[np.ndarray, np.ndarray, Path]:
    """Stored values −1000 + 10 n in a series of coronal slices, and a SEG with segments 1 and 3 in slices 1 to 3."""
    random = np.random.default_rng(2)
    voxels = random.integers(0, 200, (SLICES, ROWS, COLUMNS)).astype(np.int16)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[1:3, 1:4, 2:5], labels[3, 2:5, 1:3] = 1, 3
    series = tmp_path / "patient7" / "image"
    series.mkdir(parents=True)
    uids = [generate_uid(), generate_uid(), generate_uid()]
    datasets = [ct_slice(voxels[k], k, uids) for k in range(SLICES)]
    for k, dataset in enumerate(datasets):
        dataset.save_as(series / f"{(k * 3) % SLICES}.dcm", enforce_file_format=True)
    segmentation = hd.seg.Segmentation(
        source_images=datasets,
        pixel_array=np.stack([labels == 1, labels == 3], -1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[description(1), description(2)],
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    )
    segmentation.save_as(tmp_path / "patient7" / "seg.dcm")
    return voxels, np.where(labels == 3, 2, labels), tmp_path


def test_values_labels_and_geometry_are_those_of_the_series(pair: tuple[np.ndarray, np.ndarray, Path]) -> None:
    voxels, labels, folder = pair
    scan, read, affine = read_scan(folder / "patient7" / "image", folder / "patient7" / "seg.dcm")
    # highdicom may stack the slices from either end; the patient's place of each voxel decides
    at = np.rint(np.linalg.inv(affine) @ [*np.diag([-1, -1, 1]) @ position(1) + [-2 * SPACING[0], 0, -SPACING[1]], 1])
    i, j, k = at[:3].astype(int)
    assert scan[i, j, k] == -1000 + 10 * voxels[1, 1, 2]
    assert read[i, j, k] == labels[1, 1, 2] == 1
    assert sorted(scan.ravel()) == sorted((-1000.0 + 10 * voxels).ravel())
    assert (read == 2).sum() == (labels == 2).sum()


def test_a_series_and_the_nifti_files_of_it_load_as_the_same_volume(
    pair: tuple[np.ndarray, np.ndarray, Path], tmp_path: Path
) -> None:
    _, _, folder = pair
    layout = DataConfig("*/image", ("image", "seg.dcm"), r"patient\d+")
    (series,) = find_images(folder, layout)["patient7"]
    config = InputConfig(size=96, spacing=1, low=0, high=100, slice_axis="axial", orientation="LPS")
    from_dicom = load_volume(series, label_path(series, folder, layout), "patient7", config)
    scan, labels, affine = read_scan(series, label_path(series, folder, layout))
    nib.save(nib.Nifti1Image(scan, affine), tmp_path / "image.nii.gz")
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "label.nii.gz")
    from_nifti = load_volume(tmp_path / "image.nii.gz", tmp_path / "label.nii.gz", "patient7", config)
    assert np.allclose(from_dicom.image, from_nifti.image)
    assert np.array_equal(from_dicom.label, from_nifti.label)
    assert from_dicom.spacing == pytest.approx(from_nifti.spacing)
    assert from_dicom.image.shape == (ROWS, SLICES, COLUMNS)


def test_a_label_on_another_grid_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.int16), np.eye(4)), tmp_path / "image.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.int16), np.diag([1, 1, 2, 1])), tmp_path / "label.nii.gz")
    with pytest.raises(ValueError, match="another grid"):
        read_scan(tmp_path / "image.nii.gz", tmp_path / "label.nii.gz")


def position(k: int) -> np.ndarray:
    """Centre of slice k's first voxel, LPS: coronal slices from front to back."""
    return np.array([-10.0, -20.0 + k * SPACING[2], 30.0])


def ct_slice(pixels: np.ndarray, k: int, uids: list[str]) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = uids
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber"):
        setattr(dataset, name, "")
    dataset.StudyDate, dataset.StudyTime, dataset.ReferringPhysicianName = "20200101", "120000", ""
    dataset.Modality, dataset.InstanceNumber, dataset.PositionReferenceIndicator = "CT", k + 1, ""
    dataset.ImagePositionPatient = list(position(k))
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.PixelSpacing, dataset.SliceThickness = [SPACING[1], SPACING[0]], SPACING[2]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 10, -1000
    dataset.PixelData = pixels.tobytes()
    return dataset


def description(number: int) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"segment {number}",
        segmented_property_category=codes.SCT.Organ,
        segmented_property_type=codes.SCT.Liver,
        algorithm_type="MANUAL",
    )
