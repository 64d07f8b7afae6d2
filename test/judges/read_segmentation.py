"""Reads a DICOM-SEG with pydicom and with highdicom.

    read_segmentation.py seg.dcm sources.json folder [--no-volume]

sources.json: SOP Instance UIDs of the source images, slice by slice. Writes folder/pydicom.bin and folder/highdicom.bin
(uint8, columns fastest, then rows, then slices of the source) and prints what each says of the geometry; of images that
are no regular grid, pydicom alone.
"""

import json
import sys
import warnings
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom


def with_pydicom(path: str, uids: list[str]) -> tuple[np.ndarray, dict]:
    """Frame by frame, each put on the slice of the image it was derived from."""
    seg = pydicom.dcmread(path)
    voxels = np.zeros((len(uids), seg.Rows, seg.Columns), np.uint8)
    frames = seg.pixel_array.reshape(seg.NumberOfFrames, seg.Rows, seg.Columns)
    for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        image = groups.DerivationImageSequence[0].SourceImageSequence[0]
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        voxels[uids.index(image.ReferencedSOPInstanceUID)][frame > 0] = number
    return voxels, {"frames": seg.NumberOfFrames, "segments": len(seg.SegmentSequence)}


def with_highdicom(path: str, uids: list[str]) -> tuple[np.ndarray, dict]:
    seg = hd.seg.segread(path)
    pixels = seg.get_pixels_by_source_instance(
        source_sop_instance_uids=uids,
        combine_segments=True,
        ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )
    if "--no-volume" in sys.argv:
        return pixels.astype(np.uint8), {}
    volume = seg.get_volume(combine_segments=True)
    return pixels.astype(np.uint8), {
        "affine": np.array(volume.affine).tolist(),  # indices (slice, row, column) to LPS mm
        "shape": list(volume.array.shape),
        "voxels": int((np.asarray(volume.array) > 0).sum()),
        "labels": [s.SegmentLabel for s in seg.SegmentSequence],
        "laterality": [
            s.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeValue
            for s in seg.SegmentSequence
        ],
    }


warnings.simplefilter("ignore")
path, sources, folder = sys.argv[1:4]
uids = json.loads(Path(sources).read_text())
said = {}
for name, read in [("pydicom", with_pydicom), ("highdicom", with_highdicom)]:
    voxels, said[name] = read(path, uids)
    Path(folder, f"{name}.bin").write_bytes(np.ascontiguousarray(voxels).tobytes())
print(json.dumps(said))
