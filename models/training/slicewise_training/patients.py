"""Which scans are of one person: every set's rule, so that no person is on two sides of a split."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .errors import InputError


@dataclass(frozen=True)
class PatientRule:
    """`pattern` is searched in an image's path within the data folder, `person` names the patient from its match.
    `held_out` patients are kept for judging: their images are never read."""

    pattern: str
    person: Callable[[re.Match[str]], str] = re.Match.group
    held_out: frozenset[str] = frozenset()


def hippocampus_person(match: re.Match[str]) -> str:
    """Decathlon Task04 numbers crops, not people: 2n − 1 and 2n are the two sides of one person, cut out of one scan.
    Over all pairs the ratio of intensity steps is that of one scan, between other neighbours it is not."""
    return f"hippocampus-person-{(int(match.group(1)) + 1) // 2:03d}"


MMS_HELD_OUT = frozenset(
    re.findall(
        r"\w+",
        """A1E9Q1 A2N8V0 A4U9V5 A7D9L8 B0I2Z0 B2G5R2 B3O1S0 B8J7R4 D1M1S6 D3F9H9 G5P4U3 N8N9U0 O0S9V7 P0S5Y0 S1S3Z7
        A1D0Q7 A7G0P5 B2D9O2 B9O1Q0 C1G5Q0 E5F5V7 F5I9Q2 G2O2S6 H1M5Y6 H7N4V9 I0J5U3 I6N3P3 J4J9W6 L5Q6T7 N7V9W9""",
    )
)
"""Fifteen patients of either vendor, kept for judging."""

RULES = {
    # Both frames of a patient, end-diastole and end-systole, have the patient's number.
    "acdc": PatientRule(r"patient\d{3}(?=_frame)"),
    "btcv": PatientRule(r"patient\d{2}(?=_)"),
    "decathlon-hippocampus": PatientRule(r"hippocampus_(\d+)", hippocampus_person),
    # Of a TCGA barcode the project, tissue source site and participant; what follows is the date of the scan.
    "tcga": PatientRule(r"TCGA_[A-Z0-9]{2}_[A-Z0-9]{4}(?=_)"),
    "mms": PatientRule(
        r"E[DS]_([A-Z]\d[A-Z]\d[A-Z]\d)_sa",
        lambda match: match.group(1),
        MMS_HELD_OUT,
    ),
}
"""By the name that a configuration's `data.patient` says; anything else there is a regular expression whose whole match
is the patient."""


def patient_rule(said: str) -> PatientRule:
    return RULES.get(said) or PatientRule(said)


def patient_of(path: str, said: str) -> str | None:
    """The patient of an image by its path within the data folder; None for one held out.

    @raises InputError if the path has no patient by the rule: such an image would be a patient of its own
    """
    rule = patient_rule(said)
    match = re.search(rule.pattern, path)
    if match is None:
        raise InputError(f"{path}: no patient by {said!r}", "mend data.patient, or what data.images matches")
    patient = rule.person(match)
    return None if patient in rule.held_out else patient
