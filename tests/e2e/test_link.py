"""`canbao link` from the outside: a public set with truth when it lies beside the checkout, invented
tables otherwise; the same result for any order of rows, threads and packing; what is refused."""

import csv
import gzip
import json
import os
import pathlib
import random
import sys
import unittest

import harness
from harness import DONE, ENVIRONMENT, REFUSED, USAGE

FAKE = next((p for p in (pathlib.Path(os.environ.get("CANBAO_SAMPLES", "/nowhere")).parent / "data/linkage",
                         harness.ROOT.parent / "shared" / "data" / "linkage")
             if (p / "fake_1000.csv").exists()), None)
MODEL = harness.ROOT / "data/linkage/public/fake_1000.toml"


def invented(rows, seed=1):
    """(fields, person) of invented people, half of the rows damaged."""
    rng = random.Random(seed)
    firsts = ["Ada", "Bruno", "Celia", "Dario", "Edith", "Fabio", "Gerda", "Hugo", "Irma", "Jonas"]
    lasts = ["Almeida", "Bergmann", "Castell", "Dubois", "Engel", "Farkas", "Grieg", "Hollander"]
    towns = ["Nordheim", "Suderburg", "Westerland", "Ostrava"]
    out = []
    while len(out) < rows:
        person = [rng.choice(firsts), rng.choice(lasts),
                  f"19{rng.randrange(40, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
                  rng.choice(towns)]
        name = len(out)
        for _ in range(rng.randrange(1, 4)):
            row = list(person)
            if rng.random() < 0.5:
                at = rng.randrange(2)
                i = rng.randrange(len(row[at]))
                row[at] = row[at][:i] + row[at][i + 1:]
            if rng.random() < 0.2:
                row[rng.randrange(4)] = ""
            out.append((row, name))
    return out[:rows]


def write(path, rows, opener=open):
    with opener(path, "wt", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["id", "first_name", "surname", "dob", "city"])
        writer.writerows([i] + fields for i, fields in rows)


def persons(path):
    """id → person."""
    with open(path, newline="", encoding="utf-8") as f:
        return {row["id"]: row["person"] for row in csv.DictReader(f)}


class PublicSet(unittest.TestCase):
    @unittest.skipUnless(FAKE, "no public data beside the checkout")
    def test_fake_1000(self):
        with harness.Workspace("link") as w:
            with open(FAKE / "fake_1000.csv", newline="", encoding="utf-8") as f:
                rows = list(csv.DictReader(f))
            table, links = w.path("rows.csv"), w.path("links.csv")
            with open(table, "w", newline="", encoding="utf-8") as f:
                writer = csv.writer(f)
                writer.writerow([k for k in rows[0] if k != "cluster"])
                writer.writerows([v for k, v in row.items() if k != "cluster"] for row in rows)
            truth = w.path("truth.csv")
            with open(truth, "w", newline="", encoding="utf-8") as f:
                writer = csv.writer(f)
                writer.writerow(["file", "line", "person"])
                writer.writerows([table, i + 2, row["cluster"]] for i, row in enumerate(rows))
            for model in (["--model", MODEL], []):
                harness.ok("link", table, "--links", links, "--quiet", *model)
                judged = json.loads(harness.ok("evaluate", "--links", links, "--truth", truth, "--by",
                                               "none", "--format", "json").out)
                self.assertEqual(judged["rows"], 1000)
                self.assertGreater(judged["f1"], 0.975)


class Link(unittest.TestCase):
    def test_order_threads_and_packing_change_nothing(self):
        rows = [(i, fields) for i, (fields, _) in enumerate(invented(600))]
        with harness.Workspace("link") as w:
            plain, packed = w.path("a.csv"), w.path("b.csv.gz")
            write(plain, rows)
            random.Random(3).shuffle(rows)
            write(packed, rows, gzip.open)
            found = []
            for path, threads in ((plain, 1), (plain, 3), (packed, 2)):
                links = w.path("links.csv")
                harness.ok("link", path, "--links", links, "--threads", threads, "--quiet")
                found.append(persons(links))
            self.assertEqual(found[0], found[1])
            self.assertEqual(found[0], found[2])
            self.assertLess(len(set(found[0].values())), 600)

    def test_what_it_leaves(self):
        rows = [(i, fields) for i, (fields, _) in enumerate(invented(300))]
        with harness.Workspace("link") as w:
            table, links, pairs, report, model = (w.path(n) for n in (
                "t.csv", "links.csv", "pairs.csv", "report.json", "model.toml"))
            write(table, rows)
            said = harness.ok("link", table, "--links", links, "--pairs", pairs, "--report", report,
                              "--write-model", model, "--quiet").out
            again = w.path("again.csv")
            harness.ok("link", table, "--links", again, "--model", model, "--quiet")
            self.assertEqual(links.read_text(), again.read_text())
            figures = json.loads(report.read_text())
            self.assertEqual(figures["rows"], 300)
            self.assertEqual(figures["persons"], len(set(persons(links).values())))
            self.assertEqual(figures["compared_pairs"], sum(r["pairs"] for r in figures["rules"]))
            self.assertIn(f"{figures['persons']}", said)
            with open(pairs, newline="", encoding="utf-8") as f:
                listed = list(csv.DictReader(f))
            self.assertGreater(len(listed), 10)
            person = persons(links)
            for row in listed:
                # The waterfall adds up, and the two are one person exactly when the links say so.
                parts = sum(round(100 * float(v)) for k, v in row.items()
                            if k.endswith("_weight"))
                prior = round(100 * float(figures["training"]["prior_bits"]))
                self.assertEqual(round(100 * float(row["weight"])), parts + prior)
                self.assertEqual(row["same_person"] == "1", person[row["id_a"]] == person[row["id_b"]])

    def test_two_files_one_row_each(self):
        rows = [(i, fields) for i, (fields, _) in enumerate(invented(400))]
        with harness.Workspace("link") as w:
            left, right, links = w.path("left.csv"), w.path("right.csv"), w.path("links.csv")
            write(left, rows[::2])
            write(right, rows[1::2])
            harness.ok("link", left, right, "--link-only", "--links", links, "--quiet")
            with open(links, newline="", encoding="utf-8") as f:
                seen = [(r["file"], r["person"]) for r in csv.DictReader(f)]
            self.assertEqual(len(seen), len(set(seen)))
            self.assertLess(len({person for _, person in seen}), 400)

    def test_explain_blocking(self):
        with harness.Workspace("link") as w:
            write(w.path("t.csv"), [(i, f) for i, (f, _) in enumerate(invented(100))])
            said = harness.ok("link", w.path("t.csv"), "--explain-blocking", "--quiet").out
            self.assertIn("4,950", said)

    def test_refused(self):
        with harness.Workspace("link") as w:
            table, model = w.path("t.csv"), w.path("m.toml")
            write(table, [(1, ["a", "b", "c", "d"])])
            done = harness.run("link", table)
            self.assertEqual(done.code, USAGE, done)
            model.write_text("version = 1\ncolums = 3\n")
            done = harness.run("link", table, "--model", model, "--links", w.path("l"), "--quiet")
            self.assertEqual(done.code, REFUSED, done)
            self.assertIn("m.toml:2", done.err)
            self.assertIn("CB-LINKAGE-0012", done.err)
            table.write_text("a,b\n1\n")
            done = harness.run("link", table, "--links", w.path("l"), "--quiet")
            self.assertEqual(done.code, REFUSED, done)
            self.assertIn("t.csv:2", done.err)
            self.assertFalse(w.path("l").exists())

    @unittest.skipUnless((harness.CANBAO.parent / "canbao_parquet.so").exists(), "no Parquet module")
    def test_parquet_there_and_back(self):
        rows = invented(300)
        with harness.Workspace("link") as w:
            table, links, columns = w.path("t.csv"), w.path("links.csv"), w.path("links.parquet")
            write(table, [(i, fields) for i, (fields, _) in enumerate(rows)])
            for out in (links, columns):
                harness.ok("link", table, "--links", out, "--quiet")
            self.assertEqual(sorted(p.name for p in w.root.iterdir()),
                             ["links.csv", "links.parquet", "t.csv"])
            truth = w.path("truth.csv")
            with open(truth, "w", newline="", encoding="utf-8") as f:
                writer = csv.writer(f)
                writer.writerow(["file", "line", "person"])
                writer.writerows([table, i + 2, person] for i, (_, person) in enumerate(rows))
            judged = [json.loads(harness.ok("evaluate", "--links", out, "--truth", truth, "--by", "none",
                                            "--format", "json").out) for out in (links, columns)]
            self.assertEqual(judged[0], judged[1])
            self.assertEqual(judged[0]["rows"], 300)
            # A table of links is a table like any other.
            again = w.path("again.csv")
            harness.ok("link", columns, "--links", again, "--ignore", "file", "--quiet")
            columns.write_bytes(b"PAR1 no more")
            done = harness.run("link", columns, "--links", again, "--quiet")
            self.assertEqual(done.code, REFUSED, done)
            self.assertIn("CB-LINKAGE-0007", done.err)

    def test_without_the_parquet_module(self):
        done = harness.run("link", "t.parquet", "--links", "l.csv", "--quiet",
                           env={"CANBAO_PARQUET": "/nowhere/canbao_parquet.so"})
        self.assertEqual(done.code, ENVIRONMENT, done)
        self.assertIn("CB-LINKAGE-0007", done.err)

    def test_help(self):
        done = harness.run("link", "--help")
        self.assertEqual(done.code, DONE)
        for word in ("--model", "--links", "--pairs", "--report", "--threads", "--explain-blocking"):
            self.assertIn(word, done.out)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
