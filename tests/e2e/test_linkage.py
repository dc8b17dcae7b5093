"""What a run says of its linkage, as a reader gets it: text, json that is the manifest's object, and a
page that is XML and HTML, whole in itself, with every figure of its charts in a table."""

import html.parser
import json
import re
import sys
import unittest
import xml.etree.ElementTree as ElementTree

import harness
from harness import ENVIRONMENT, REFUSED, USAGE

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "rect", "line", "circle"}


class Nesting(html.parser.HTMLParser):
    """A browser's view: tags that are not closed in order, and addresses of other places."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.addresses, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.wrong.append(f"<{tag}/>")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def rounded(value):
    """The value with its shares to twelve digits: the last one of a double may change on the way."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return round(value, 12) if isinstance(value, float) else value


class Linkage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("linkage")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        for name, seed in (("first", 21), ("second", 22)):
            made = harness.demo(cls.workspace.path(name), 4000, "--errors", "hard", "--seed", seed)
            harness.compare(made, cls.data, "--no-register")
        cls.before, cls.now = harness.manifests(cls.data)

    def linkage(self, *words, lang="en"):
        return harness.ok("linkage", "--data", self.data, *words, lang=lang).out

    def page(self, *words, lang="en"):
        text = self.linkage("--format", "html", *words, lang=lang)
        return text, ElementTree.fromstring(text)

    def test_json_is_the_object_of_the_manifest(self):
        said = json.loads(self.linkage("--format", "json"))
        self.assertEqual(said["run"], self.now["run"])
        self.assertEqual(said["previous"], self.before["run"])
        for key, value in self.now["linkage"].items():
            self.assertEqual(rounded(said[key]), rounded(value), key)
        was, now = self.before["linkage"]["verdicts"], self.now["linkage"]["verdicts"]
        for key in ("linked", "review", "unlikely"):
            self.assertEqual(said["differences"][key]["change"], now[key] - was[key])

    def test_which_run(self):
        oldest = json.loads(self.linkage("--format", "json", "--run", self.before["run"]))
        self.assertEqual(oldest["run"], self.before["run"])
        self.assertIsNone(oldest["previous"])
        turned = json.loads(self.linkage("--format", "json", "--run", self.before["run"],
                                         "--against", self.now["run"]))
        self.assertEqual(turned["previous"], self.now["run"])

    def test_text(self):
        for lang, word in (("en", "linked by score"), ("zh", "按得分关联")):
            text = self.linkage(lang=lang)
            line = next(l for l in text.splitlines() if word in l)
            self.assertIn(f"{self.now['linkage']['verdicts']['linked']:,}", line)

    def test_page_is_whole_in_itself(self):
        for lang, code in (("en", "en"), ("zh", "zh-CN")):
            text, root = self.page(lang=lang)
            self.assertEqual(root.get("lang"), code)
            seen = Nesting()
            seen.feed(text)
            self.assertEqual((seen.wrong, seen.open, seen.addresses), ([], [], []))
            self.assertFalse(seen.tags & {"script", "link", "img", "iframe", "object"})
            self.assertNotRegex(text, r"@import|url\((?!#)")

    def test_charts_have_words_and_tables(self):
        _, root = self.page()
        charts = [svg for svg in root.iter(f"{SVG}svg") if svg.get("role") == "img"]
        self.assertGreaterEqual(len(charts), 7)
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        for svg in charts:
            title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
            self.assertTrue(title.text and description.text)
            self.assertEqual(svg.get("aria-labelledby").split(),
                             [title.get("id"), description.get("id")])
        for section in root.iter(f"{XHTML}section"):
            if any(svg.get("role") == "img" for svg in section.iter(f"{SVG}svg")):
                self.assertTrue(section.findall(f".//{XHTML}details//{XHTML}table"))

    def test_figures_of_the_page(self):
        _, root = self.page()
        tables = {t.find(f"{XHTML}caption").text: [
                      ["".join(c.itertext()) for c in row] for row in t.iter(f"{XHTML}tr")]
                  for t in root.iter(f"{XHTML}table") if t.find(f"{XHTML}caption") is not None}
        linkage = self.now["linkage"]
        number = lambda cell: int(cell.replace(",", ""))
        odds = {int(r[0]): [number(c) for c in r[1:]] for r in tables["odds by verdict"][1:]}
        self.assertEqual(odds, {o["bits"]: [o["linked"], o["review"], o["unlikely"]]
                                for o in linkage["odds"]})
        self.assertEqual([number(r[1]) for r in tables["pairs by blocking rule"][1:]],
                         [r["pairs"] for r in linkage["pairs"]["by_rule"]])
        rows_in = sum(e["rows_in"] for e in self.now["extracts"])
        self.assertEqual(sum(number(r[2]) for r in tables["rows by source"][1:]), rows_in)
        self.assertEqual(sum(number(r[1]) for r in tables["rows by outcome"][1:]), rows_in)

    def test_written_to_a_file(self):
        out = self.workspace.path("page.html")
        self.assertEqual(self.linkage("--format", "html", "--out", out), "")
        self.assertEqual(out.read_text("utf-8"), self.linkage("--format", "html"))

    def test_thresholds_are_those_of_the_run(self):
        text, _ = self.page()
        self.assertIn("link from", text)
        path = self.data / "runs" / self.now["run"] / "manifest.json"
        kept = path.read_text("utf-8")
        try:
            path.write_text(re.sub(r"model-(\d+)\.toml sha256:\w+", r"model-\1.toml sha256:0", kept))
            text, _ = self.page()
            self.assertNotIn("link from", text)
        finally:
            path.write_text(kept)

    def test_refused(self):
        def expect(code, exit_code, *words):
            done = harness.run("linkage", "--data", self.data, *words)
            self.assertEqual(done.code, exit_code, done)
            self.assertIn(code, done.err)
        expect("CB-APP-0020", REFUSED, "--run", "0123456789abcdef")
        expect("CB-APP-0020", REFUSED, "--run", "../runs/" + self.now["run"])
        expect("CB-APP-0020", REFUSED, "--against", "none")
        self.assertEqual(harness.run("linkage", "--data", self.data, "--format", "pdf").code, USAGE)

        path = self.data / "runs" / self.before["run"] / "manifest.json"
        kept = path.read_text("utf-8")
        try:
            older = json.loads(kept)
            del older["linkage"]
            path.write_text(json.dumps(older))
            expect("CB-APP-0021", REFUSED, "--run", self.before["run"])
            # What says nothing of its linkage is nothing to compare with.
            self.assertIsNone(json.loads(self.linkage("--format", "json"))["previous"])
            path.write_text(kept[:len(kept) // 2])
            expect("CB-APP-0022", ENVIRONMENT, "--run", self.before["run"])
        finally:
            path.write_text(kept)


class Register(unittest.TestCase):
    def test_the_latest_loaded_run_comes_first(self):
        with harness.Workspace("linkage-register") as w:
            loaded = harness.demo(w.path("loaded"), 600, "--seed", 31)
            tried = harness.demo(w.path("tried"), 600, "--seed", 32)
            harness.compare(loaded, w.data())
            run = harness.last_manifest(w.data())["run"]
            harness.compare(tried, w.data(), "--no-register")
            said = json.loads(harness.ok("linkage", "--data", w.data(), "--format", "json").out)
            self.assertEqual((said["run"], said["previous"]), (run, None))


class EmptyRun(unittest.TestCase):
    def test_a_run_without_seekers_says_so(self):
        with harness.Workspace("linkage-empty") as w:
            made = harness.demo(w.path("made"), 300, "--errors", "clean", "--seed", 4)
            harness.compare(made, w.data(), "--no-register")
            folder = next((w.data() / "runs").iterdir())
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            linkage = manifest["linkage"]
            for kind in linkage["seekers"].values():
                kind["groups"] = kind["with_candidates"] = 0
            linkage["verdicts"] = {k: 0 for k in linkage["verdicts"]}
            for key in ("odds", "candidates", "clusters", "components", "m"):
                linkage[key] = []
            (folder / "manifest.json").write_text(json.dumps(manifest))
            page = harness.ok("linkage", "--data", w.data(), "--format", "html").out
            self.assertIn("No rows looked for their person", page)
            ElementTree.fromstring(page)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
