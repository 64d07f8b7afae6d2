"""The Python side of the segmentation bench: seg_peers.py <task> <labels.u8> <seg.dcm>, one task in a process.

Prints milliseconds (imports and inputs left out), the bytes that the process grew by, and what came out.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentDescription, Segmentation
from pydicom.dataset import FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIZE, SLICES, SEGMENTS = 512, 300, 5


def source_images() -> list[pydicom.Dataset]:
    """Headers of a CT series: highdicom does not look at its pixels."""
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    images = []
    for k in range(SLICES):
        image = pydicom.Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        image.PatientName, image.PatientID, image.PatientBirthDate, image.PatientSex = "x^", "x", "", ""
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "", "", "", ""
        image.Modality, image.SeriesNumber, image.InstanceNumber = "CT", 1, k + 1
        image.Rows, image.Columns = SIZE, SIZE
        image.PixelSpacing, image.SliceThickness = [0.8, 0.8], 1.5
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        image.ImagePositionPatient = [-204.4, -204.4, -600 + 1.5 * k]
        image.PositionReferenceIndicator, image.ReferringPhysicianName = "", ""
        images.append(image)
    return images


def encode_highdicom(labels: Path, _: Path):
    voxels = np.fromfile(labels, np.uint8).reshape(SLICES, SIZE, SIZE)
    images = source_images()
    algorithm = AlgorithmIdentificationSequence(
        name="test", version="1", family=codes.DCM.ArtificialIntelligence
    )
    descriptions = [
        SegmentDescription(
            segment_number=n + 1,
            segment_label=f"Kidney {n + 1}",
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=codes.SCT.Kidney,
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
        )
        for n in range(SEGMENTS)
    ]

    def run():
        seg = Segmentation(
            source_images=images,
            pixel_array=voxels,
            segmentation_type="BINARY",
            segment_descriptions=descriptions,
            series_instance_uid=generate_uid(),
            series_number=300,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="x",
            manufacturer_model_name="x",
            software_versions="1",
            device_serial_number="0",
        )
        seg.save_as(labels.with_suffix(".highdicom.dcm"))
        return {"frames": int(seg.NumberOfFrames)}

    return run


def decode_pydicom(_: Path, path: Path):
    def run():
        seg = pydicom.dcmread(path)
        bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little")
        frames = bits[: seg.NumberOfFrames * seg.Rows * seg.Columns].reshape(-1, seg.Rows, seg.Columns)
        positions = [
            float(f.PlanePositionSequence[0].ImagePositionPatient[2]) for f in seg.PerFrameFunctionalGroupsSequence
        ]
        lowest = min(positions)
        voxels = np.zeros((SLICES, seg.Rows, seg.Columns), np.uint8)
        for frame, z, groups in zip(frames, positions, seg.PerFrameFunctionalGroupsSequence, strict=True):
            number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
            voxels[round((z - lowest) / 1.5)][frame != 0] = number
        return {"voxels": int(np.count_nonzero(voxels))}

    return run


tasks = {"encode: highdicom, BINARY": encode_highdicom, "decode: pydicom + numpy": decode_pydicom}
name, labels, seg = sys.argv[1:]
task = tasks[name](Path(labels), Path(seg))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
result = task()
ms = 1000 * (time.perf_counter() - begin)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"ms": ms, "extraBytes": 1024 * (after - before), **result}))
