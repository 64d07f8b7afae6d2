import xml.etree.ElementTree as ElementTree

import torch

from slicewise_training.cost import multiply_accumulates
from slicewise_training.curves import draw


def test_a_convolution_costs_its_kernel_for_every_output_value() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.nn.Conv2d(8, 8, 3, groups=8))
    assert multiply_accumulates(network, 16) == 8 * 8 * 8 * 27 + 8 * 6 * 6 * 9


def test_curves_are_well_formed_and_name_every_structure_with_its_last_dice() -> None:
    rows = [
        {"step": 5, "minutes": 1.0, "loss": 1.4},
        {"step": 9, "minutes": 2.0, "validation": {"1": 0.5, "mean": 0.5}},
        {"step": 12, "minutes": 4.0, "validation": {"1": 0.75, "mean": 0.75}},
    ]
    root = ElementTree.fromstring(draw("a model", rows, {"1": "Liver <left>", "mean": "mean"}))
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Liver <left> 0.750" in words
    assert "mean 0.750" in words


def test_a_run_of_seconds_has_curves_too() -> None:
    rows = [{"step": 2, "minutes": 0.0, "validation": {"1": 0.5, "mean": 0.5}}]
    root = ElementTree.fromstring(draw("a model", rows, {"1": "Liver", "mean": "mean"}))
    assert "nan" not in ElementTree.tostring(root, "unicode") and len(list(root)) > 10
