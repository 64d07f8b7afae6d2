"""Random views of one slice: geometry and intensity of another scanner."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """Widths of the random changes; the defaults suit MR slices of unknown in-plane orientation.

    `mirror_slice` and `reverse_slices` are for anatomy or storage without a left and right, or without an order;
    mirroring is refused where a segment has a side (lateral.py)."""

    rotation_degrees: float = 180
    mirror_slice: bool = False
    reverse_slices: bool = True
    zoom_sigma: float = 0.22
    zoom_limits: tuple[float, float] = (0.6, 1.8)
    aspect_sigma: float = 0.08
    shift_px: float = 40.0
    elastic_px: float = 5.0
    gamma: float = 0.5
    bias: float = 0.35
    noise: float = 0.05
    lose_neighbours: float = 0.15


def random_view(
    image: Tensor, label: Tensor, size: int, a: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """[C, J, I] in 0…1 at the model's spacing, [J, I] labels → [C, size, size], [size, size] int64."""
    g = generator
    height, width = label.shape
    zoom = math.exp(a.zoom_sigma * _normal(g))
    zoom = min(max(zoom, a.zoom_limits[0]), a.zoom_limits[1])
    aspect = math.exp(a.aspect_sigma * _normal(g))
    angle = math.radians(_uniform(g, -a.rotation_degrees, a.rotation_degrees))
    mirror = -1.0 if a.mirror_slice and _uniform(g, 0, 1) < 0.5 else 1.0
    # pixel of the view, from its centre → pixel of the slice, from its centre
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    to_slice = torch.tensor([[cos * mirror * aspect, -sin / aspect], [sin * mirror * aspect, cos / aspect]])
    shift = torch.tensor([_uniform(g, -a.shift_px, a.shift_px), _uniform(g, -a.shift_px, a.shift_px)])
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    grid_y, grid_x = torch.meshgrid(axis, axis, indexing="ij")
    position = torch.stack([grid_x, grid_y], -1)
    if _uniform(g, 0, 1) < 0.5:
        coarse = torch.randn((1, 2, 6, 6), generator=g) * a.elastic_px * _uniform(g, 0, 1)
        position = position + F.interpolate(coarse, (size, size), mode="bicubic", align_corners=True)[0].permute(
            1, 2, 0
        )
    position = position @ to_slice.T + shift
    grid = (position / torch.tensor([width / 2, height / 2]))[None]
    view = F.grid_sample(image[None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]
    target = F.grid_sample(label[None, None].float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)[
        0, 0
    ].long()
    return _random_intensity(view, a, g), target


def _random_intensity(view: Tensor, a: Augmentation, g: torch.Generator) -> Tensor:
    size = view.shape[-1]
    if a.reverse_slices and _uniform(g, 0, 1) < 0.5:
        view = view.flip(0)
    if _uniform(g, 0, 1) < a.lose_neighbours:
        view = view[[view.shape[0] // 2] * view.shape[0]]
    if _uniform(g, 0, 1) < 0.25:
        low = int(size * _uniform(g, 0.4, 0.9))
        view = F.interpolate(view[None], (low, low), mode="bilinear", antialias=True, align_corners=False)
        view = F.interpolate(view, (size, size), mode="bilinear", align_corners=False)[0]
    if _uniform(g, 0, 1) < 0.6:
        view = view.clamp(0, 1) ** math.exp(_uniform(g, -a.gamma, a.gamma))
    if _uniform(g, 0, 1) < 0.4:
        field = torch.randn((1, 1, 3, 3), generator=g) * a.bias
        view = view * F.interpolate(field, (size, size), mode="bicubic", align_corners=True)[0].exp()
    if _uniform(g, 0, 1) < 0.6:
        view = view * _uniform(g, 0.75, 1.3) + _uniform(g, -0.1, 0.1)
    view = view.clamp(0, 1)
    if _uniform(g, 0, 1) < 0.4:
        view = view + torch.randn(view.shape, generator=g) * a.noise * _uniform(g, 0, 1)
    return view


def _uniform(g: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=g))


def _normal(g: torch.Generator) -> float:
    return float(torch.randn((), generator=g))
