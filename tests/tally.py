"""Sums up a run of the gate: test cases from the XML reports (GoogleTest's and our end-to-end
runner's), tests that died without a report from ctest's log, and the checks the gate counted itself.

    tally.py REPORT PASSED FAILED     prints "N passed, M failed"; exit code 1 when M > 0 or N = 0
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def main() -> int:
    report = pathlib.Path(sys.argv[1])
    passed, failed, skipped = int(sys.argv[2]), int(sys.argv[3]), 0
    for path in sorted(report.glob("*/*.xml")):
        root = ElementTree.parse(path).getroot()
        bad = int(root.get("failures", 0)) + int(root.get("errors", 0))
        out = sum(1 for case in root.iter("testcase")
                  if case.get("result") in ("skipped", "suppressed") or case.find("skipped") is not None)
        failed += bad
        skipped += out
        passed += int(root.get("tests", 0)) - bad - out
    # Tests without a report of their own count once: small scripts, and those that a crash or a
    # time-out ended before they could write one.
    for log in sorted(report.glob("*/ctest.log")):
        for name, how in re.findall(r"Test +#\d+: (\S+) \.*[ *]*(Passed|Failed|Timeout|Exception|Not Run)",
                                    log.read_text(errors="replace")):
            written = log.parent / f"{name if name.startswith('e2e') else name + '_test'}.xml"
            bad = 0
            if written.exists():
                root = ElementTree.parse(written).getroot()
                bad = int(root.get("failures", 0)) + int(root.get("errors", 0))
            if how == "Passed":
                passed += 0 if written.exists() else 1
            elif bad == 0:
                failed += 1
                print(f"{log.parent.name}: {name}: {how} without a report")
        for summary in re.findall(r"tests passed, (\d+) tests failed out of (\d+)",
                                  log.read_text(errors="replace")):
            if summary[1] == "0":
                failed += 1
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
