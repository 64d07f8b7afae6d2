"""Dice of a released model as deployed: the `slicewise` command at its default options, by patient.

    python -m slicewise_training.deployed configs/cardiac-mr.json --data <folder> --part test \\
        --output evaluations/cardiac-mr.deployed.json [--command "node ../../dist/cli/main.js"] [--tta]

A volume's Dice of a structure that neither has is 1. The interval is intervals.py's, over patients. Empty slices
are those along the third axis in which the reference has nothing. The test part is read once per released model: each
reading is logged beside its split.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .config import load_config, read_release
from .data import find_images, label_path, label_rule, load_split
from .intervals import METHOD, mean_interval
from .labels import LabelRule, checked_labels
from .predict import dice

COMMAND = f"node {Path(__file__).parents[3] / 'dist/cli/main.js'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--command", default=COMMAND)
    parser.add_argument("--tta", action="store_true")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    reading = f"{config.id}, deployed{', tta' if arguments.tta else ''}"
    command = [*shlex.split(arguments.command), "segment", "--model", config.id, "--quiet"]
    if arguments.tta:
        command.append("--tta")
    patients: dict[str, list[list[float]]] = {}
    empty, marked = 0, 0
    for patient in load_split(config.split, arguments.part, reading):
        patients[patient] = []
        for image in find_images(arguments.data, config.data)[patient]:
            label = label_path(image, arguments.data, config.data)
            result, reference = read_both(image, label, command, label_rule(config))
            patients[patient].append([dice(result, reference, n) for n in range(1, config.network.classes)])
            is_empty = (reference == 0).all((0, 1))
            empty += int(is_empty.sum())
            marked += int((is_empty & result.any((0, 1))).sum())
    names = [s["segmentLabel"] for s in read_release(arguments.config)["segments"]]
    figures = {
        "model": config.id,
        "part": arguments.part,
        "tta": arguments.tta,
        **summarise(patients, names),
        "emptySlices": empty,
        "emptySlicesMarked": marked,
    }
    arguments.output.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps({key: value for key, value in figures.items() if key != "patients"}, indent=2))


def read_both(
    image: Path, label: Path, command: list[str], rule: LabelRule
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The labels that the command wrote, and the reference's, IGNORED where nobody judged: [I, J, K]."""
    with segmented(image, command) as output:
        written, reference = nib.load(output), nib.load(label)
        if written.shape != reference.shape or not np.allclose(written.affine, reference.affine, atol=1e-3):
            raise RuntimeError(f"{image.name}: the labelmap is on another grid than the reference")
        prediction = checked_labels(np.asarray(written.dataobj), LabelRule(rule.classes), output.name)
    return prediction, checked_labels(np.asarray(reference.dataobj), rule, label.name)


@contextmanager
def segmented(image: Path, command: list[str]) -> Iterator[Path]:
    """A labelmap file of the image by the command, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "labels.nii.gz"
        subprocess.run([*command, str(image), "--output", str(output)], check=True)
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


if __name__ == "__main__":
    main()
