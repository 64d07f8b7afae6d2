"""A slip in a configuration is said where it stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from slicewise_training.config import load_config, read_release
from slicewise_training.errors import InputError

SHIPPED = Path(__file__).parents[1] / "configs" / "cardiac-mr.json"


def write(folder: Path, block: str, changes: dict[str, Any] | None) -> Path:
    """The heart's configuration with a block changed, or without it."""
    document = json.loads(SHIPPED.read_text())
    document["split"] = str(SHIPPED.parent / document["split"])
    if changes is None:
        del document[block]
    else:
        document[block] |= changes
        document[block] = {key: value for key, value in document[block].items() if value != "left out"}
    (folder / "mine.json").write_text(json.dumps(document))
    return folder / "mine.json"


@pytest.mark.parametrize(
    ("block", "changes", "words"),
    [
        (
            "training",
            {"lerning_rate": 0.1},
            "mine.json: training.lerning_rate is no setting: did you mean learning_rate?",
        ),
        ("training", {"steps": "left out"}, "mine.json: training.steps is missing: "),
        ("training", {"steps": "9000"}, "mine.json: training.steps is '9000': it is a whole number"),
        ("training", {"steps": True}, "mine.json: training.steps is True: it is a whole number"),
        ("training", {"ema": "0.9"}, "mine.json: training.ema is '0.9': it is a number"),
        ("training", {"crops": [{"until": 1, "size": 96}]}, r"mine.json: training.crops\[0\].batch is missing: "),
        ("training", {"crops": [{"until": 0.7, "size": 96, "batch": 1}]}, "training.crops end before the training: "),
        ("training", {"crops": []}, "training.crops end before the training: "),
        ("input", {"channels": 2}, "mine.json: input.channels is 2: it is one of 1, 3"),
        ("input", {"slice_axis": "axal"}, "mine.json: input.slice_axis is 'axal': it is one of 'acquired', 'axial', "),
        ("augmentation", {"mirror_slice": 1}, "mine.json: augmentation.mirror_slice is 1: it is true or false"),
        ("augmentation", {"zoom_limits": [1, 2, 3]}, r"augmentation.zoom_limits is \[1, 2, 3\]: it is a list of 2"),
        ("data", {"label": "_label"}, "mine.json: data.label is '_label': it is a list of 2"),
        ("network", {"backbone": "resnet19"}, "mine.json: network.backbone is 'resnet19': it is one of 'resnet18', "),
        ("network", None, "mine.json: network is missing: "),
    ],
)
def test_a_slip_is_said_with_its_place(tmp_path: Path, block: str, changes: dict[str, Any] | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_config(write(tmp_path, block, changes))


def test_numbers_stay_as_they_are_said_for_they_are_hashed(tmp_path: Path) -> None:
    path = write(tmp_path, "augmentation", {"gamma": 1, "zoom_limits": [0.5, 2]})
    augmentation = load_config(path).augmentation
    assert [repr(augmentation.gamma), repr(augmentation.zoom_limits)] == ["1", "(0.5, 2)"]
    path = write(tmp_path, "training", {"spacing": None})
    assert load_config(path).training.spacing is None


def test_a_file_that_is_not_json_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"id": ')
    with pytest.raises(InputError, match=r"mine\.json is not JSON .*mend the file"):
        load_config(tmp_path / "mine.json")
    (tmp_path / "mine.json").write_text('{"extends": "other.json"}')
    with pytest.raises(InputError, match=r"other\.json is not there"):
        load_config(tmp_path / "mine.json")
    (tmp_path / "mine.json").write_text("[]")
    with pytest.raises(InputError, match=r"mine\.json is not a configuration"):
        load_config(tmp_path / "mine.json")


def test_an_export_says_which_words_a_configuration_lacks(tmp_path: Path) -> None:
    path = write(tmp_path, "release", {"tta": "left out"})
    assert read_release(path)["segments"]
    with pytest.raises(InputError, match=r"mine\.json: release\.tta is missing"):
        read_release(path, ("segments", "tta"))
