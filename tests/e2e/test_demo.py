"""Our own demo data, compared and asked for its answers: works in any clone, without the samples."""

import filecmp
import signal
import sys
import time
import unittest

import answers
import harness


class DemoClean(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("demo")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        made = harness.demo(cls.workspace.path("made"), 5000, "--errors", "clean", "--seed", 11)
        delivery = harness.copy_delivery(made, cls.workspace.path("delivery"))
        harness.compare(delivery, cls.data, "--links", cls.workspace.path("links.csv"))
        cls.answers = answers.expected(made)
        cls.truth = harness.read_truth(made / "truth" / "rows.csv.gz")
        cls.links = harness.read_links(cls.workspace.path("links.csv"))

    def test_forms_are_exact(self):
        answers.check_exact_forms(self, self.data, self.answers)

    def test_links(self):
        answers.check_links(self, self.links, self.truth, precision=1, recall=0.998)

    def test_control_totals(self):
        answers.check_control_totals(self, self.data, self.answers)
        answers.check_links_agree_with_totals(self, self.data, self.links)


class DemoErrors(unittest.TestCase):
    def test_realistic_links(self):
        with harness.Workspace("demo-errors") as w:
            made = harness.demo(w.path("made"), 5000, "--errors", "realistic", "--seed", 12)
            harness.compare(made, w.data(), "--no-register", "--links", w.path("links.csv"))
            truth = harness.read_truth(made / "truth" / "rows.csv.gz")
            # Our generator damages more people who are in one file only than the samples do: what
            # no number can link is a larger part of the pairs.
            answers.check_links(self, harness.read_links(w.path("links.csv")), truth, recall=0.997)

    def test_hard_errors_merge_no_strangers(self):
        with harness.Workspace("demo-hard") as w:
            made = harness.demo(w.path("made"), 3000, "--errors", "hard", "--seed", 13)
            harness.compare(made, w.data(), "--no-register", "--links", w.path("links.csv"))
            truth = harness.read_truth(made / "truth" / "rows.csv.gz")
            answers.check_links(self, harness.read_links(w.path("links.csv")), truth,
                                precision=0.999, recall=0.9)


class DemoData(unittest.TestCase):
    def test_same_seed_same_files(self):
        with harness.Workspace("demo-seed") as w:
            a = harness.demo(w.path("a"), 800, "--seed", 5)
            b = harness.demo(w.path("b"), 800, "--seed", 5)
            c = harness.demo(w.path("c"), 800, "--seed", 6)
            names = sorted(p.name for p in a.iterdir() if p.is_file())
            self.assertIn("manifest.toml", names)
            # made_at may tell the time; everything else is decided by the seed.
            files = [n for n in names if n != "manifest.toml"]
            self.assertEqual(filecmp.cmpfiles(a, b, files, shallow=False), (files, [], []))
            self.assertTrue(filecmp.cmpfiles(a, c, files, shallow=False)[1])

    def test_stops_when_asked(self):
        with harness.Workspace("demo-stop") as w:
            out = w.path("made")
            making = harness.start("demo-data", "--persons", 50_000_000, "--out", out)
            while not (out.exists() and any(f.stat().st_size for f in out.rglob("*") if f.is_file())):
                self.assertIsNone(making.poll())
                time.sleep(0.05)
            making.send_signal(signal.SIGTERM)
            self.assertEqual(making.wait(60), 130)
            self.assertFalse((out / "manifest.toml").exists())
            # The folder may be used again.
            harness.compare(harness.demo(out, 1000), w.data(), "--no-register")

    def test_another_province(self):
        with harness.Workspace("demo-province") as w:
            made = harness.demo(w.path("made"), 1500, "--province", "510000", "--errors", "clean")
            harness.compare(made, w.data())
            self.assertEqual(harness.form(w.data(), "2-1")["division"], "510000")
            answers.check_exact_forms(self, w.data(), answers.expected(made))


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
