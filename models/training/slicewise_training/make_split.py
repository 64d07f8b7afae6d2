"""Draws a patient split once and writes it as JSON; an existing split is never overwritten.

python -m slicewise_training.make_split cardiac-mr ../../shared/data/cardiac-mr splits/cardiac-mr.json
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

SEED = 20161121


def acdc_group(patient: str) -> str:
    """ACDC numbers its training patients by diagnosis, twenty a group (Bernard et al., IEEE TMI 2018, section II)."""
    groups = (
        "dilated cardiomyopathy",
        "hypertrophic cardiomyopathy",
        "infarction",
        "normal",
        "abnormal right ventricle",
    )
    return groups[(int(patient.removeprefix("patient")) - 1) // 20]


STRATA = {"cardiac-mr": acdc_group}


def draw_split(
    patients: list[str], stratum: dict[str, str], test_share: float, validation_share: float
) -> dict[str, list[str]]:
    """Assigns whole patients, the same share of every stratum, in an order fixed by SEED."""
    split: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for name in sorted(set(stratum.values())):
        members = sorted(p for p in patients if stratum[p] == name)
        random.Random(f"{SEED}/{name}").shuffle(members)
        tests = round(len(members) * test_share)
        validations = max(1, round(len(members) * validation_share))
        split["test"] += members[:tests]
        split["validation"] += members[tests : tests + validations]
        split["train"] += members[tests + validations :]
    return {part: sorted(members) for part, members in split.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(STRATA))
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    if arguments.output.exists():
        raise SystemExit(f"{arguments.output} exists: a split is drawn once, before the first training")
    patients = sorted({path.name.split("_")[0] for path in arguments.data.glob("*_image.nii.gz")})
    group = STRATA[arguments.model]
    split = draw_split(patients, {p: group(p) for p in patients}, test_share=0.2, validation_share=0.08)
    document = {"model": arguments.model, "seed": SEED, "stratifiedBy": group.__name__, **split}
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
