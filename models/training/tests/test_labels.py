"""Labels that cannot be trained are refused; voxels that nobody judged count nowhere."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from slicewise_training.augment import Augmentation, random_view
from slicewise_training.config import load_config
from slicewise_training.data import load_part
from slicewise_training.labels import IGNORED, LabelRule, checked_labels
from slicewise_training.predict import dice
from slicewise_training.train import Training, segmentation_loss


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1, 300], "0 and 2, but it has 300"),
        ([0, 3], "0 and 2, but it has 3"),
        ([-1, 0], "0 and 2, but it has -1"),
        ([0, 0.7, 1], "whole numbers, but it has 0.7"),
        ([0, np.nan], "whole numbers, but it has nan"),
        ([0, np.inf], "whole numbers, but it has inf"),
        ([0, 254], "0 and 2, but it has 254"),
        ([0, 255], "0 and 2, but it has 255"),
    ],
)
def test_a_label_that_is_no_class_is_refused_and_named(values: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=f"mask.nii.gz: labels .*{words}"):
        checked_labels(np.array(values), LabelRule(classes=3), "mask.nii.gz")


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.float32, np.float64])
def test_whole_numbers_are_taken_however_they_are_stored(kind: type) -> None:
    assert checked_labels(np.array([[0, 1], [2, 2]], kind), LabelRule(3), "m").tolist() == [[0, 1], [2, 2]]


def test_a_scaled_file_may_miss_a_whole_number_by_its_rounding() -> None:
    assert checked_labels(np.float32([0.1]) * np.float32(10), LabelRule(2), "m").tolist() == [1]


@pytest.mark.parametrize("ignore", [-1, 7, 255, 300])
def test_an_ignore_value_of_any_size_becomes_ignored(ignore: int) -> None:
    labels = checked_labels(np.array([0, 1, ignore]), LabelRule(3, ignore), "m")
    assert labels.tolist() == [0, 1, IGNORED]


def test_an_ignore_value_that_is_a_class_and_too_many_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="one of the classes"):
        LabelRule(3, 2)
    with pytest.raises(ValueError, match="256 classes"):
        LabelRule(256)


def test_training_refuses_a_file_with_other_labels_before_its_first_step(project: Path) -> None:
    path = project / "data" / "b_frame01_label.nii.gz"
    stored = nib.load(path)
    wrong = np.asarray(stored.dataobj).astype(np.int16)
    wrong[4, 4, 1] = 300
    nib.save(nib.Nifti1Image(wrong, stored.affine), path)
    config = load_config(project / "config.json")
    with pytest.raises(ValueError, match=r"b_frame01_label.nii.gz: labels lie between 0 and 1, but it has 300"):
        Training(config, project / "data", project / "run", budget_s=3600)
    allowed = replace(config, data=replace(config.data, ignore=300))
    (volume,) = [v for v in load_part(project / "data", allowed, "train") if v.patient == "b"]
    assert (volume.label == IGNORED).sum() == 1


def test_the_loss_of_a_view_with_ignored_pixels_is_that_of_the_others_alone() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn((1, 3, 8, 6), generator=generator)
    labels = torch.randint(0, 3, (1, 8, 6), generator=generator)
    half = labels.clone()
    half[:, 4:] = IGNORED
    assert torch.allclose(segmentation_loss(logits, half), segmentation_loss(logits[:, :, :4], labels[:, :4]))
    changed = logits.clone().requires_grad_()
    segmentation_loss(changed, half).backward()
    assert changed.grad is not None
    assert (changed.grad[:, :, 4:] == 0).all() and (changed.grad[:, :, :4] != 0).any()


def test_a_view_of_nothing_judged_costs_nothing_and_is_finite() -> None:
    logits = torch.randn(1, 3, 4, 4)
    assert float(segmentation_loss(logits, torch.full((1, 4, 4), IGNORED))) == 0


def test_a_view_keeps_what_is_ignored_and_invents_nothing() -> None:
    label = torch.zeros((64, 64), dtype=torch.uint8)
    label[:, 20:40] = IGNORED
    generator = torch.Generator().manual_seed(1)
    seen = torch.cat([random_view(torch.rand(3, 64, 64), label, 48, Augmentation(), generator)[1] for _ in range(8)])
    assert set(seen.unique().tolist()) == {0, IGNORED}


def test_slices_that_nobody_labelled_are_never_drawn(project: Path) -> None:
    for patient in "ab":
        path = project / "data" / f"{patient}_frame01_label.nii.gz"
        stored = nib.load(path)
        labels = np.asarray(stored.dataobj).copy()
        labels[:, :, 1] = 9
        nib.save(nib.Nifti1Image(labels, stored.affine), path)
    config = load_config(project / "config.json")
    config = replace(config, data=replace(config.data, ignore=9))
    training = Training(config, project / "data", project / "run", budget_s=3600)
    assert {k for _, k in training.slices} == {0, 2}
    assert len(training.slices_of) == 1
    assert {k for _, k in training.slices_of[0]} == {0, 2}


def test_a_dice_is_over_what_the_reference_judges() -> None:
    reference = np.array([1, 1, 0, IGNORED, IGNORED], np.uint8)
    found = np.array([1, 0, 0, 1, 1], np.uint8)
    assert dice(found, reference, 1) == pytest.approx(2 / 3)
