"""Converts a folder of DICOM files with dcm2niix, and reads what it wrote with nibabel.

usage: read_with_dcm2niix.py FOLDER EMPTY_FOLDER

Prints a list of images: the name, which begins with the Series Instance UID, the shape (four sizes), the affine (to RAS) of its voxels, and the file
with its voxels: float32, little endian, i fastest, one volume after the other.
"""

import json
import os
import subprocess
import sys

import dcm2niix
import nibabel
import numpy as np

folder, out = sys.argv[1:]
run = subprocess.run(
    [dcm2niix.bin, "-z", "n", "-b", "n", "-m", "n", "-f", "%j", "-o", out, folder], capture_output=True, text=True
)
if run.returncode != 0:
    sys.exit(run.stdout + run.stderr)
images = []
for name in sorted(os.listdir(out)):
    if not name.endswith(".nii"):
        continue
    image = nibabel.load(os.path.join(out, name))
    voxels = np.asarray(image.dataobj, dtype="<f4")
    voxels = voxels.reshape(voxels.shape + (1,) * (4 - voxels.ndim))
    path = os.path.join(out, name + ".bin")
    with open(path, "wb") as file:
        file.write(voxels.tobytes(order="F"))
    images.append({"name": name, "shape": voxels.shape, "affine": image.affine.tolist(), "voxels": path})
print(json.dumps(images))
