"""Which classes the golden arrays of the released models show."""

import json
from pathlib import Path

import numpy as np
import pytest

from slicewise_training.export import missing_classes

MODELS = Path(__file__).parents[2]

LACKING = {
    "abdomen-ct": [2, 3, 4, 8, 10, 11, 12, 13],
    "abdomen-ct-fast": [1, 2, 3, 4, 7, 8, 10, 11, 12, 13],
    "hippocampus-mr": [1, 2],
    "hippocampus-mr-fast": [1, 2],
}
"""As docs/models.md says under "Not there yet"; every other model has none."""


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/manifest.json")), ids=lambda path: path.parent.name)
def test_a_released_golden_shows_the_classes_that_the_docs_say(path: Path) -> None:
    golden = json.loads(path.read_text())["golden"]["output"]
    logits = np.fromfile(path.parent / golden["path"], "<f4").reshape(golden["shape"])
    assert missing_classes(logits) == LACKING.get(path.parent.name, [])


def test_a_class_that_wins_nowhere_is_missing() -> None:
    logits = np.zeros((1, 4, 2, 2), np.float32)
    logits[0, 1, 0, 0] = logits[0, 3, 1, 1] = 1
    assert missing_classes(logits) == [2]
