"""Walks an archive with dicomweb-client, and prints what it got for test/judges/dicomweb-client.test.ts.

usage: dicomweb_walk.py http://localhost:port/dicom-web new.dcm, the file to store
"""

import hashlib
import json
import sys

import pydicom
from dicomweb_client.api import DICOMwebClient


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def uid(row: dict, tag: str) -> str:
    return row[tag]["Value"][0]


def bulk_uris(row: dict) -> list[str]:
    uris = []
    for element in row.values():
        if "BulkDataURI" in element:
            uris.append(element["BulkDataURI"])
        for item in element.get("Value", []) if element["vr"] == "SQ" else []:
            uris.extend(bulk_uris(item))
    return uris


def walk(url: str, path: str) -> dict:
    client = DICOMwebClient(url=url)
    found = {
        "studies": len(client.search_for_studies()),
        "none": client.search_for_studies(search_filters={"PatientID": "nobody"}),
        "filtered": len(client.search_for_studies(search_filters={"ModalitiesInStudy": "CT,MR"}, fields=["PatientSex"])),
        "page": len(client.search_for_studies(limit=1, offset=1, fuzzymatching=True)),
        "allSeries": len(client.search_for_series()),
        "allInstances": len(client.search_for_instances()),
        "instances": [],
    }
    for study in client.search_for_studies():
        study_uid = uid(study, "0020000D")
        for series in client.search_for_series(study_uid):
            series_uid = uid(series, "0020000E")
            whole = {file.SOPInstanceUID for file in client.retrieve_series(study_uid, series_uid)}
            assert whole == {uid(row, "00080018") for row in client.retrieve_series_metadata(study_uid, series_uid)}
            for row in client.search_for_instances(study_uid, series_uid):
                found["instances"].append(instance_of(client, study_uid, series_uid, uid(row, "00080018")))
        assert len(client.retrieve_study(study_uid)) == len(client.retrieve_study_metadata(study_uid))
    stored = client.store_instances([pydicom.dcmread(path)])
    found["stored"] = [item.ReferencedSOPInstanceUID for item in stored.ReferencedSOPSequence]
    found["studiesThen"] = len(client.search_for_studies())
    return found


def instance_of(client: DICOMwebClient, study: str, series: str, instance: str) -> dict:
    metadata = client.retrieve_instance_metadata(study, series, instance)
    file = client.retrieve_instance(study, series, instance)
    frames: list[str] = []
    if "00280010" in metadata:
        count = int(metadata.get("00280008", {"Value": [1]})["Value"][0])
        frames = [sha(frame) for frame in client.retrieve_instance_frames(study, series, instance, list(range(1, count + 1)))]
    return {
        "instance": instance,
        "name": str(file.PatientName),
        "nameInMetadata": str(pydicom.Dataset.from_json(metadata, lambda *_: b"").PatientName),
        "frames": frames,
        "bulk": [[sha(part) for part in client.retrieve_bulkdata(uri)] for uri in bulk_uris(metadata)],
    }


if __name__ == "__main__":
    print(json.dumps(walk(sys.argv[1], sys.argv[2])))
