"""Intervals cover what they say, for few patients too."""

from collections.abc import Callable

import numpy as np
import pytest

from slicewise_training.intervals import mean_interval

Method = Callable[[np.ndarray], tuple[float, float] | None]


def share_covered(patients: int, method: Method, a: float, b: float, trials: int = 2000) -> float:
    """How often the interval of patients drawn from a Beta distribution, as Dice is skewed, holds its mean."""
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(trials):
        interval = method(random.beta(a, b, patients))
        assert interval is not None
        covered += interval[0] <= a / (a + b) <= interval[1]
    return covered / trials


def percentile_bootstrap(values: np.ndarray) -> tuple[float, float]:
    drawn = np.random.default_rng(1).integers(0, len(values), (500, len(values)))
    low, high = np.percentile(values[drawn].mean(1), [2.5, 97.5])
    return float(low), float(high)


@pytest.mark.parametrize("patients", [6, 16, 21])
@pytest.mark.parametrize(("a", "b"), [(17, 3), (8, 2), (40, 5)])
def test_an_interval_of_few_patients_covers_its_95_percent(patients: int, a: float, b: float) -> None:
    assert 0.93 <= share_covered(patients, mean_interval, a, b) <= 0.97


def test_a_percentile_bootstrap_of_six_patients_would_not() -> None:
    assert share_covered(6, percentile_bootstrap, 17, 3, trials=1000) < 0.88


def test_an_interval_lies_within_0_and_1_and_around_the_mean() -> None:
    values = np.array([0.99, 0.98, 0.99, 0.6])
    interval = mean_interval(values)
    assert interval is not None
    low, high = interval
    assert 0 < low < values.mean() < high < 1
    assert values.mean() - low > high - values.mean()


def test_equal_patients_have_an_interval_of_no_width_and_one_patient_has_none() -> None:
    assert mean_interval(np.array([1.0, 1.0, 1.0])) == (1, 1)
    assert mean_interval(np.array([0.0, 0.0])) == (0, 0)
    assert mean_interval(np.array([0.8])) is None
