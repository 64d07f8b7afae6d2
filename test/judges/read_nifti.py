"""Reads a NIfTI file with nibabel, writes its stored voxels as they lie, and prints what it says of them.

read_nifti.py file.nii.gz voxels.bin
"""

import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

image = nib.load(sys.argv[1])
voxels = np.asarray(image.dataobj)
Path(sys.argv[2]).write_bytes(voxels.tobytes(order="F"))
header = image.header
print(
    json.dumps(
        {
            "shape": list(image.shape),
            "type": str(voxels.dtype),
            "affine": image.affine.tolist(),  # sform: indices to RAS mm
            "qform": header.get_qform(coded=True)[0].tolist(),
            "codes": [int(header["qform_code"]), int(header["sform_code"])],
            "units": header.get_xyzt_units()[0],
            "spacing": [float(z) for z in header.get_zooms()],
            "intent": header.get_intent()[0],
        }
    )
)
