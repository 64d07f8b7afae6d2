"""Who the patient is, in every set, and that no split has a patient on two sides."""

import json
from pathlib import Path

import pytest

from slicewise_training.config import DataConfig, load_config
from slicewise_training.data import find_images
from slicewise_training.make_split import never_seen
from slicewise_training.patients import MMS_HELD_OUT, RULES, patient_of

FOLDER = Path(__file__).parents[1]
SHIPPED = sorted((FOLDER / "configs").glob("*.json"))


@pytest.mark.parametrize(
    ("rule", "path", "patient"),
    [
        ("acdc", "patient048_frame01_image.nii.gz", "patient048"),
        ("acdc", "patient048_frame12_image.nii.gz", "patient048"),
        ("btcv", "patient05_image.nii.gz", "patient05"),
        ("tcga", "TCGA_DU_7299_19910417_flair.nii.gz", "TCGA_DU_7299"),
        ("tcga", "TCGA_CS_4941_19960909_flair.nii.gz", "TCGA_CS_4941"),
        ("decathlon-hippocampus", "images/hippocampus_001.nii.gz", "hippocampus-person-001"),
        ("decathlon-hippocampus", "images/hippocampus_002.nii.gz", "hippocampus-person-001"),
        ("decathlon-hippocampus", "images/hippocampus_003.nii.gz", "hippocampus-person-002"),
        ("decathlon-hippocampus", "images/hippocampus_329.nii.gz", "hippocampus-person-165"),
        ("decathlon-hippocampus", "images/hippocampus_330.nii.gz", "hippocampus-person-165"),
        ("mms", "Different_Vendor/A/ED_A0S9V9_sa.nii.gz", "A0S9V9"),
        ("mms", "Different_Vendor/A/ES_A0S9V9_sa.nii.gz", "A0S9V9"),
        (r"^sub-\d+", "sub-07/anat/t1.nii.gz", "sub-07"),
    ],
)
def test_every_image_of_a_person_is_that_persons(rule: str, path: str, patient: str) -> None:
    assert patient_of(path, rule) == patient


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_path_that_has_no_patient_is_an_error(rule: str) -> None:
    with pytest.raises(ValueError, match=r"somebody\.nii\.gz: no patient"):
        patient_of("somebody.nii.gz", rule)


def test_every_shipped_configuration_names_a_rule_of_this_place() -> None:
    assert {load_config(path).data.patient for path in SHIPPED} <= RULES.keys()


def test_patients_who_are_held_out_are_never_found(tmp_path: Path) -> None:
    assert len(MMS_HELD_OUT) == 30
    for vendor, patient in (("A", "A1E9Q1"), ("A", "A0S9V9"), ("B", "W9W9W9"), ("B", "N7V9W9")):
        (tmp_path / vendor).mkdir(exist_ok=True)
        (tmp_path / vendor / f"ED_{patient}_sa.nii.gz").touch()
    found = find_images(tmp_path, DataConfig("*/E?_*_sa.nii.gz", ("_sa", "_sa_gt"), "mms"))
    assert list(found) == ["A0S9V9", "W9W9W9"]


@pytest.mark.parametrize("path", sorted((FOLDER / "splits").glob("*.json")), ids=lambda path: path.stem)
def test_no_person_is_on_two_sides_of_a_split(path: Path) -> None:
    """But for the split of hippocampus-mr 1.1.0, which was of crops, and whose figures are those of nobody's side."""
    split = json.loads(path.read_text())
    of_crops = path.stem == "hippocampus-mr-1.1.0"

    def person(name: str) -> str | None:
        return patient_of(name, "decathlon-hippocampus") if of_crops else name

    sides = [{person(name) for name in split[part]} for part in ("train", "validation", "test")]
    shared = len(sides[0] & sides[1]) + len(sides[0] & sides[2]) + len(sides[1] & sides[2])
    assert (shared > 0) is of_crops


def test_the_hippocampus_test_part_is_of_persons_whom_the_released_weights_never_saw() -> None:
    earlier = json.loads((FOLDER / "splits" / "hippocampus-mr-1.1.0.json").read_text())
    split = json.loads((FOLDER / "splits" / "hippocampus-mr.json").read_text())
    seen = {(int(name[-3:]) + 1) // 2 for part in ("train", "validation") for name in earlier[part]}
    tested = {(int(name[-3:]) + 1) // 2 for name in earlier["test"]}
    assert split["test"] == [f"hippocampus-person-{n:03d}" for n in sorted(tested - seen)]
    assert len(split["test"]) == 21
    assert sum(len(split[part]) for part in ("train", "validation", "test")) == 157
    assert len(tested) == 44 and len(tested & seen) == 23


def test_a_person_of_whom_one_image_was_trained_is_not_unseen() -> None:
    earlier = {
        "train": ["hippocampus_001"],
        "validation": ["hippocampus_006"],
        "test": ["hippocampus_002", "hippocampus_003", "hippocampus_005", "hippocampus_004"],
    }
    assert never_seen(earlier, "decathlon-hippocampus") == ["hippocampus-person-002"]
