"""Pictures of best, median and worst patients."""

import numpy as np
import pytest

from slicewise_training.data import LabelledVolume
from slicewise_training.pictures import CAPTION, PANEL, chosen, draw_patient, srgb

RED, GREEN = (255, 0, 0), (0, 255, 0)


def disc(centre: tuple[int, int], radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:40, :60]
    return ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2).astype(np.uint8)


def test_the_slice_with_most_voxels_wrong_is_shown_reference_above_result() -> None:
    right, wrong = disc((20, 30), 8), 2 * disc((20, 30), 8)
    volume = LabelledVolume("p", "p", np.full((3, 40, 60), 0.5, np.float32), np.stack([right] * 3), (1.0, 1.0))
    picture = np.asarray(draw_patient(volume, np.stack([right, wrong, right]), "best", {1: RED, 2: GREEN}))
    reference, result = picture[CAPTION : CAPTION + PANEL], picture[CAPTION + PANEL :]
    assert (reference == RED).all(-1).any() and not (reference == GREEN).all(-1).any()
    assert (result == GREEN).all(-1).any() and not (result == RED).all(-1).any()


def test_an_outline_lies_on_the_edge_of_its_structure_whatever_the_spacing() -> None:
    label = np.zeros((1, 40, 60), np.uint8)
    label[0, 10:30, 20:30] = 1  # 20 mm × 20 mm
    volume = LabelledVolume("p", "p", np.zeros((1, 40, 60), np.float32), label, (1.0, 2.0))
    picture = np.asarray(draw_patient(volume, 2 * label, "best", {1: RED, 2: GREEN}))
    rows, columns = np.nonzero((picture[CAPTION : CAPTION + PANEL] == RED).all(-1))
    border = (1 - 1 / 1.3) / 2 * PANEL
    for axis in (rows, columns):
        assert axis.min() == pytest.approx(border, abs=2)
        assert axis.max() == pytest.approx(PANEL - border, abs=2)


def test_patients_are_chosen_from_the_worst_first() -> None:
    assert chosen(dict.fromkeys("abcde")) == {"best": "e", "median": "c", "worst": "a"}


@pytest.mark.parametrize(
    ("lab", "rgb"), [([65535, 32896, 32896], (255, 255, 255)), ([37753, 21404, 36035], (0, 158, 115))]
)
def test_colours_are_those_of_the_viewer_as_near_as_8_bits_of_cielab_are(
    lab: list[int], rgb: tuple[int, int, int]
) -> None:
    assert srgb(lab) == pytest.approx(rgb, abs=25)
