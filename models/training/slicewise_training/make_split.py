"""Draws a patient split once and writes it as JSON; an existing split is never overwritten.

With an earlier split, by which weights were released, the test part is those of its test patients of whom these weights
saw no image at all: it is honest for them and for all that follow.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from .config import Config
from .data import find_images, read_split
from .errors import InputError
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


def make_split(
    config: Config, data: Path, test_share: float, validation_share: float, earlier: Path | None = None
) -> dict[str, list[str]]:
    """Draws the configuration's split and writes it where the configuration says.

    @raises InputError if there is one already, or if the data folder has no image
    """
    if config.split.exists():
        raise InputError(
            f"{config.split} exists: a split is drawn once, before the first training",
            "name another one in the configuration",
        )
    patients = list(find_images(data, config.data))
    if not patients:
        raise InputError(f"{data} has no {config.data.images}", "name with --data the folder that has the images")
    group = STRATA.get(config.id, everyone)
    strata = {p: group(p) for p in patients}
    if earlier:
        unseen = never_seen(read_split(earlier), config.data.patient)
        rest = [p for p in patients if p not in unseen]
        split = draw_split(rest, strata, 0, validation_share) | {"test": unseen}
    else:
        split = draw_split(patients, strata, test_share, validation_share)
    said = {"model": config.id, "seed": SEED, "stratifiedBy": group.__name__, "patients": config.data.patient}
    document = {**said, **({"earlier": earlier.name} if earlier else {}), **split}
    config.split.write_text(json.dumps(document, indent=2) + "\n")
    return split
