"""Draws a patient split once and writes it as JSON; an existing split is never overwritten.

python -m slicewise_training.make_split configs/cardiac-mr.json --data <folder> [--test 0.2] [--validation 0.08]
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from .config import load_config
from .data import find_images

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


def tcga_site(patient: str) -> str:
    """The tissue source site, the second part of a TCGA barcode: scanners and protocols differ by it."""
    return patient.split("_")[1]


def everyone(_patient: str) -> str:
    return "all"


STRATA = {"cardiac-mr": acdc_group, "glioma-flair": tcga_site}


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
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", type=float, default=0.2, help="share of the patients")
    parser.add_argument("--validation", type=float, default=0.08, help="share of the patients")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    if config.split.exists():
        raise SystemExit(f"{config.split} exists: a split is drawn once, before the first training")
    patients = list(find_images(arguments.data, config.data))
    group = STRATA.get(config.id, everyone)
    split = draw_split(patients, {p: group(p) for p in patients}, arguments.test, arguments.validation)
    document = {"model": config.id, "seed": SEED, "stratifiedBy": group.__name__, **split}
    config.split.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
