"""Links explained, looked at, decided by people, and decided again."""

import csv
import json
import sys
import unittest

import harness


class Review(unittest.TestCase):
    """In the order of a reviewer's day: each test begins where a fresh comparison ended."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("review")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.made = harness.demo(cls.workspace.path("made"), 20000, "--errors", "hard", "--seed", 5)
        cls.links = cls.compare("links.csv")
        # Many commands follow: none of them starts the server for itself alone.
        harness.ok("db", "start", "--data", cls.data)
        cls.addClassCleanup(harness.run, "db", "stop", "--data", cls.data)
        cls.truth = {(t["file"], int(t["line"])): t
                     for t in harness.read_truth(cls.made / "truth" / "rows.csv.gz")}

    @classmethod
    def compare(cls, name):
        harness.compare(cls.made, cls.data, "--links", cls.workspace.path(name))
        return harness.read_links(cls.workspace.path(name))

    def queue(self):
        out = self.workspace.path("queue.csv")
        harness.ok("review", "--data", self.data, "--out", out)
        with open(out, encoding="utf-8-sig") as f:
            return list(csv.DictReader(f))

    def decide(self, rows, *more):
        path = self.workspace.path("decided.csv")
        with open(path, "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return harness.run("review", "--data", self.data, "--decisions", path, *more)

    def explain(self, *rows):
        return json.loads(harness.ok("explain", *rows, "--data", self.data, "--format",
                                     "json").out)

    @staticmethod
    def place(text):
        file, line = text.rsplit(":", 1)
        return file, int(line)

    def merges(self, key):
        """(went into the other, the other's key, undone at) of a person's merges."""
        shown = json.loads(harness.ok("person", key, "--data", self.data, "--format", "json").out)
        return [(r["went_into_the_other"], r["other_person_key"], r["undone_at_cutoff"])
                for person in shown for r in person.get("merges", [])]

    def one_of(self, outcome):
        return next(p for p, (_, o) in sorted(self.links.items()) if o == outcome)

    def test_the_queue_is_in_the_order_of_what_a_decision_changes(self):
        queue = self.queue()
        self.assertGreater(len(queue), 20)
        self.assertEqual(harness.last_manifest(self.data)["repair"]["review"],
                         len({r["row"] for r in queue}))
        effects = [r["effect"] for r in queue if r["candidate"] == "1"]
        self.assertEqual(effects, sorted(effects, key=lambda e: e != "whether there is one person more"))
        for row in queue:
            self.assertNotIn(self.links[self.place(row["row"])][1], ("exact", "baseline"))
            self.assertTrue(row["person_row"])
        numbers = [r["person_number"] for r in queue if r["person_number"]]
        masked = harness.ok("review", "--data", self.data, "--mask").out
        self.assertNotIn(numbers[0], masked)
        self.assertIn(numbers[0][:6] + "********", masked)

    def test_every_outcome_is_explained(self):
        for outcome in ("baseline", "exact", "name_variant", "repaired", "probable", "conflict",
                        "unlinked"):
            file, line = self.one_of(outcome)
            blocks = self.explain(f"{file}:{line}")
            self.assertEqual(blocks[0]["block"], "row")
            said = " ".join(" ".join(b["remarks"]) for b in blocks)
            if outcome in ("baseline", "exact", "name_variant", "conflict"):
                self.assertEqual(blocks[1]["block"], "number", outcome)
            self.assertTrue(said or any("weights" in b for b in blocks), outcome)
            text = harness.ok("explain", f"{file}:{line}", "--data", self.data).out
            self.assertIn(f"{file}:{line}", text)

    def test_a_waterfall_adds_up_and_names_the_person(self):
        row = next(r for r in self.queue() if r["candidate"] == "1")
        blocks = self.explain(row["row"])
        best = next(b for b in blocks if b["block"] == "candidate")
        total = best["prior_bits"] + sum(w["bits"] for w in best["weights"])
        self.assertAlmostEqual(total, best["odds_bits"], places=6)
        self.assertAlmostEqual(float(row["odds_bits"]), best["odds_bits"], places=6)
        self.assertEqual(best["place"], row["person_row"])
        pair = self.explain(row["row"], best["place"])[-1]
        self.assertAlmostEqual(pair["prior_bits"] + sum(w["bits"] for w in pair["weights"]),
                               pair["odds_bits"], places=6)
        # Two rows say no more than a row and all that is known of the person.
        self.assertLessEqual({w["field"] for w in pair["weights"]},
                             {w["field"] for w in best["weights"]})

    def test_places_that_are_none(self):
        for words in (["nowhere.csv:3"], ["household_register_330000.csv"],
                      ["household_register_330000.csv:0"], ["household_register_330000.csv:99999999"],
                      ["household_register_330000.csv:1"]):
            finished = harness.run("explain", *words, "--data", self.data)
            self.assertEqual(finished.code, 2, finished)
            self.assertIn("CB-APP-0017", finished.err)

    def test_people_decide_and_undo(self):
        queue = self.queue()
        best = [r for r in queue if r["candidate"] == "1"]
        said = {}
        for r in best[:12]:
            same = (self.truth[self.place(r["row"])]["person"] ==
                    self.truth[self.place(r["person_row"])]["person"])
            said[r["row"]] = r["decision"] = "same" if same else "different"
        self.assertIn("same", said.values())
        self.assertEqual(self.decide(queue).code, 2, "nobody said who decided")
        wrong = [dict(best[0], decision="perhaps")]
        self.assertEqual(self.decide(wrong, "--by", "Li").code, 3)
        wrong = [dict(best[0], item="0123456789abcdef", decision="same")]
        self.assertEqual(self.decide(wrong, "--by", "Li").code, 3)
        finished = self.decide(queue, "--by", "Li")
        self.assertEqual(finished.code, 0, finished)

        decided = self.compare("decided-links.csv")
        for r in best[:12]:
            person = decided[self.place(r["row"])][0]
            of_candidate = decided[self.place(r["person_row"])][0]
            if said[r["row"]] == "same":
                self.assertEqual(person, of_candidate)
                self.assertEqual(decided[self.place(r["row"])][1], "probable")
            else:
                self.assertNotEqual(person, of_candidate)
        self.assertEqual(harness.last_manifest(self.data)["linkage"]["decisions_applied"], 12)
        # A person who went into another one is on record, at both ends.
        went = {self.links[p][0]: decided[p][0] for p in self.links
                if self.links[p][0] and decided[p][0] not in ("", self.links[p][0])}
        still = {person for person, _ in decided.values()}
        went = {a: b for a, b in went.items() if a not in still}
        self.assertTrue(went)
        for key, into in list(went.items())[:3]:
            self.assertEqual(self.merges(key), [("yes", into, "")])
            self.assertIn(("no", key, ""), self.merges(into))
        left = {r["row"] for r in self.queue()}
        self.assertFalse(left & set(said))
        taken = harness.ok("review", "--data", self.data, "--taken").out
        self.assertEqual(taken.count(",Li,"), 12)

        # Taken back: the same persons under the same keys as before.
        back = [dict(r, decision="withdraw") for r in best[:12]]
        self.assertEqual(self.decide(back, "--by", "Li").code, 0)
        self.assertEqual(self.compare("undone-links.csv"), self.links)
        for key, into in list(went.items())[:3]:
            ((_, other, undone),) = self.merges(key)
            self.assertEqual((other, undone), (into, "2017-09-30"))


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
