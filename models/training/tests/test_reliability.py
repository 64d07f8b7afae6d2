import numpy as np
import pytest

from slicewise_training.deployed import summarise
from slicewise_training.reliability import calibration_error, confidence_bins, found_share, uncertainty_of_slice


def test_a_model_right_as_often_as_it_says_has_no_calibration_error() -> None:
    confidence = np.full(1000, 0.8, np.float32)
    right = np.arange(1000) % 5 > 0
    assert calibration_error(confidence_bins(confidence, right)) == pytest.approx(0, abs=1e-6)


def test_the_calibration_error_of_an_overconfident_model_is_its_excess() -> None:
    confidence = np.full(1000, 0.99, np.float32)
    right = np.arange(1000) % 2 > 0
    assert calibration_error(confidence_bins(confidence, right)) == pytest.approx(0.49, abs=1e-4)


def test_uncertainty_that_ranks_the_slices_by_their_errors_finds_all_the_worst() -> None:
    dice = np.linspace(0, 1, 50)
    assert found_share(dice, 1 - dice) == 1
    assert found_share(dice, dice) == 0


def test_a_slices_uncertainty_is_what_the_expected_errors_take_from_its_dice() -> None:
    right = np.ones((1, 200), np.float32)
    right[0, :10], right[0, 195:] = 0.7, 0.8  # 20 found, 10 of them wrong with 0.3; 5 others missed with 0.2
    prediction = np.zeros((1, 200), np.uint8)
    prediction[0, :20] = 1
    probability = np.stack([np.where(prediction == 0, right, 1 - right), np.where(prediction == 1, right, 1 - right)])
    expected = 1 - (2 * 17 + 10) / (20 + 17 + 1 + 10)  # 20 mm² are taken for known
    assert uncertainty_of_slice(probability, prediction, (2.0, 1.0)) == pytest.approx(expected, abs=0.005)


def test_figures_are_means_over_volumes_and_the_worst_patient_comes_first() -> None:
    figures = summarise({"a": [[1.0, 0.8], [0.8, 0.8]], "b": [[0.4, 0.6]]}, ["one", "two"])
    assert figures["perSegment"] == {"one": 0.7333, "two": 0.7333}
    assert figures["worst"] == "b"
    assert list(figures["patients"]) == ["b", "a"]
    assert figures["interval95"][0] <= figures["mean"] <= figures["interval95"][1]
