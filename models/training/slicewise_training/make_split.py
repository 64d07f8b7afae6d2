"""Draws a patient split once and writes it as JSON; an existing split is never overwritten.

python -m slicewise_training.make_split configs/cardiac-mr.json --data <folder> [--test 0.2] [--validation 0.08] \\
    [--earlier splits/cardiac-mr-1.0.0.json]

With an earlier split, by which weights were released, the test part is those of its test patients of whom these weights
saw no image at all: it is honest for them and for all that follow.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from .config import load_config
from .data import find_images
from .patients import patient_of

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


def never_seen(earlier: dict[str, list[str]], rule: str) -> list[str]:
    """The patients of an earlier test part of whom nothing was in its training or validation."""
    seen, tested = (
        {patient_of(name, rule) for part in parts for name in earlier[part]}
        for parts in (("train", "validation"), ("test",))
    )
    return sorted(p for p in tested - seen if p is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", type=float, default=0.2, help="share of the patients")
    parser.add_argument("--validation", type=float, default=0.08, help="share of the patients")
    parser.add_argument("--earlier", type=Path, help="the split that released weights were trained by, of image names")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    if config.split.exists():
        raise SystemExit(f"{config.split} exists: a split is drawn once, before the first training")
    patients = list(find_images(arguments.data, config.data))
    group = STRATA.get(config.id, everyone)
    strata = {p: group(p) for p in patients}
    if arguments.earlier:
        unseen = never_seen(json.loads(arguments.earlier.read_text()), config.data.patient)
        rest = [p for p in patients if p not in unseen]
        split = draw_split(rest, strata, 0, arguments.validation) | {"test": unseen}
    else:
        split = draw_split(patients, strata, arguments.test, arguments.validation)
    said = {"model": config.id, "seed": SEED, "stratifiedBy": group.__name__, "patients": config.data.patient}
    document = {**said, **({"earlier": arguments.earlier.name} if arguments.earlier else {}), **split}
    config.split.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
