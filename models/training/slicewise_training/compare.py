"""Networks beside each other, trained on one split: what they are worth on its patients, and what they cost.

Results are not post-processed. Surface figures are of slices, by Nikolov et al. (10.2196/26151) in two
dimensions and pixels. `surfaceDice` counts a slice and label that only one of reference and result shows as 0;
`hd95Px`, which has no value there, and `surfaceDiceOfBoth` are over those that both show, and `slices` says how many
slices and labels are shown by both and by one alone. Needs `pip install -e '.[comparison]'`.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import surface_distance
from numpy.typing import NDArray

from .checkpoint import load_network
from .config import Config
from .cost import multiply_accumulates
from .data import load_part
from .export import export_onnx, generated_window
from .labels import IGNORED
from .network import build_network, parameter_count
from .predict import Run, dice, mean_dice, predict_labels
from .runs import run_onnx_file

LOG = logging.getLogger(__name__)

MODELS = Path(__file__).parents[2]
TOLERANCE_PX = 1.0


def compare(
    configs: list[Config], data: Path, part: str, runs: Path, keep: Path | None = None
) -> Iterator[dict[str, Any]]:
    """A row for each network: that of a training in `runs/<id>`, or else the released `models/<id>`; one that is in
    neither is left out. Trained networks stay in the folder `keep` as <id>.onnx."""
    for config in configs:
        run, released = runs / config.id, MODELS / config.id / "model.onnx"
        is_trained = (run / "checkpoint.pt").exists()
        if not is_trained and not released.exists():
            LOG.warning("%s is left out: there is no training of it in %s", config.id, run)
            continue
        with tempfile.TemporaryDirectory() as folder:
            onnx = (keep or Path(folder)) / f"{config.id}.onnx" if is_trained else released
            training = export_training(config, run, onnx) if is_trained else {}
            figures = worth(config, data, part, run_onnx_file(onnx), f"{config.id}, compared")
            costs = cost(config, onnx)
        row = {"id": config.id, **training, **costs, **figures}
        LOG.info(json.dumps(row))
        yield row


def export_training(config: Config, run: Path, onnx: Path) -> dict[str, Any]:
    """Writes the ONNX file and returns what the training took."""
    export_onnx(load_network(run, config.network), onnx, generated_window(config))
    last = [json.loads(line) for line in (run / "curves.jsonl").read_text().splitlines()][-1]
    return {"minutes": last["minutes"], "steps": last["step"]}


def cost(config: Config, onnx: Path) -> dict[str, Any]:
    network = build_network(config.network)
    return {
        "parameters": parameter_count(network),
        "gmac": round(multiply_accumulates(network, config.input.size, config.input.channels) / 1e9, 2),
        "megabytes": round(onnx.stat().st_size / 1e6, 1),
    }


def worth(config: Config, data: Path, part: str, run: Run, reading: str | None = None) -> dict[str, Any]:
    """Means over volumes and labels (Dice), and over slices and labels (the rest)."""
    dices, surfaces, alone = [], [], 0
    for volume in load_part(data, config, part, reading):
        result = predict_labels(volume.image, volume.spacing, config.input, run)
        result[volume.label == IGNORED] = 0
        for label in range(1, config.network.classes):
            dices.append(dice(result, volume.label, label))
            for found, reference in zip(result == label, volume.label == label, strict=True):
                if found.any() and reference.any():
                    surfaces.append(slice_surfaces(found, reference))
                elif found.any() or reference.any():
                    alone += 1
    shown = alone + len(surfaces)
    hd95, surface_dice = np.mean(surfaces, 0).round(4).tolist() if surfaces else (None, None)
    return {
        "dice": round(mean_dice(dices), 4),
        "hd95Px": hd95,
        "surfaceDice": None if shown == 0 else round(float((surface_dice or 0) * len(surfaces) / shown), 4),
        "surfaceDiceOfBoth": surface_dice,
        "slices": {"both": len(surfaces), "one": alone},
        "onlyOneShows": round(alone / max(1, shown), 4),
    }


def slice_surfaces(found: NDArray[np.bool_], reference: NDArray[np.bool_]) -> tuple[float, float]:
    """95 % Hausdorff distance in pixels, and the surface Dice at TOLERANCE_PX, of two masks that are not empty."""
    distances = surface_distance.compute_surface_distances(reference, found, (1.0, 1.0))
    return (
        surface_distance.compute_robust_hausdorff(distances, 95),
        surface_distance.compute_surface_dice_at_tolerance(distances, TOLERANCE_PX),
    )
