"""Reads the segmentations of the public samples that do not overlap with highdicom and writes what they hold.

    python test/seg/dicom-seg-goldens.py ../shared/data > test/seg/dicom-seg-goldens.json

Voxels: SHA-256 of the labelmap as uint8, i fastest, then j, then k along the normal. Affine: index (i, j, k) to LPS mm.
FRACTIONAL is thresholded at half of its maximum.
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
    "dcmqi/segmentations/sparse-labelmap-noppv.dcm",
    "dcmqi/segmentations/sparse-labelmap-ppv5.dcm",
    "highdicom/seg_image_ct_binary.dcm",
    "highdicom/seg_image_ct_true_fractional.dcm",
]

warnings.simplefilter("ignore")
goldens = {}
for name in FILES:
    path = Path(sys.argv[1], "dicom/seg-objects", name)
    seg = hd.seg.segread(path)
    fractional = seg.SegmentationType == "FRACTIONAL"
    volume = seg.get_volume(combine_segments=not fractional, allow_missing_positions=True)
    array, affine = np.asarray(volume.array), np.array(volume.affine)
    if fractional:  # one channel a segment, 0…1 of the maximum; this file has one segment
        array = (array[..., 0] >= 0.5).astype(np.uint8)
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
