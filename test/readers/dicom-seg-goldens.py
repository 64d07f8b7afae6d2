"""Reads the BINARY segmentations of the public samples with highdicom and writes what they hold.

    python test/readers/dicom-seg-goldens.py ../shared/data > test/readers/dicom-seg-goldens.json

Voxels: SHA-256 of the labelmap as uint8, i fastest, then j, then k along the normal. Affine: index (i, j, k) to LPS mm.
"""
import hashlib
import json
import sys
import warnings
from pathlib import Path

import highdicom as hd
import numpy as np

FILES = [
    "dcmqi/segmentations/liver.dcm",
    "dcmqi/segmentations/24x38x3/seg/label.seg",
    "dcmqi/segmentations/23x38x3/seg/label.seg",
    "dcmqi/sr-example/seg.dcm",
    "highdicom/seg_image_ct_binary.dcm",
]

warnings.simplefilter("ignore")
goldens = {}
for name in FILES:
    path = Path(sys.argv[1], "dicom/seg-objects", name)
    seg = hd.seg.segread(path)
    volume = seg.get_volume(combine_segments=True)
    array, affine = np.asarray(volume.array), np.array(volume.affine)
    columns = affine[:3, [2, 1, 0]]  # highdicom's axes are slice, row, column
    origin = affine[:3, 3]
    if np.dot(np.cross(columns[:, 0], columns[:, 1]), columns[:, 2]) < 0:
        origin = origin + columns[:, 2] * (array.shape[0] - 1)
        columns[:, 2] *= -1
        array = array[::-1]
    labels, counts = np.unique(array[array > 0], return_counts=True)
    goldens[name] = {
        "dimensions": list(array.shape[::-1]),
        "affine": [[float(v) for v in [*columns[row], origin[row]]] for row in range(3)],
        "voxels": {str(label): int(count) for label, count in zip(labels, counts)},
        "sha256": hashlib.sha256(np.ascontiguousarray(array, dtype=np.uint8).tobytes()).hexdigest(),
    }
print(json.dumps(goldens, indent=2))
