"""What a step sees and what it is punished for."""

import numpy as np
import torch
import torch.nn.functional as F

from slicewise_training.augment import Augmentation, random_view
from slicewise_training.data import LabelledVolume
from slicewise_training.train import segmentation_loss, slices_by_structure


def test_the_loss_is_cross_entropy_plus_one_minus_soft_dice() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn((2, 4, 6, 6), generator=generator)
    labels = torch.randint(0, 3, (2, 24, 24), generator=generator)  # class 3 is absent
    scores = F.interpolate(logits, (24, 24), mode="bilinear", align_corners=False)
    probability = scores.softmax(1)
    target = F.one_hot(labels, 4).permute(0, 3, 1, 2)
    overlap = (probability * target).sum((0, 2, 3))
    size = (probability + target).sum((0, 2, 3))
    dice = (2 * overlap + 1) / (size + 1)
    expected = F.cross_entropy(scores, labels) + (1 - dice[1:]).mean()
    assert torch.allclose(segmentation_loss(logits, labels), expected, atol=1e-5)


def test_slices_are_found_by_what_they_show() -> None:
    label = np.zeros((3, 4, 4), np.uint8)
    label[0, 0, 0], label[2, 1, 1], label[2, 2, 2] = 1, 1, 4
    volume = LabelledVolume("a", "a", label.astype(np.float32), label, (1, 1))
    slices = [(volume, k) for k in range(3)]
    assert [[k for _, k in found] for found in slices_by_structure(slices)] == [[0, 2], [2]]


def test_a_view_of_an_organ_with_a_side_is_never_mirrored_nor_turned_over() -> None:
    """A mark in the upper left quarter stays there: rotation, zoom and shift are small, mirroring is off."""
    settings = Augmentation(
        rotation_degrees=15, mirror_slice=False, reverse_slices=False, zoom_sigma=0.05, shift_px=2, elastic_px=1
    )
    label = torch.zeros((96, 96), dtype=torch.uint8)
    label[20:28, 20:28] = 1
    image = label.float().expand(3, 96, 96)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        _, seen = random_view(image, label, 96, settings, generator)
        rows, columns = torch.nonzero(seen, as_tuple=True)
        assert rows.float().mean() < 44
        assert columns.float().mean() < 44


def test_a_view_where_sides_do_not_matter_is_sometimes_mirrored() -> None:
    label = torch.zeros((96, 96), dtype=torch.uint8)
    label[20:28, 20:28] = 1
    image = label.float().expand(3, 96, 96)
    settings = Augmentation(rotation_degrees=0, shift_px=0, mirror_slice=True)
    generator = torch.Generator().manual_seed(0)
    seen = [random_view(image, label, 96, settings, generator)[1] for _ in range(30)]
    sides = [bool(torch.nonzero(view)[:, 1].float().mean() < 48) for view in seen]
    assert 5 < sum(sides) < 25
