"""The log of every reading of a test part, beside its split."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path


def readings_path(split: Path) -> Path:
    return split.with_suffix(".test-readings.jsonl")


def log_test_reading(split: Path, what: str) -> None:
    row = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "model": what}
    with readings_path(split).open("a") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
