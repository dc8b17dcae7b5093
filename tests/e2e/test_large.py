"""Nightly: a large province. Memory stays within the budget plus 512 MB, nothing is lost.

CANBAO_LARGE (default 30,000,000) is the number of persons; 30 M need about 30 GB of disk.
"""

import os
import resource
import sys
import unittest

import harness

PERSONS = int(os.environ.get("CANBAO_LARGE", "30000000"))
BUDGET_MB = 2048


class Large(unittest.TestCase):
    def test_memory_and_control_totals(self):
        with harness.Workspace("large") as w:
            made = w.path("made")
            harness.ok("demo-data", "--persons", PERSONS, "--out", made, timeout=4 * 3600)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            done = harness.ok("compare", made, "--data", w.data(), "--no-register",
                              "--memory", f"{BUDGET_MB}M", timeout=4 * 3600)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            if peak > before:  # else the generator was larger, and this says nothing of the comparison
                self.assertLessEqual(peak, BUDGET_MB + 512)
            manifest = harness.last_manifest(w.data())
            rows = 0
            for e in manifest["extracts"]:
                rows += e["rows_in"]
                self.assertEqual(e["rows_in"], e["linked"] + e["unlinked"] + e["rejected"] +
                                 e.get("reference", 0), e["file"])
            print(f"{PERSONS} persons, {rows} rows: {done.seconds:.1f} s, peak {peak} MB")


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
