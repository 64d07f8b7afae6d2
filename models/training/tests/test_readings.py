"""Nothing reads a test part without the log."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from slicewise_training import runs
from slicewise_training.cli import main
from slicewise_training.config import load_config
from slicewise_training.data import load_part, load_split
from slicewise_training.readings import readings_path

SOURCES = sorted((Path(__file__).parents[1] / "slicewise_training").rglob("*.py"))


def logged(project: Path) -> list[str]:
    path = readings_path(project / "split.json")
    return [json.loads(line)["model"] for line in path.read_text().splitlines()] if path.exists() else []


def test_the_test_part_is_refused_to_who_does_not_say_what_for(project: Path) -> None:
    config = load_config(project / "config.json")
    with pytest.raises(ValueError, match="saying what for"):
        load_split(config.split, "test")
    with pytest.raises(ValueError, match="saying what for"):
        load_part(project / "data", config, "test")
    assert logged(project) == []


def test_a_reading_of_the_test_part_is_logged_and_of_others_is_not(project: Path) -> None:
    config = load_config(project / "config.json")
    load_part(project / "data", config, "validation", "a look")
    assert logged(project) == []
    assert [volume.patient for volume in load_part(project / "data", config, "test", "a look")] == ["d"]
    assert logged(project) == ["a look"]


def test_reliability_logs_its_reading(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "released").mkdir()
    (project / "released" / "manifest.json").write_text(json.dumps({"output": {"temperature": 1.0}}))
    monkeypatch.setattr(runs, "run_onnx", lambda _folder: lambda _window: np.zeros((1, 2, 24, 24), np.float32))
    options = ["--data", str(project / "data"), "--part", "test", "--model", str(project / "released")]
    assert main(["reliability", str(project / "config.json"), *options]) == 0
    assert logged(project) == ["released, reliability"]


def test_splits_are_read_in_one_place_but_for_their_hash_and_their_drawing() -> None:
    reading = [
        path.name
        for path in SOURCES
        if re.search(r"split\.read_text|read_split\(|read_json\(config\.split", path.read_text())
    ]
    assert set(reading) == {"data.py", "identity.py", "make_split.py"}
