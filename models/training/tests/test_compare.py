"""Networks beside each other."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from slicewise_training import compare
from slicewise_training.cli import main
from slicewise_training.compare import slice_surfaces
from slicewise_training.compare_plot import draw
from slicewise_training.config import load_config
from slicewise_training.export import export_onnx, generated_window
from slicewise_training.network import build_network
from slicewise_training.train import Training


def test_surfaces_of_a_moved_square_are_as_far_apart_as_it_was_moved() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:20] = True
    hausdorff, surface_dice = slice_surfaces(np.roll(mask, 3, axis=1), mask)
    assert hausdorff == pytest.approx(3)
    assert 0.3 < surface_dice < 0.5  # the two short sides, but for their ends
    assert slice_surfaces(mask, mask) == (0, 1)


def test_trained_and_released_networks_are_compared_and_others_left_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"extends": "config.json", "id": "without-refining", "network": {"classes": 2, "output_stride": 16}}
    (project / "other.json").write_text(json.dumps(other))
    (project / "released.json").write_text(json.dumps({**other, "id": "released"}))
    (project / "untrained.json").write_text(json.dumps({**other, "id": "untrained"}))
    for name in ("config.json", "other.json"):
        config = load_config(project / name)
        shorter = replace(config, training=replace(config.training, steps=2))
        Training(shorter, project / "data", project / "runs" / config.id, budget_s=3600).go()
    output = project / "comparison.json"
    configs = [str(project / f"{name}.json") for name in ("config", "other", "released", "untrained")]
    options = ["--data", str(project / "data"), "--runs", str(project / "runs"), "--output", str(output)]
    released = load_config(project / "released.json")
    (project / "models/released").mkdir(parents=True)
    export_onnx(build_network(released.network), project / "models/released/model.onnx", generated_window(released))
    monkeypatch.setattr(compare, "MODELS", project / "models")
    assert main(["compare", *configs, *options]) == 0
    written = json.loads(output.read_text())
    assert [row["id"] for row in written["networks"]] == ["cardiac-mr", "without-refining", "released"]
    refining, plain, of_models = written["networks"]
    assert of_models["parameters"] == plain["parameters"] and "steps" not in of_models
    assert refining["parameters"] > plain["parameters"] and refining["gmac"] > plain["gmac"]
    assert refining["megabytes"] == pytest.approx(2 * refining["parameters"] / 1e6, rel=0.1)
    for row in written["networks"]:
        assert 0 <= row["dice"] <= 1 and 0 <= row["onlyOneShows"] <= 1
    for row in written["networks"]:
        both, one = row["slices"]["both"], row["slices"]["one"]
        assert row["onlyOneShows"] == pytest.approx(one / (both + one), abs=1e-4)
        counted = (row["surfaceDiceOfBoth"] or 0) * both / (both + one)
        assert row["surfaceDice"] == pytest.approx(counted, abs=1e-4)
    assert refining["steps"] == plain["steps"] == 2


def test_the_plot_places_the_lowest_figure_left_and_the_highest_right() -> None:
    rows = [
        {"id": "a<b", "dice": 0.8, "surfaceDice": 0.5, "hd95Px": 3.0, "gmac": 1.0},
        {"id": "c", "dice": 0.9, "surfaceDice": None, "hd95Px": 2.0, "gmac": 2.0},
    ]
    plot = ElementTree.fromstring(draw(rows))
    dots = [(float(dot.get("cx", "")), dot.get("cy")) for dot in plot.findall("{*}circle")]
    (low, first_row), (high, second_row) = dots[:2]
    assert low < high and first_row != second_row
    assert len(dots) == 7, "a figure that is missing has no dot"
    assert {"a<b", "c", "0.900"} <= {label.text for label in plot.findall("{*}text")}
