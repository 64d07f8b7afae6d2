"""Trains one model from its configuration; a second call goes on where a killed one stopped, to the same weights."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .augment import random_view
from .checkpoint import read_checkpoint
from .config import Config, Crop
from .data import LabelledVolume, load_part, to_model_matrix, with_neighbours
from .identity import NOTHING, identity, refuse_another
from .labels import IGNORED
from .network import build_network
from .predict import dice, mean_dice, predict_labels

LOG = logging.getLogger(__name__)

VALIDATE_EVERY_S = 600.0
SAVE_EVERY_S = 120.0
# Against the usual one: crops that grow take a few times longer.
LONGEST_STEP = 5.0
# Keeps the seeds of dropout apart from those of the views.
DROPOUT_SEEDS = 500_000_000_000


class Training:
    """The state that a checkpoint holds: network, its running average, optimiser, step and seconds spent, and what the
    training is, by hash. Every step draws from a seed of its own, views and dropout alike, so that nothing else is
    needed to go on as if nothing had happened.

    `start` is the hash of the weights that the caller gives to a new training (`finetune`). Raises InputError if
    the run's checkpoint was begun as something else.
    """

    def __init__(self, config: Config, data: Path, run: Path, budget_s: float, start: str = NOTHING) -> None:
        self.config, self.run, self.budget_s = config, run, budget_s
        run.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(config.training.seed)
        self.network = build_network(config.network).to(self.device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            config.training.learning_rate,
            weight_decay=config.training.weight_decay,
            fused=True,
        )
        self.step, self.seconds = 0, 0.0
        self.identity = identity(config, start, budget_s / 60)
        if self.checkpoint.exists():
            self.resume()
        spacing = config.training.spacing or config.input.spacing
        self.volumes = [at_model_spacing(v, spacing) for v in load_part(data, config, "train")]
        self.slices = [(v, k) for v in self.volumes for k in range(v.image.shape[0]) if (v.label[k] != IGNORED).any()]
        self.slices_of = slices_by_structure(self.slices)
        self.validation = load_part(data, config, "validation")

    @property
    def checkpoint(self) -> Path:
        return self.run / "checkpoint.pt"

    @property
    def progress(self) -> float:
        return min(1.0, max(self.step / self.config.training.steps, self.seconds / self.budget_s))

    def resume(self) -> None:
        state = read_checkpoint(self.checkpoint, self.device)
        refuse_another(self.identity, state.get("identity"), self.checkpoint)
        self.network.load_state_dict(state["network"], strict=True)
        self.average.load_state_dict(state["average"], strict=True)
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        partial = self.checkpoint.with_suffix(".partial")
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "identity": self.identity,
        }
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def mixed_precision(self) -> torch.autocast:
        """bf16, but for a CPU without AVX-512: it emulates bf16, some ten times slower than fp32."""
        is_fast = self.device.type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_fast)

    def go(self) -> None:
        validated = saved = self.seconds
        losses: list[float] = []
        usual = math.inf
        while self.progress < 1:
            started = time.monotonic()
            losses.append(self.one_step())
            self.step += 1
            # A computer that slept, or a process that was stopped, has not trained meanwhile.
            spent = min(time.monotonic() - started, LONGEST_STEP * usual)
            usual = spent if math.isinf(usual) else 0.9 * usual + 0.1 * spent
            self.seconds += spent
            if self.seconds - saved > SAVE_EVERY_S:
                self.save()
                self.note(loss=float(np.mean(losses)))
                saved, losses = self.seconds, []
            every = self.config.training.validate_steps
            is_due = self.step % every == 0 if every else self.seconds - validated > VALIDATE_EVERY_S
            if is_due and self.progress < 1:
                validated = self.seconds
                self.note(validation=self.validate())
        self.save()
        self.note(validation=self.validate())

    def one_step(self) -> float:
        settings = self.config.training
        progress = self.progress
        crop = next(c for c in settings.crops if progress <= c.until)
        rate = settings.learning_rate * min(1.0, (self.step + 1) / settings.warmup_steps)
        rate *= 0.5 * (1 + math.cos(math.pi * progress)) + 1e-3
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images, labels = self.batch(crop)
        torch.manual_seed(settings.seed * 1_000_003 + self.step + DROPOUT_SEEDS)
        self.network.train()
        with self.mixed_precision():
            logits, auxiliary = self.network(images)
        loss = segmentation_loss(logits, labels)
        if auxiliary is not None:
            # Too coarse to gain from more than every fourth pixel.
            loss = loss + settings.auxiliary_weight * segmentation_loss(auxiliary, labels[:, 2::4, 2::4])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.follow()
        return float(loss.detach())

    def batch(self, crop: Crop) -> tuple[Tensor, Tensor]:
        """Slices of this step, chosen and changed by the step's own seed, so that a resumed run draws the same."""
        generator = torch.Generator().manual_seed(self.config.training.seed * 1_000_003 + self.step)
        views = []
        for _ in range(crop.batch):
            volume, k = self.draw_slice(generator)
            image = torch.from_numpy(with_neighbours(volume.image, k, self.config.input.channels))
            label = torch.from_numpy(volume.label[k])
            views.append(random_view(image, label, crop.size, self.config.augmentation, generator))
        images = torch.stack([image for image, _ in views])
        labels = torch.stack([label for _, label in views])
        return images.to(self.device, memory_format=torch.channels_last), labels.to(self.device)

    def draw_slice(self, generator: torch.Generator) -> tuple[LabelledVolume, int]:
        slices = self.slices
        if float(torch.rand((), generator=generator)) < self.config.training.structure_share:
            slices = self.slices_of[int(torch.randint(len(self.slices_of), (), generator=generator))]
        return slices[int(torch.randint(len(slices), (), generator=generator))]

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the running average, parameters and batch-norm statistics alike, towards the network."""
        keep = min(self.config.training.ema, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        means, values = zip(*(pair for pair in pairs if pair[0].dtype.is_floating_point), strict=True)
        torch._foreach_lerp_(means, values, 1 - keep)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean Dice of the average network over the validation patients, a label."""
        self.average.eval()

        def run(window: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            with self.mixed_precision():
                logits = self.average(torch.from_numpy(window).to(self.device, memory_format=torch.channels_last))
            return np.asarray(logits.float().cpu().numpy())

        labels = range(1, self.config.network.classes)
        figures: dict[int, list[float]] = {n: [] for n in labels}
        for volume in self.validation:
            prediction = predict_labels(volume.image, volume.spacing, self.config.input, run)
            for n in labels:
                figures[n].append(dice(prediction, volume.label, n))
        result = {str(n): mean_dice(values) for n, values in figures.items()}
        return {**result, "mean": mean_dice(list(result.values()))}

    def note(self, **figures: object) -> None:
        row = {
            "step": self.step,
            "minutes": round(self.seconds / 60, 2),
            "progress": round(self.progress, 4),
            **figures,
        }
        with (self.run / "curves.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        LOG.info(json.dumps(row))


def at_model_spacing(volume: LabelledVolume, spacing: float) -> LabelledVolume:
    """The volume with its slices brought to the model's pixel spacing; labels by the nearest voxel."""
    rows, columns = volume.label.shape[1:]
    if all(abs(s - spacing) < 1e-3 for s in volume.spacing):
        return volume
    height, width = round(rows * volume.spacing[0] / spacing), round(columns * volume.spacing[1] / spacing)
    to_y, _ = to_model_matrix(rows, volume.spacing[0], height, spacing, 0.0)
    to_x, _ = to_model_matrix(columns, volume.spacing[1], width, spacing, 0.0)
    return LabelledVolume(
        patient=volume.patient,
        name=volume.name,
        image=(to_y @ volume.image @ to_x.T).astype(np.float32),
        label=volume.label[:, to_y.argmax(1)][:, :, to_x.argmax(1)],
        spacing=(spacing, spacing),
    )


def slices_by_structure(slices: list[tuple[LabelledVolume, int]]) -> list[list[tuple[LabelledVolume, int]]]:
    """For each label that occurs, the slices that show it."""
    found: dict[int, list[tuple[LabelledVolume, int]]] = {}
    for volume, k in slices:
        for label in np.unique(volume.label[k]):
            found.setdefault(int(label), []).append((volume, k))
    return [found[label] for label in sorted(found) if 0 < label < IGNORED]


def segmentation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus 1 − soft Dice of the foreground over the batch, on the labels' grid: [B, C, h, w], [B, H, W] →
    scalar. Pixels that are IGNORED count in neither. One softmax serves both, and no one-hot labels are made, which
    cost much where there are many classes."""
    scores = F.interpolate(logits.float(), labels.shape[1:], mode="bilinear", align_corners=False)
    log_probability = scores.log_softmax(1)
    judged = labels != IGNORED
    safe = torch.where(judged, labels, 0)
    of_label = log_probability.gather(1, safe[:, None])[:, 0][judged]
    flat, classes = labels[judged], scores.shape[1]
    overlap = of_label.new_zeros(classes).index_add(0, flat, of_label.exp())
    size = (log_probability.exp() * judged[:, None]).sum((0, 2, 3)) + torch.bincount(flat, minlength=classes)
    dice = (2 * overlap + 1) / (size + 1)
    return (1 - dice[1:]).mean() - of_label.sum() / max(1, of_label.numel())
