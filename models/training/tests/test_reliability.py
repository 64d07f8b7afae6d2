import numpy as np
import pytest

from slicewise_training.deployed import summarise
from slicewise_training.reliability import calibration_error, confidence_bins, found_share, mean_uncertainty


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


def test_sure_background_does_not_dilute_a_slices_uncertainty() -> None:
    sure = np.array([[[0.9999]], [[0.0001]]], np.float32)
    unsure = np.array([[[0.5]], [[0.5]]], np.float32)
    slice_of_both = np.concatenate([np.repeat(sure, 99, 2), unsure], 2)
    assert mean_uncertainty(slice_of_both, np.zeros((1, 100), np.uint8)) == pytest.approx(1)


def test_figures_are_means_over_volumes_and_the_worst_patient_comes_first() -> None:
    figures = summarise({"a": [[1.0, 0.8], [0.8, 0.8]], "b": [[0.4, 0.6]]}, ["one", "two"])
    assert figures["perSegment"] == {"one": 0.7333, "two": 0.7333}
    assert figures["worst"] == "b"
    assert list(figures["patients"]) == ["b", "a"]
    assert figures["interval95"][0] <= figures["mean"] <= figures["interval95"][1]
