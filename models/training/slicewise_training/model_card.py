"""The model card, from the manifest and the configuration, so that it cannot disagree with them."""

from __future__ import annotations

from typing import Any

from .config import Config


def model_card(manifest: dict[str, Any], config: Config, release: dict[str, Any], parameters: int) -> str:
    network, training, card = config.network, config.training, release["card"]
    segments = "\n".join(
        f"| {s['segmentNumber']} | {s['segmentLabel']} | {s['segmentedPropertyType']['codeMeaning']} "
        f"({s['segmentedPropertyType']['codingSchemeDesignator']} {s['segmentedPropertyType']['codeValue']}) |"
        for s in manifest["segments"]
    )
    return f"""# {manifest["title"]} ({manifest["id"]} {manifest["version"]})

**Research use only. Not a medical device.** {manifest["intendedUse"]}

Weights: {manifest["licence"]}. Segments:

| number | label | type |
| --- | --- | --- |
{segments}

## Network

PSPNet (Zhao et al., CVPR 2017), {network.backbone}, output stride {network.output_stride}\
{", with a boundary-refining step on the stride-4 features" if network.refine else ""}; {parameters / 1e6:.1f} M parameters, stored as
float16, computed in float32. Input: three neighbouring slices, {config.input.size} × {config.input.size} pixels of
{config.input.spacing} mm, percentiles {config.input.low}–{config.input.high} of the volume to 0–1; larger slices are covered by overlapping windows.
Logits at 1/{network.logits_stride} of the input, interpolated to the source grid before argmax; temperature {manifest["output"]["temperature"]}.

## Training data

{card["data"]} Patients were split before the first training ({card["split"]}).

Trained from scratch: AdamW, cross-entropy and Dice loss with an auxiliary loss ({training.auxiliary_weight}), running
average of the weights. Augmentation: every rotation, mirroring, zoom, aspect, elastic deformation, gamma, bias field, contrast, noise, resolution, lost
neighbours. The configuration is `models/training/configs/{config.id}.json`. {card["training"]}

## Figures

{figures_table(manifest)}

{card["figures"]}

## Limits

{card["limits"]}
"""


def figures_table(manifest: dict[str, Any]) -> str:
    if not manifest["evaluation"]:
        return "Not yet evaluated."
    labels = [s["segmentLabel"] for s in manifest["segments"]]
    head = "| data | metric | value | " + " | ".join(labels) + " |"
    rule = "| --- " * (3 + len(labels)) + "|"
    rows = []
    for figure in manifest["evaluation"]:
        per_segment = figure.get("perSegment", {})
        cells = [f"{per_segment[label]:.3f}" if label in per_segment else "" for label in labels]
        rows.append(f"| {figure['data']} | {figure['metric']} | {figure['value']:.3f} | " + " | ".join(cells) + " |")
    return "\n".join([head, rule, *rows])
