"""Dice of a released model as deployed: the `slicewise` command at its default options, by patient.

A volume's Dice of a structure that neither has is 1. The interval is intervals.py's, over patients. Empty slices
are those along the third axis in which the reference has nothing.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import Config
from .data import images_of_part, label_path, label_rule
from .errors import InputError, SetupError
from .intervals import METHOD, mean_interval
from .labels import LabelRule, checked_labels
from .predict import dice
from .scans import open_nifti

COMMAND = f"node {Path(__file__).parents[3] / 'dist/cli/main.js'}"


def measure_deployed(
    config: Config, names: list[str], data: Path, part: str, command: list[str], tta: bool
) -> dict[str, Any]:
    """The figures of a part's patients; `names` are the segments' labels, in order."""
    patients: dict[str, list[list[float]]] = {}
    empty, marked = 0, 0
    run = segment_command(command, config.id, tta)
    for patient, images in images_of_part(data, config, part, f"{config.id}, deployed{', tta' if tta else ''}"):
        patients[patient] = []
        for image in images:
            result, reference = read_both(image, label_path(image, data, config.data), run, label_rule(config))
            patients[patient].append([dice(result, reference, n) for n in range(1, config.network.classes)])
            is_empty = (reference == 0).all((0, 1))
            empty += int(is_empty.sum())
            marked += int((is_empty & result.any((0, 1))).sum())
    return {
        "model": config.id,
        "part": part,
        "tta": tta,
        **summarise(patients, names),
        "emptySlices": empty,
        "emptySlicesMarked": marked,
    }


def segment_command(command: list[str], model: str, tta: bool = False) -> list[str]:
    return [*command, "segment", "--model", model, "--quiet", *(["--tta"] if tta else [])]


def read_both(
    image: Path, label: Path, command: list[str], rule: LabelRule
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The labels that the command wrote, and the reference's, IGNORED where nobody judged: [I, J, K]."""
    with segmented(image, command) as output:
        written, reference = open_nifti(output), open_nifti(label)
        if written.shape != reference.shape or not np.allclose(written.affine, reference.affine, atol=1e-3):
            raise InputError(
                f"{label.name} is on another grid than {image.name}",
                "resample the label onto the image, by nearest voxels",
            )
        prediction = checked_labels(np.asarray(written.dataobj), LabelRule(rule.classes), output.name)
    return prediction, checked_labels(np.asarray(reference.dataobj), rule, label.name)


@contextmanager
def segmented(image: Path, command: list[str]) -> Iterator[Path]:
    """A labelmap file of the image by the command, which is gone afterwards.

    @raises InputError if the command refuses the image, SetupError if there is no such command
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "labels.nii.gz"
        try:
            subprocess.run([*command, str(image), "--output", str(output)], check=True)
        except FileNotFoundError as error:
            raise SetupError(f"{command[0]} is not installed", "install it, or name another --command") from error
        except subprocess.CalledProcessError as error:
            raise InputError(
                f"the command ended with exit code {error.returncode} on {image.name}",
                "its own message stands above; `npm run build` makes the command of this repository",
            ) from error
        yield output


def summarise(patients: dict[str, list[list[float]]], names: list[str]) -> dict[str, Any]:
    """Means over volumes, labels alike, without those that result and reference both lack; patients with the mean of
    their volumes, the worst first."""
    volumes = np.array([dices for of_patient in patients.values() for dices in of_patient])
    by_patient = {patient: np.nanmean(of_patient, 0) for patient, of_patient in patients.items()}
    means = np.array([np.nanmean(dices) for dices in by_patient.values()])
    interval = mean_interval(means)
    order = sorted(by_patient, key=lambda patient: float(np.nanmean(by_patient[patient])))
    return {
        "mean": rounded(np.nanmean(volumes)),
        "interval95": None if interval is None else [rounded(end) for end in interval],
        "intervalMethod": METHOD,
        "median": rounded(np.median(means)),
        "worst": order[0],
        "absentInBoth": int(np.isnan(volumes).sum()),
        "perSegment": dict(zip(names, map(rounded, np.nanmean(volumes, 0)), strict=True)),
        "patients": {
            patient: {
                "mean": rounded(np.nanmean(by_patient[patient])),
                **dict(zip(names, map(rounded, by_patient[patient]), strict=True)),
            }
            for patient in order
        },
    }


def rounded(value: float) -> float | None:
    """Four digits; None where there is no figure, as JSON has no NaN."""
    return None if np.isnan(value) else round(float(value), 4)
