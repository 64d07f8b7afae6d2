"""Draws the best, the median and the worst patient of a released model's figures, reference above result.

Of each patient the first volume is shown, at the slice with the most voxels wrong. The results are the `slicewise`
command's. Needs Pillow: `pip install -e '.[pictures]'`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

from .config import Config
from .data import LabelledVolume, images_of_part, label_path, label_rule, load_volume
from .deployed import segment_command, segmented
from .errors import InputError
from .predict import dice

PANEL = 250
CAPTION = 20
COLOURS = 128
"""In the palette of the file, which keeps it small."""

FONT = ImageFont.load_default(size=12)

Rgb = tuple[int, int, int]
Labels = NDArray[np.uint8]
Square = tuple[float, float, float, float, float, float]
"""From a pixel (x, y) of a panel to one of the slice: ax + by + c, dx + ey + f."""


def draw_patients(
    config: Config, release: dict[str, Any], figures: dict[str, Any], data: Path, command: list[str]
) -> Image.Image:
    """`figures` are what `deployed` wrote of one part. These are patients of that part, read once more."""
    patients = figures["patients"]
    images = dict(images_of_part(data, config, figures["part"], f"{config.id}, pictures"))
    run = segment_command(command, config.id)
    colours = {s["segmentNumber"]: srgb(s["recommendedDisplayCIELab"]) for s in release["segments"]}
    columns = []
    for word, patient in chosen(patients).items():
        if patient not in images:
            raise InputError(
                f"{patient} is not of the split's {figures['part']} part", "name its figures with --figures"
            )
        path = images[patient][0]
        label = label_path(path, data, config.data)
        volume = load_volume(path, label, patient, config.input, label_rule(config))
        with segmented(path, run) as output:
            result = load_volume(path, output, patient, config.input).label
        columns.append(draw_patient(volume, result, f"{word}: Dice {patients[patient]['mean']:.2f}", colours))
    picture = Image.new("RGB", (PANEL * len(columns), columns[0].height))
    for n, column in enumerate(columns):
        picture.paste(column, (PANEL * n, 0))
    return picture.quantize(COLOURS)


def chosen(patients: dict[str, Any]) -> dict[str, str]:
    """The patients are in order, the worst first."""
    order = list(patients)
    return {"best": order[-1], "median": order[len(order) // 2], "worst": order[0]}


def draw_patient(volume: LabelledVolume, result: Labels, words: str, colours: dict[int, Rgb]) -> Image.Image:
    k = int((volume.label != result).sum((1, 2)).argmax())
    reference, found = volume.label[k], result[k]
    shown = (reference > 0) | (found > 0)
    mean = float(np.mean([dice(found, reference, n) for n in np.unique([reference[shown], found[shown]]) if n > 0]))
    square = square_around(shown, volume.spacing)
    column = Image.new("RGB", (PANEL, CAPTION + 2 * PANEL))
    pen = ImageDraw.Draw(column)
    pen.text((6, 3), f"{words} (this slice {mean:.2f})", "white", FONT)
    for top, name, label in ((CAPTION, "reference", reference), (CAPTION + PANEL, "result", found)):
        column.paste(draw_slice(volume.image[k], label, square, colours), (0, top))
        pen.text((6, top + 4), name, "white", FONT)
    return column


def square_around(shown: NDArray[np.bool_], spacing: tuple[float, float]) -> Square:
    """A square that holds what is shown, with a margin; the whole slice where nothing is."""
    rows, columns = np.nonzero(shown if shown.any() else np.ones_like(shown))
    extent = max((np.ptp(rows) + 1) * spacing[0], (np.ptp(columns) + 1) * spacing[1])
    step = 1.3 * extent / PANEL
    centre = ((rows.max() + rows.min() + 1) / 2, (columns.max() + columns.min() + 1) / 2)
    down, across = step / spacing[0], step / spacing[1]
    return across, 0, centre[1] - across * PANEL / 2, 0, down, centre[0] - down * PANEL / 2


def draw_slice(image: NDArray[np.float32], label: Labels, square: Square, colours: dict[int, Rgb]) -> Image.Image:
    """[J, I] in 0…1 in grey, each label outlined in its colour."""

    def cut(pixels: Labels, resample: Image.Resampling) -> Labels:
        picture = Image.fromarray(pixels).transform((PANEL, PANEL), Image.Transform.AFFINE, square, resample)
        return np.asarray(picture)

    grey = cut((image.clip(0, 1) * 255).astype(np.uint8), Image.Resampling.BILINEAR)
    rgb = np.repeat(grey[:, :, None], 3, 2)
    large = cut(label, Image.Resampling.NEAREST)
    for number, colour in colours.items():
        inside = large == number
        rgb[inside & ~binary_erosion(inside, iterations=2)] = colour
    return Image.fromarray(rgb)


def srgb(lab: list[int]) -> Rgb:
    """Of DICOM's 16-bit CIELab (PS3.3 C.10.7.1.1)."""
    to_srgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    # Pillow's bytes of a and b are signed.
    lightness, a, b = (round(value / 257) for value in lab)
    pixel = Image.frombytes("LAB", (1, 1), bytes([lightness, (a - 128) % 256, (b - 128) % 256]))
    converted = ImageCms.applyTransform(pixel, to_srgb)
    assert converted is not None  # as it is where nothing is converted in place
    red, green, blue = converted.tobytes()
    return red, green, blue
