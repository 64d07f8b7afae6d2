"""Prints what pydicom says of DICOM files, for test/judges/archive-answers.test.ts to hold the archive's answers against.

usage: archive_answers.py list.json, which holds a list of paths; or "bundled" in its place for the test files that come
with pydicom itself. Prints {path: {"json": DICOM JSON model, "frames": [SHA-256 of each] or null, "error": why not}}.
Pixel data and group lengths are left out of the model; values of more bytes than the archive inlines are {"BulkDataURI"}.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import get_expected_length, pixel_array, unpack_bits  # noqa: F401

MAX_INLINE_BYTES = 1 << 20
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def model_of(dataset: pydicom.Dataset) -> dict:
    # Anything behind the pixel data is padding and signatures, which no client asks for.
    copy = pydicom.Dataset()
    for element in dataset:
        if element.tag > 0x7FE00010 or element.keyword in PIXEL_KEYWORDS:
            continue
        copy.add(element)
    without_group_lengths(copy)
    return copy.to_json_dict(
        bulk_data_threshold=MAX_INLINE_BYTES * 4 // 3 + 4, bulk_data_element_handler=lambda _: "bulk"
    )


def without_group_lengths(dataset: pydicom.Dataset) -> None:
    for element in list(dataset):
        if element.tag.element == 0:
            del dataset[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                without_group_lengths(item)


def frames_of(dataset: pydicom.Dataset) -> list[str] | None:
    keyword = next((each for each in PIXEL_KEYWORDS if each in dataset), None)
    if keyword is None:
        return None
    element = dataset[keyword]
    count = int(dataset.get("NumberOfFrames") or 1)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        frames = list(generate_frames(element.value, number_of_frames=count))
    else:
        frames = native_frames(dataset, element, count)
    return [hashlib.sha256(frame).hexdigest() for frame in frames]


def native_frames(dataset: pydicom.Dataset, element: pydicom.DataElement, count: int) -> list[bytes]:
    bits = dataset.BitsAllocated
    value = element.value
    if not dataset.file_meta.TransferSyntaxUID.is_little_endian and (bits > 8 or element.VR == "OW"):
        width = max(2, bits // 8)
        value = np.frombuffer(value[: len(value) // width * width], dtype=f">u{width}").astype(f"<u{width}").tobytes()
    if bits == 1:
        pixels = dataset.Rows * dataset.Columns
        all_bits = np.unpackbits(np.frombuffer(value, dtype="u1"), bitorder="little")
        return [
            np.packbits(all_bits[n * pixels : (n + 1) * pixels], bitorder="little").tobytes() for n in range(count)
        ]
    length = get_expected_length(dataset, unit="bytes") // count
    return [value[n * length : (n + 1) * length] for n in range(count) if (n + 1) * length <= len(value)]


def answer(path: str) -> dict:
    try:
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            return {"error": "names no transfer syntax"}
        try:
            frames, frames_error = frames_of(dataset), None
        except Exception as error:  # noqa: BLE001
            frames, frames_error = None, f"{type(error).__name__}: {error}"
        return {"json": model_of(dataset), "frames": frames, "framesError": frames_error}
    except Exception as error:  # noqa: BLE001
        return {"error": f"{type(error).__name__}: {error}"}


def bundled() -> list[str]:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    files = bundled() if sys.argv[1] == "bundled" else json.loads(Path(sys.argv[1]).read_text())
    answers = {path: answer(path) for path in files}
    print(json.dumps(answers, default=str))
