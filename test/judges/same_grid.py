"""Prints where nibabel and SimpleITK see an image and its labelmap, as JSON.

    python test/judges/same_grid.py image.nii labels.nii.gz

By tool: size and affine (rows; nibabel's to RAS, ITK's to LPS) of both files, nibabel's also the codes of qform and sform;
"error" in place of them where the tool does not read the image itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk


def main() -> None:
    image, labels = sys.argv[1:3]
    tools: dict[str, Callable[[str], dict[str, Any]]] = {"nibabel": by_nibabel, "SimpleITK": by_itk}
    print(json.dumps({name: seen_by(tool, image, labels) for name, tool in tools.items()}))


def seen_by(tool: Callable[[str], dict[str, Any]], image: str, labels: str) -> dict[str, Any]:
    try:
        of_image = tool(image)
    except Exception as error:  # noqa: BLE001 whatever the tool has against the file
        return {"error": str(error).strip().splitlines()[-1][:200]}
    return {"image": of_image, "labels": tool(labels)}


def by_nibabel(path: str) -> dict[str, Any]:
    file = nib.load(path)
    codes = [int(file.header["qform_code"]), int(file.header["sform_code"])]
    return {"size": [int(n) for n in file.shape], "affine": finite(file.affine), "codes": codes}


def by_itk(path: str) -> dict[str, Any]:
    file = sitk.ReadImage(path)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(file.GetDirection(), (3, 3)) * file.GetSpacing()
    affine[:3, 3] = file.GetOrigin()
    return {"size": list(file.GetSize()), "affine": finite(affine)}


def finite(affine: np.ndarray) -> list[list[float]]:
    if not np.isfinite(affine).all():
        raise ValueError("the affine has no numbers")
    return [[float(x) for x in row] for row in affine]


if __name__ == "__main__":
    main()
