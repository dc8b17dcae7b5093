"""The independent samples: an outside program's deliveries with known answers.

Without them (CANBAO_SAMPLES, or ../shared/samples beside the checkout) these tests are skipped;
test_demo.py asks the same of our own demo data.
"""

import json
import sys
import unittest

import answers
import harness

SAMPLES = harness.samples_folder()


@unittest.skipIf(SAMPLES is None, "no samples beside the checkout")
class SmallClean(unittest.TestCase):
    """No error in any row: every figure must be reproduced exactly."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("clean")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        delivery = harness.copy_delivery(SAMPLES / "small-clean", cls.workspace.path("delivery"))
        harness.compare(delivery, cls.data, "--links", cls.workspace.path("links.csv"))
        cls.answers = answers.expected(SAMPLES / "small-clean")
        cls.truth = harness.read_truth(SAMPLES / "small-clean" / "truth" / "rows.csv.gz")
        cls.links = harness.read_links(cls.workspace.path("links.csv"))

    def test_forms_are_exact(self):
        answers.check_exact_forms(self, self.data, self.answers)

    def test_links(self):
        answers.check_links(self, self.links, self.truth, precision=1, recall=0.998)

    def test_outcomes(self):
        answers.check_outcomes(self, self.links, self.truth, share=1)

    def test_control_totals(self):
        answers.check_control_totals(self, self.data, self.answers)
        answers.check_links_agree_with_totals(self, self.data, self.links)


@unittest.skipIf(SAMPLES is None, "no samples beside the checkout")
class SmallRealistic(unittest.TestCase):
    """The errors that real files carry, at realistic rates."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("realistic")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        delivery = harness.copy_delivery(SAMPLES / "small-realistic", cls.workspace.path("delivery"))
        harness.compare(delivery, cls.data, "--links", cls.workspace.path("links.csv"))
        cls.answers = answers.expected(SAMPLES / "small-realistic")
        cls.truth = harness.read_truth(SAMPLES / "small-realistic" / "truth" / "rows.csv.gz")
        cls.links = harness.read_links(cls.workspace.path("links.csv"))

    def test_forms_within_tolerance(self):
        answers.check_tolerated_forms(self, self.data, self.answers)

    def test_links(self):
        answers.check_links(self, self.links, self.truth)

    def test_links_by_score(self):
        answers.check_links(self, self.links, self.truth, precision=0.99995, recall=0.997,
                            all_rows=True)

    def test_evaluate_says_the_same(self):
        judged = json.loads(harness.ok(
            "evaluate", "--links", self.workspace.path("links.csv"), "--truth",
            SAMPLES / "small-realistic" / "truth" / "rows.csv.gz", "--format", "json").out)
        self.assertEqual(judged["rows"], len(self.links))
        self.assertEqual(judged["without_link"], len(self.truth) - len(self.links))
        self.assertEqual(judged["merged_persons"], 0)
        self.assertEqual(judged["precision"], 1)
        self.assertGreater(judged["recall"], 0.997)
        self.assertGreater(judged["bcubed_recall"], 0.99)
        self.assertIn("id_blank", judged["strata"])

    def test_the_queue_is_short(self):
        counts = harness.last_manifest(self.data)["repair"]
        self.assertGreater(counts["by_score"], 100)
        self.assertLess(counts["review"], 5000 * 0.006)

    def test_outcomes(self):
        answers.check_outcomes(self, self.links, self.truth, share=0.995)

    def test_control_totals(self):
        answers.check_control_totals(self, self.data, self.answers)
        answers.check_links_agree_with_totals(self, self.data, self.links)

    def test_printed_checks_hold(self):
        checks = harness.form(self.data, "2-1")["checks"]
        self.assertGreaterEqual(len(checks), 3)
        self.assertTrue(all(c["holds"] for c in checks[:3]), checks)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
