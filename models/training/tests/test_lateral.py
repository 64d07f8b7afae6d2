"""What has a side is not mirrored."""

import json
from pathlib import Path
from typing import Any

import pytest

from slicewise_training.augment import Augmentation
from slicewise_training.config import load_config, read_document
from slicewise_training.lateral import lateral_segments

CONFIGS = Path(__file__).parents[1] / "configs"


def segment(label: str, modifier: tuple[str, str] | None = None, meaning: str = "") -> dict[str, Any]:
    coded = {"codingSchemeDesignator": modifier[0], "codeValue": modifier[1]} if modifier else None
    return {
        "segmentLabel": label,
        "segmentedPropertyType": {"codeMeaning": meaning},
        **({"segmentedPropertyTypeModifier": coded} if coded else {}),
    }


@pytest.mark.parametrize(
    ("described", "has_side"),
    [
        (segment("Kidney", ("SCT", "7771000")), True),
        (segment("Kidney", ("SCT", "24028007")), True),
        (segment("Kidney", ("SRT", "G-A101")), True),
        (segment("Left kidney"), True),
        (segment("kidney_right"), True),
        (segment("Parotid", meaning="Right parotid gland"), True),
        (segment("Left ventricle"), False),
        (segment("Right atrium"), False),
        (segment("Left ventricular myocardium"), False),
        (segment("Anterior hippocampus", ("SCT", "255549009")), False),
        (segment("Bright lesion"), False),
        (segment("Liver"), False),
    ],
)
def test_sides_are_known_by_code_or_word_and_a_heart_has_none(described: dict[str, Any], has_side: bool) -> None:
    assert bool(lateral_segments([described])) is has_side


def test_mirroring_is_off_unless_a_configuration_says_otherwise() -> None:
    assert Augmentation().mirror_slice is False


def write(folder: Path, changes: dict[str, Any], base: str = "abdomen-ct") -> Path:
    path = folder / "mine.json"
    path.write_text(json.dumps({"extends": str(CONFIGS / f"{base}.json"), **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"augmentation": {"mirror_slice": True}}, r"augmentation\.mirror_slice: mirrors Right kidney"),
        (
            {"augmentation": {"reverse_slices": True}, "input": {"slice_axis": "sagittal"}},
            "reverse_slices of sagittal slices",
        ),
        (
            {"augmentation": {"reverse_slices": True}, "input": {"slice_axis": "acquired"}},
            "reverse_slices of acquired slices",
        ),
        ({"release": {"tta": {"flips": [[True, False]]}}}, r"release\.tta\.flips"),
    ],
)
def test_mirroring_what_has_a_side_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_config(write(tmp_path, changes))


def test_an_order_of_axial_slices_and_a_heart_may_be_turned(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, {"augmentation": {"reverse_slices": True}})).augmentation.reverse_slices
    heart = read_document(CONFIGS / "cardiac-mr.json")
    assert heart["augmentation"]["mirror_slice"] and load_config(CONFIGS / "cardiac-mr.json").augmentation.mirror_slice
