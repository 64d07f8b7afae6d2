"""Prints "N passed, N failed" over the result files of a run; a failed stage without a failed test counts as one."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(folder: Path, failed_stages: int) -> None:
    passed = failed = 0
    for vitest in folder.glob("vitest*.json"):
        report = json.loads(vitest.read_text())
        passed += report["numPassedTests"]
        failed += report["numFailedTests"]
    pytest = folder / "pytest.xml"
    if pytest.exists():
        for suite in ElementTree.parse(pytest).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += bad
            passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    print(f"{passed} passed, {max(failed, failed_stages)} failed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
