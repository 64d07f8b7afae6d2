"""Times pydicom's decoding, or nibabel's reading, in milliseconds.

python decoding_peer.py decode image.dcm 100
python decoding_peer.py nifti image.nii.gz 1
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    kind, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = decode(path) if kind == "decode" else read_nifti(path)
    run()  # loads the plugins
    start = time.perf_counter()
    for _ in range(count):
        run()
    print((time.perf_counter() - start) * 1000 / count)


def decode(path: str):
    import pydicom
    from pydicom.pixels import pixel_array

    image = pydicom.dcmread(path)
    return lambda: pixel_array(image)


def read_nifti(path: str):
    import nibabel as nib
    import numpy as np

    return lambda: np.asanyarray(nib.load(path).dataobj)


if __name__ == "__main__":
    main()
