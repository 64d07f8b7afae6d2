"""Reads a DICOM-SEG of type LABELMAP with pydicom and with highdicom.

    read_labelmap.py seg.dcm sources.json folder

As read_segmentation.py: writes folder/pydicom.bin and folder/highdicom.bin (uint8), prints what each says of the rest.
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
        voxels[uids.index(image.ReferencedSOPInstanceUID)] = frame
    return voxels, {
        "bits": seg.BitsAllocated,
        "segments": [s.SegmentNumber for s in seg.SegmentSequence],
        "syntax": seg.file_meta.TransferSyntaxUID,
    }


def with_highdicom(path: str, uids: list[str]) -> tuple[np.ndarray, dict]:
    seg = hd.seg.segread(path)
    pixels = seg.get_pixels_by_source_instance(
        source_sop_instance_uids=uids,
        combine_segments=True,
        ignore_spatial_locations=False,
        assert_missing_frames_are_empty=True,
    )
    numbers = [int(n) for n in seg.segment_numbers]
    return pixels.astype(np.uint8), {
        "numbers": numbers,
        "labels": [seg.get_segment_description(n).segment_label for n in numbers],
    }


warnings.simplefilter("ignore")
path, sources, folder = sys.argv[1:]
uids = json.loads(Path(sources).read_text())
said = {}
for name, read in [("pydicom", with_pydicom), ("highdicom", with_highdicom)]:
    voxels, said[name] = read(path, uids)
    Path(folder, f"{name}.bin").write_bytes(np.ascontiguousarray(voxels).tobytes())
print(json.dumps(said))
