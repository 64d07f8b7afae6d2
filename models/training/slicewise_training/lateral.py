"""Which segments have a side, so that no view of training or of test-time augmentation is mirrored under them."""

from __future__ import annotations

import re
from typing import Any

from .errors import InputError

SIDES = {("SCT", "7771000"), ("SCT", "24028007"), ("SRT", "G-A101"), ("SRT", "G-A100")}
"""Left and right as a segment's modifier: DICOM PS3.16, CID 244."""

HEART = re.compile(r"ventric|atri(um|al|a)\b|\bheart|myocard|endocard|epicard|auric|\bLV\b|\bRV\b|\bLA\b|\bRA\b", re.I)
"""A heart's left and right are names of its chambers: mirrored, a left ventricle is still the one of thick wall."""


def lateral_segments(segments: list[dict[str, Any]]) -> list[str]:
    """Labels of the segments that lie on one side of the body, by their modifier, else by their words."""
    return [segment["segmentLabel"] for segment in segments if _has_side(segment)]


def _has_side(segment: dict[str, Any]) -> bool:
    modifier = segment.get("segmentedPropertyTypeModifier") or {}
    if (modifier.get("codingSchemeDesignator"), modifier.get("codeValue")) in SIDES:
        return True
    words = f"{segment['segmentLabel']} {segment.get('segmentedPropertyType', {}).get('codeMeaning', '')}"
    return bool(re.search(r"\b(left|right)\b", words.replace("_", " "), re.I)) and not HEART.search(words)


def refuse_mirrored_sides(document: dict[str, Any]) -> None:
    """@raises InputError if a configuration mirrors what has a side: the network would learn to confuse both"""
    release = document.get("release") or {}
    lateral = lateral_segments(release.get("segments", []))
    if not lateral:
        return
    augmentation, axis = document["augmentation"], document["input"].get("slice_axis", "acquired")
    does = []
    if augmentation.get("mirror_slice", False):
        does.append("augmentation.mirror_slice")
    # The order of axial slices runs from foot to head and that of coronal ones from front to back; only the order of
    # sagittal ones, which acquired ones may be, runs from side to side.
    if augmentation.get("reverse_slices", True) and axis in ("sagittal", "acquired"):
        does.append(f"augmentation.reverse_slices of {axis} slices")
    if release.get("tta", {}).get("flips"):
        does.append("release.tta.flips")
    if does:
        raise InputError(f"{', '.join(does)}: mirrors {', '.join(lateral[:3])}, whose side matters", "turn it off")
