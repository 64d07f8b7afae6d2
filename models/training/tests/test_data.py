"""Layouts of data folders, orientation and intensity."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from slicewise_training.config import DataConfig, InputConfig, load_config, read_release
from slicewise_training.data import find_images, label_path, load_volume, normalise
from slicewise_training.make_split import draw_split, tcga_site
from slicewise_training.network import LibraryNetworkConfig
from slicewise_training.reorient import seen_along, view_axes

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("**/*.json"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_is_whole(path: Path) -> None:
    config = load_config(path)
    release = read_release(path)
    parts = json.loads(config.split.read_text())
    patients = [p for part in ("train", "validation", "test") for p in parts[part]]
    assert config.id == path.stem
    assert len(set(patients)) == len(patients)
    assert config.network.classes == len(release["segments"]) + 1
    assert [s["segmentNumber"] for s in release["segments"]] == list(range(1, config.network.classes))
    assert config.input.size % config.network.size_multiple == 0
    assert all(crop.size % config.network.size_multiple == 0 for crop in config.training.crops)


def test_a_configuration_that_extends_another_says_only_what_differs(tmp_path: Path) -> None:
    shipped = load_config(CONFIGS[0].parent / "cardiac-mr.json")
    (tmp_path / "mine.json").write_text(
        json.dumps(
            {
                "extends": str(CONFIGS[0].parent / "cardiac-mr.json"),
                "id": "mine",
                "network": {"architecture": "unet", "classes": 4},
                "training": {"seed": 7},
            }
        )
    )
    mine = load_config(tmp_path / "mine.json")
    assert mine.split == shipped.split
    assert mine.training == replace(shipped.training, seed=7)
    assert mine.network == LibraryNetworkConfig("unet", 4)


def test_a_network_of_other_channels_than_the_input_is_refused(tmp_path: Path) -> None:
    document = {"extends": str(CONFIGS[0].parent / "cardiac-mr.json"), "input": {"channels": 1}}
    (tmp_path / "mine.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match="takes 3 channels, the input has 1"):
        load_config(tmp_path / "mine.json")


def test_labels_are_found_beside_images_or_in_a_folder_of_their_own(tmp_path: Path) -> None:
    beside = DataConfig("*_flair.nii.gz", ("_flair", "_mask"), r"TCGA_\w\w_\d+")
    apart = DataConfig("images/*.nii.gz", ("images/", "labels/"), r"hippocampus_\d+")
    (tmp_path / "images").mkdir()
    for name in ("TCGA_CS_4941_19960909_flair", "TCGA_CS_4941_19960909_mask", "images/hippocampus_001"):
        (tmp_path / f"{name}.nii.gz").touch()
    found = find_images(tmp_path, beside)
    assert list(found) == ["TCGA_CS_4941"]
    assert label_path(found["TCGA_CS_4941"][0], tmp_path, beside).name == "TCGA_CS_4941_19960909_mask.nii.gz"
    (image,) = find_images(tmp_path, apart)["hippocampus_001"]
    assert label_path(image, tmp_path, apart) == tmp_path / "labels" / "hippocampus_001.nii.gz"


def test_an_image_without_a_patient_is_an_error_not_a_patient_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "scan_image.nii.gz").touch()
    with pytest.raises(ValueError, match=r"scan_image.nii.gz"):
        find_images(tmp_path, DataConfig("*_image.nii.gz", ("_image", "_label"), r"patient\d+"))


@pytest.mark.parametrize("slice_axis", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("code", ["LPS", "RAS", "PSL", "IRA", "SAR"])
def test_in_lps_the_same_anatomy_is_the_same_array_however_it_is_stored(slice_axis: str, code: str) -> None:
    random = np.random.default_rng(3)
    lps = random.random((4, 5, 6), np.float32)
    plain = nib.Nifti1Image(lps, np.diag([-1.0, -2.0, 3.0, 1.0]))
    orientation = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("LPS"), nib.orientations.axcodes2ornt(code)
    )
    stored = plain.as_reoriented(orientation)
    expected = seen_along(lps, *view_axes(plain.affine, slice_axis, "LPS"))
    assert np.array_equal(
        seen_along(np.asarray(stored.dataobj), *view_axes(stored.affine, slice_axis, "LPS")), expected
    )


def test_axial_rows_run_to_the_back_and_columns_to_the_left() -> None:
    ras = np.zeros((3, 4, 5), np.float32)
    ras[0, 3, 0] = 1  # left, front, foot
    seen = seen_along(ras, *view_axes(np.eye(4), "axial", "LPS"))
    assert seen[0, 0, 2] == 1


def test_a_volume_keeps_its_spacing_with_its_axes(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([1.0, 2.0, 3.0, 1.0])), tmp_path / "a.nii.gz")
    config = InputConfig(size=96, spacing=1, low=0, high=1, slice_axis="sagittal", orientation="LPS")
    volume = load_volume(tmp_path / "a.nii.gz", tmp_path / "a.nii.gz", "a", config)
    assert volume.image.shape == (4, 6, 5)
    assert volume.spacing == (3.0, 2.0)


def test_a_window_is_of_modality_values_whatever_the_volume_holds() -> None:
    config = InputConfig(size=96, spacing=1, low=-100, high=300, intensity="window")
    assert normalise(np.array([-1000.0, 100.0, 3000.0], np.float32), config).tolist() == [0, 0.5, 1]


def test_a_lone_patient_of_a_site_is_not_lost() -> None:
    patients = [f"TCGA_CS_{n}" for n in range(10)] + ["TCGA_EZ_1"]
    split = draw_split(patients, {p: tcga_site(p) for p in patients}, 0.2, 0.08)
    assert sorted(p for part in split.values() for p in part) == sorted(patients)
    assert len(split["test"]) == 2
