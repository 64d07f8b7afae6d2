"""The mean of several runs."""

from pathlib import Path

import pytest
import torch

from slicewise_training.average import mean_of
from slicewise_training.checkpoint import load_network
from slicewise_training.cli import main
from slicewise_training.config import load_config
from slicewise_training.network import build_network


def test_a_run_of_the_mean_weights_can_be_loaded_like_any_other(project: Path) -> None:
    config = load_config(project / "config.json").network
    networks = [build_network(config), build_network(config)]
    for n, network in enumerate(networks):
        (project / f"run-{n}").mkdir()
        torch.save({"average": network.state_dict(), "step": n}, project / f"run-{n}" / "checkpoint.pt")
    runs = [str(project / "run-0"), str(project / "run-1")]
    assert main(["average", *runs, "--output", str(project / "mean")]) == 0
    mean = load_network(project / "mean", config).state_dict()
    one, other = (network.state_dict() for network in networks)
    for name, value in mean.items():
        torch.testing.assert_close(value, (one[name] + other[name]) / 2 if value.is_floating_point() else one[name])


def test_runs_of_different_networks_have_no_mean() -> None:
    with pytest.raises(ValueError, match="different networks"):
        mean_of([{"a": torch.zeros(2)}, {"a": torch.zeros(3)}])
