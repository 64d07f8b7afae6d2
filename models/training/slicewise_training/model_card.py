"""The model card, from the manifest and the configuration, so that it cannot disagree with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .config import Config, load_config, read_json, read_release
from .model_folder import read_manifest
from .network import NetworkConfig, build_network, parameter_count
from .psp_net import PSPNetConfig


def write_figures(config_path: Path, folder: Path) -> None:
    """Puts the figures of evaluations/<id>.json into an exported model's manifest and card."""
    config = load_config(config_path)
    manifest = read_manifest(folder)
    release = read_release(config_path, ("segments", "card"))
    figures = config_path.parent.parent / "evaluations" / f"{config.id}.json"
    manifest["evaluation"] = read_json(figures) if figures.exists() else []
    write_json(folder / "manifest.json", manifest)
    (folder / "MODEL_CARD.md").write_text(model_card(manifest, config, release))


def write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def model_card(manifest: dict[str, Any], config: Config, release: dict[str, Any]) -> str:
    network, training, card = config.network, config.training, release["card"]
    parameters = parameter_count(build_network(network))
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

{architecture(network)}; {parameters / 1e6:.1f} M parameters, stored as
float16, computed in float32. Input: {slices(config)}, {config.input.size} × {config.input.size} pixels of
{config.input.spacing} mm, {intensity(config)} to 0–1; larger slices are covered by overlapping windows.
Logits at 1/{network.logits_stride} of the input, interpolated to the source grid before argmax; temperature {manifest["output"]["temperature"]}.

## Training data

{card["data"]} Patients were split before the first training ({card["split"]}): `models/training/splits/{config.split.name}`.

{card["origin"]} AdamW, cross-entropy and Dice loss with an auxiliary loss ({training.auxiliary_weight}), running
average of the weights. Augmentation: {augmentation(config)}. The configuration is
`models/training/configs/{config.id}.json`. {card["training"]}

## Figures

{figures_table(manifest)}

{card["figures"]}

## Limits

{card["limits"]}
"""


def architecture(network: NetworkConfig) -> str:
    if not isinstance(network, PSPNetConfig):
        name = {"unet": "U-Net", "deeplabv3plus": "DeepLabv3+"}[network.architecture]
        return f"{name} of segmentation-models-pytorch, {network.backbone}"
    refined = ", with a boundary-refining step on the stride-4 features" if network.refine else ""
    width = f" at {network.width:g} of its width" if network.width != 1 else ""
    return f"PSPNet (Zhao et al., CVPR 2017), {network.backbone}{width}, output stride {network.output_stride}{refined}"


def slices(config: Config) -> str:
    return "one slice" if config.input.channels == 1 else "three neighbouring slices"


def intensity(config: Config) -> str:
    low, high = f"{config.input.low:g}", f"{config.input.high:g}"
    if config.input.intensity == "window":
        return f"modality values {low} to {high}"
    return f"percentiles {low}–{high} of the volume"


def augmentation(config: Config) -> str:
    a = config.augmentation
    turned = "every rotation" if a.rotation_degrees >= 180 else f"rotation by up to {a.rotation_degrees:g}°"
    mirrored = ["mirroring"] if a.mirror_slice else []
    reversed_ = ["reversed slice order"] if a.reverse_slices else []
    rest = "zoom, aspect, elastic deformation, gamma, bias field, contrast, noise, resolution, lost neighbours"
    return ", ".join([turned, *mirrored, *reversed_, rest])


def figures_table(manifest: dict[str, Any]) -> str:
    if not manifest["evaluation"]:
        return "Not yet evaluated."
    rows = ["| data | metric | value | by segment |", "| --- | --- | --- | --- |"]
    for figure in manifest["evaluation"]:
        of_segments = ", ".join(f"{label} {value:.3f}" for label, value in figure.get("perSegment", {}).items())
        rows.append(f"| {figure['data']} | {figure['metric']} | {figure['value']:.3f} | {of_segments} |")
    return "\n".join(rows)
