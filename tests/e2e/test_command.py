"""The command as its users and scripts know it: exit codes, what goes to stdout, the lists, a
person's page, and deliveries one after the other into one data folder."""

import csv
import gzip
import io
import json
import pathlib
import sys
import unittest
import zipfile

import harness
from harness import DONE, ENVIRONMENT, REFUSED, USAGE

LISTS = ("to-verify", "uncovered", "duplicates", "discrepancies", "rejects", "conflicts")


class ExitCodes(unittest.TestCase):
    def expect(self, code, *words, says=None):
        done = harness.run(*words)
        self.assertEqual(done.code, code, done)
        if says:
            self.assertIn(says, done.err + done.out)
        return done

    def test_usage(self):
        self.expect(USAGE)
        self.expect(USAGE, "frobnicate")
        self.expect(USAGE, "compare", "somewhere")
        self.expect(USAGE, "forms", "--data", "x", "--form", "9-9", "--format", "json")
        self.expect(USAGE, "compare", "somewhere", "--data", "x", "--threads", "many")
        self.expect(USAGE, "compare", "somewhere", "--data", "x", "--memory", "plenty")

    def test_help_is_no_error(self):
        self.assertIn("compare", self.expect(DONE, "--help").out)
        self.expect(DONE, "compare", "--help")

    def test_language(self):
        chinese = harness.run("--help", lang="zh").out
        self.assertRegex(chinese, "[\u4e00-\u9fff]")
        english = harness.run("--help", lang="en").out
        self.assertNotEqual(chinese, english)
        self.assertEqual(harness.run("--lang", "zh", "--help", lang="en").out, chinese)

    def test_refused_deliveries(self):
        with harness.Workspace("refused") as w:
            self.expect(REFUSED, "compare", w.path("nothing"), "--data", w.data(), "--no-register",
                        says="CB-")
            w.path("empty").mkdir()
            self.expect(REFUSED, "compare", w.path("empty"), "--data", w.data(), "--no-register",
                        says="manifest.toml")
            w.path("broken").mkdir()
            (w.path("broken") / "manifest.toml").write_text("[delivery\nprovince =")
            self.expect(REFUSED, "compare", w.path("broken"), "--data", w.data(), "--no-register",
                        says="manifest.toml")
            self.assertEqual(harness.manifests(w.data()), [])

    def test_environment(self):
        with harness.Workspace("environment") as w:
            made = harness.demo(w.path("made"), 300)
            w.path("file").write_text("not a folder")
            self.expect(ENVIRONMENT, "compare", made, "--data", w.path("file") / "data", says="CB-")

    def test_unknown_data_folder(self):
        with harness.Workspace("unknown") as w:
            for words in (("forms", "--form", "2-1", "--format", "json"), ("runs",),
                          ("list", "rejects", "--format", "json")):
                done = harness.run(*words, "--data", w.path("none"))
                self.assertIn(done.code, (USAGE, REFUSED, ENVIRONMENT), done)
                self.assertIn("CB-", done.err, done)
                self.assertFalse(w.path("none").exists(), "a reading command makes no folder")


class RefusedFiles(unittest.TestCase):
    """One damaged file refuses the delivery whole, says which file, and leaves no run behind."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("damaged")
        cls.addClassCleanup(cls.workspace.close)
        cls.made = harness.demo(cls.workspace.path("made"), 500)

    def damaged(self, name, damage):
        delivery = harness.copy_delivery(self.made, self.workspace.path(name))
        victim = damage(delivery)
        data = self.workspace.data(name + "-data")
        done = harness.run("compare", delivery, "--data", data, "--no-register")
        self.assertEqual(done.code, REFUSED, done)
        self.assertIn(victim, done.err, "the message names the file")
        self.assertRegex(done.err, r"CB-[A-Z]+-\d{4}")
        self.assertEqual(harness.manifests(data), [])

    @staticmethod
    def register(delivery) -> pathlib.Path:
        return next(p for p in sorted(delivery.iterdir()) if p.name.startswith("household_register"))

    @staticmethod
    def drop_key(delivery, *keys):
        """Takes control totals out of the manifest, so that the damage itself has to be seen."""
        head, blocks = harness.manifest_blocks(delivery)
        kept = ["\n".join(l for l in b.splitlines() if l.split("=")[0].strip() not in keys) + "\n\n"
                for b in blocks]
        harness.write_manifest(delivery, head, kept)

    def test_wrong_digest(self):
        def damage(delivery):
            victim = self.register(delivery)
            head, blocks = harness.manifest_blocks(delivery)
            self.drop_key(delivery, "sha256")
            head, blocks = harness.manifest_blocks(delivery)
            blocks = [b.rstrip() + f'\nsha256 = "{"0" * 64}"\n\n' if victim.name in b else b
                      for b in blocks]
            harness.write_manifest(delivery, head, blocks)
            return victim.name
        self.damaged("digest", damage)

    def test_wrong_row_count(self):
        def damage(delivery):
            victim = self.register(delivery)
            self.drop_key(delivery, "rows")
            head, blocks = harness.manifest_blocks(delivery)
            blocks = [b.rstrip() + "\nrows = 3\n\n" if victim.name in b else b for b in blocks]
            harness.write_manifest(delivery, head, blocks)
            return victim.name
        self.damaged("rows", damage)

    def test_missing_file(self):
        def damage(delivery):
            victim = self.register(delivery)
            victim.unlink()
            return victim.name
        self.damaged("missing", damage)

    def test_empty_file(self):
        def damage(delivery):
            victim = self.register(delivery)
            victim.write_bytes(b"")
            self.drop_key(delivery, "sha256", "rows")
            return victim.name
        self.damaged("empty", damage)

    def test_binary_file(self):
        def damage(delivery):
            victim = self.register(delivery)
            victim.write_bytes(bytes(range(256)) * 400)
            self.drop_key(delivery, "sha256", "rows")
            return victim.name
        self.damaged("binary", damage)

    def test_truncated_gzip(self):
        def damage(delivery):
            plain = self.register(delivery)
            packed = plain.with_name(plain.name.removesuffix(".gz") + ".gz")
            text = gzip.decompress(plain.read_bytes()) if plain.suffix == ".gz" else plain.read_bytes()
            plain.unlink()
            whole = gzip.compress(text)
            packed.write_bytes(whole[: len(whole) // 2])
            self.drop_key(delivery, "sha256", "rows")
            manifest = delivery / "manifest.toml"
            manifest.write_text(manifest.read_text("utf-8").replace(f'"{plain.name}"', f'"{packed.name}"'),
                                "utf-8")
            return packed.name
        self.damaged("truncated", damage)

    def test_no_header(self):
        def damage(delivery):
            victim = self.register(delivery)
            text = victim.read_bytes()
            victim.write_bytes(text[text.index(b"\n") + 1:])
            self.drop_key(delivery, "sha256", "rows")
            return victim.name
        self.damaged("header", damage)


class Reading(unittest.TestCase):
    """Everything that can be asked of a loaded data folder."""

    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("reading")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.delivery = harness.demo(cls.workspace.path("delivery"), 4000, "--errors", "realistic",
                                    "--seed", 31)
        cls.account = harness.compare(cls.delivery, cls.data, "--links", cls.workspace.path("l.csv"))
        cls.links = harness.read_links(cls.workspace.path("l.csv"))

    def test_account_names_every_extract(self):
        said = self.account.out + self.account.err
        for e in harness.last_manifest(self.data)["extracts"]:
            self.assertIn(e["file"], said)

    def test_form_json(self):
        one = harness.form(self.data, "2-1")
        self.assertEqual(set(one), {"form", "division", "cutoff", "columns", "checks"} | set(one))
        self.assertEqual(one["form"], "2-1")
        self.assertEqual(one["division"], "330000")
        self.assertLessEqual({str(n) for n in range(1, 26)}, set(one["columns"]))
        for check in one["checks"]:
            self.assertIsInstance(check["rule"], str)
            self.assertIsInstance(check["holds"], bool)
        two = harness.form(self.data, "2-2")
        columns = two["columns"]
        self.assertEqual(set(columns), {str(n) for n in range(1, 27)} | {"not_yet_verified"})
        self.assertEqual(sum(columns.values()), one["columns"]["1"] + one["columns"]["3"])

    def test_cities_add_up_to_the_province(self):
        regions = {str(e["region"]) for e in harness.last_manifest(self.data)["extracts"] if e["region"]}
        cities = {r[:4] + "00" for r in regions if not r.endswith("0000")}
        self.assertGreater(len(cities), 1)
        for name in harness.FORMS:
            whole = harness.form(self.data, name)["columns"]
            parts = [harness.form(self.data, name, division=c)["columns"] for c in sorted(cities)]
            for column, total in whole.items():
                if total is not None and column not in ("23", "24", "25"):
                    self.assertEqual(sum(p[column] for p in parts), total, f"{name} column {column}")

    def test_other_formats(self):
        for name in harness.FORMS + ("1",):
            text = harness.ok("forms", "--data", self.data, "--form", name, "--format", "text").out
            self.assertRegex(text, "[\u4e00-\u9fff]")
            rows = list(csv.reader(io.StringIO(
                harness.ok("forms", "--data", self.data, "--form", name, "--format", "csv").out)))
            self.assertGreater(len(rows), 1)
            book = self.workspace.path(f"form-{name}.xlsx")
            harness.ok("forms", "--data", self.data, "--form", name, "--format", "xlsx", "--out", book)
            with zipfile.ZipFile(book) as z:
                self.assertIsNone(z.testzip())
                sheet = z.read("xl/worksheets/sheet1.xml").decode()
                self.assertIn("<mergeCell ", sheet, "the headings of the attachment are merged")

    def test_lists(self):
        for name in LISTS:
            rows = json.loads(harness.ok("list", name, "--data", self.data, "--format", "json").out)
            self.assertIsInstance(rows, list, name)
            lines = list(csv.reader(io.StringIO(
                harness.ok("list", name, "--data", self.data, "--format", "csv").out)))
            self.assertEqual(len(lines) - 1, len(rows), name)
            book = self.workspace.path(f"{name}.xlsx")
            harness.ok("list", name, "--data", self.data, "--format", "xlsx", "--out", book)
            self.assertTrue(zipfile.is_zipfile(book), name)

    def listed(self, name, *more):
        return json.loads(harness.ok("list", name, "--data", self.data, "--format", "json", *more).out)

    def test_figures_are_made_of_people(self):
        form = harness.form(self.data, "2-1")["columns"]
        self.assertEqual(len(self.listed("to-verify")), form["5"])
        for branch, column in (("pension", "7"), ("medical", "16"), ("work_injury", "23"),
                               ("unemployment", "24"), ("maternity", "25")):
            self.assertEqual(len(self.listed("uncovered", "--branch", branch)), form[column], branch)

    def test_rejects_and_conflicts_agree_with_the_account(self):
        extracts = harness.last_manifest(self.data)["extracts"]
        self.assertEqual(len(self.listed("rejects")), sum(e["rejected"] for e in extracts))
        conflicts = sum(1 for _, outcome in self.links.values() if outcome == "conflict")
        self.assertEqual(len(self.listed("conflicts")), conflicts)

    def test_rejected_rows_come_as_files_to_correct(self):
        folder = self.workspace.path("correct")
        paths = harness.ok("list", "rejects", "--data", self.data, "--correct", folder).out.split()
        rejected = {e["file"]: e["rejected"] for e in harness.last_manifest(self.data)["extracts"]
                    if e["rejected"]}
        self.assertEqual(len(paths), len(rejected))
        rows = 0
        for path in paths:
            with open(path, encoding="utf-8-sig", newline="") as f:
                header = f.readline()
                self.assertTrue(header.startswith("reject_reason"), header)
                f.seek(0)
                delimiter = header[len("reject_reason")]
                rows += sum(1 for _ in csv.reader(f, delimiter=delimiter)) - 1
        self.assertEqual(rows, sum(rejected.values()))

    def test_person(self):
        person = next(p for p, outcome in self.links.values() if outcome == "exact" and p)
        files = {file for (file, _), (p, _) in self.links.items() if p == person}
        page = harness.ok("person", person, "--data", self.data).out
        for file in files:
            self.assertIn(file, page)
        nobody = harness.run("person", "110101190001010000", "--data", self.data)
        self.assertNotEqual(nobody.code, DONE)

    def test_runs_and_doctor(self):
        self.assertIn(harness.last_manifest(self.data)["run"], harness.ok("runs", "--data", self.data).out)
        harness.ok("doctor", "--data", self.data)

    def test_inspect(self):
        self.assertIn("household_register", harness.ok("inspect", self.delivery).out)
        file = next(p for p in self.delivery.iterdir() if p.name.startswith("household_register"))
        self.assertIn("id_number", harness.ok("inspect", file).out)

    def test_numbers_are_not_logged(self):
        """The technical log may name files and counts, never people."""
        truth = next(csv.DictReader((self.delivery / "truth" / "persons.csv").open(encoding="utf-8")))
        for log in self.data.rglob("*.log"):
            if log.is_file():
                self.assertNotIn(truth["id_number"].encode(), log.read_bytes(), log)


class Repeated(unittest.TestCase):
    """Several deliveries into one data folder."""

    def test_same_delivery_twice_changes_nothing(self):
        with harness.Workspace("twice") as w:
            made = harness.demo(w.path("made"), 2000, "--errors", "realistic", "--seed", 41)
            harness.compare(made, w.data(), "--links", w.path("a.csv"))
            digest = harness.last_manifest(w.data())["result_digest"]
            before = harness.both_forms(w.data()), self.lists(w.data())
            harness.compare(made, w.data(), "--links", w.path("b.csv"))
            self.assertEqual(harness.last_manifest(w.data())["result_digest"], digest)
            self.assertEqual((harness.both_forms(w.data()), self.lists(w.data())), before)
            self.assertEqual(w.path("a.csv").read_bytes(), w.path("b.csv").read_bytes())

    @staticmethod
    def lists(data):
        return {name: harness.ok("list", name, "--data", data, "--format", "csv").out for name in LISTS}

    def test_later_cutoff_keeps_history(self):
        with harness.Workspace("history") as w:
            first = harness.demo(w.path("first"), 2000, "--errors", "clean", "--seed", 42)
            harness.compare(first, w.data(), "--links", w.path("a.csv"))
            cutoff = harness.form(w.data(), "2-1")["cutoff"]
            before = harness.both_forms(w.data())

            second = harness.copy_delivery(first, w.path("second"))
            moved = self.move_one_away(second, cutoff, "2017-10-31")
            harness.compare(second, w.data(), "--links", w.path("b.csv"))

            now = harness.form(w.data(), "2-1")
            self.assertEqual(now["cutoff"], "2017-10-31")
            self.assertEqual(now["columns"]["1"], before["2-1"]["1"] - 1, f"{moved} moved out")
            self.assertEqual(harness.both_forms(w.data(), cutoff=cutoff), before,
                             "what was known at the earlier cut-off can still be read")
            # A person keeps the key for ever.
            a, b = harness.read_links(w.path("a.csv")), harness.read_links(w.path("b.csv"))
            changed = [key for key in a if a[key][0] and key in b and b[key][0] != a[key][0]]
            self.assertEqual(changed[:5], [])

    @staticmethod
    def move_one_away(delivery, cutoff, later):
        """Gives the delivery a later cut-off and lets one managed person of the register move out."""
        register = next(p for p in sorted(delivery.iterdir()) if p.name.startswith("household_register"))
        packed = register.suffix == ".gz"
        raw = gzip.decompress(register.read_bytes()) if packed else register.read_bytes()
        encoding = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            encoding = "gb18030"
            text = raw.decode(encoding)
        at = text.index("管理中", text.index("\n"))
        line = text[:at].count("\n") + 1
        raw = (text[:at] + "迁出" + text[at + 3:]).encode(encoding)
        register.write_bytes(gzip.compress(raw) if packed else raw)

        head, blocks = harness.manifest_blocks(delivery)
        kept = ["\n".join(l for l in b.splitlines() if not l.startswith("sha256")) + "\n\n" for b in blocks]
        made = [l for l in head.splitlines() if l.startswith("made_at")]
        head = head.replace(cutoff, later)
        if made:
            head = head.replace(made[0], "made_at  = 2017-11-08T09:30:00+08:00")
        harness.write_manifest(delivery, head, kept)
        return f"{register.name}:{line}"


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
