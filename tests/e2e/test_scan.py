"""The served API under tools that look for holes: sqlmap on every free text that reaches SQL, in a session
that may ask for it, and a web scan (wapiti) of the console's pages and some addresses of the API. Both have
to find nothing. Packages with known faults: what the console is made of, as `npm audit` knows them.

At night; needs sqlmap and wapiti (tools/bootstrap.sh scan), without them the test says so.
CANBAO_SCAN_SECONDS bounds each tool.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import harness
import service

SECONDS = int(os.environ.get("CANBAO_SCAN_SECONDS", "600"))
CONSOLE = harness.ROOT / "web/console"
# Method, path, body; * stands behind what is tried.
ASKED = (
    ("GET", "/lists/uncovered?after=x*", None),
    ("GET", "/lists/duplicates?before=x*&group=16*", None),
    ("GET", "/forms/2-1/people?column=7*&after=x*", None),
    ("GET", "/cases?assignee=x*&after=x*", None),
    ("GET", "/policy/x*", None),
    ("POST", "/persons/search", {"by": "name", "value": "王*", "purpose": "at the desk*"}),
    ("POST", "/persons/search", {"by": "pinyin", "value": "wang*", "purpose": "at the desk", "after": "x*"}),
    ("POST", "/persons/search", {"by": "phone", "value": "138*", "purpose": "at the desk"}),
    ("POST", "/saved-filters", {"name": "x*", "list": "uncovered*", "query": {"branch": "x*"}}),
    ("POST", "/exports", {"list": "to-verify*", "format": "csv", "purpose": "to scan*", "query": {"division": "33*"}}),
)


class Scan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("scan")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        harness.compare(harness.demo(cls.workspace.path("delivery"), 2000), cls.data)
        web = CONSOLE / "dist"
        if not (web / "index.html").exists():
            web = cls.workspace.path("web")
            web.mkdir()
            (web / "index.html").write_text("<!doctype html><title>console</title><a href='/lists/uncovered'>x</a>")
        cls.people = service.People(cls.data)
        cls.people.add("scanner", "operator", "reviewer")
        cls.server = service.Server(cls.data, "--web", web, "--address-rate", "0")
        cls.addClassCleanup(cls.server.stop)
        cls.client = cls.people.sign_in(cls.server, "scanner")
        cls.report = pathlib.Path(os.environ.get("CANBAO_TEST_REPORT", cls.workspace.root))

    @unittest.skipUnless(shutil.which("sqlmap"), "no sqlmap: tools/bootstrap.sh scan")
    def test_sqlmap_finds_no_injection(self):
        address = f"http://{self.server.address}/api/v1"
        for number, (method, path, body) in enumerate(ASKED):
            with self.subTest(f"{method} {path} {body or ''}"):
                words = ["sqlmap", "-u", address + path, "--method", method, "--batch", "--dbms", "postgresql",
                         "--level", "1", "--risk", "1", "--technique", "BEUT", "--threads", "2", "--flush-session",
                         "--time-sec", "5", "--ignore-code", "400,404,422,429", "--disable-coloring",
                         "--output-dir", str(self.workspace.path("sqlmap")),
                         "--headers", f"Cookie: {self.client.cookie}\nX-CSRF-Token: {self.client.csrf}"
                                      + ("\nContent-Type: application/json" if body else "")]
                if body:
                    words += ["--data", json.dumps(body, ensure_ascii=False)]
                done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False,
                                      stdin=subprocess.DEVNULL)
                (self.report / f"sqlmap-{number}.log").write_text(done.stdout + done.stderr)
                self.assertNotRegex(done.stdout, r"is vulnerable|identified the following injection point")
                self.assertRegex(done.stdout, r"do(es)? not appear to be injectable|not appear to be dynamic", done.stdout[-2000:])
        self.assertEqual(self.client.call("GET", "/session").status, 200)
        self.assertTrue(service.verified(self.data)["ok"])
        self.assertNotRegex(self.server.logged(), r"syntax error|unterminated quoted|CB-SERVICE-0012")

    @unittest.skipUnless(shutil.which("wapiti"), "no wapiti: tools/bootstrap.sh scan")
    def test_web_scan_finds_nothing(self):
        report = self.report / "wapiti.json"
        starts = [w for path in ("/", "/persons", "/api/v1/session", "/api/v1/lists/uncovered?after=x", "/api/v1/home?division=33",
                                 "/api/v1/policy/x", "/api/v1/openapi.json")
                  for w in ("-s", f"http://{self.server.address}{path}")]
        done = subprocess.run(
            ["wapiti", "-u", f"http://{self.server.address}/", *starts, "--scope", "domain", "--flush-session",
             "--max-scan-time", str(max(1, SECONDS // 120)), "--store-session", str(self.workspace.path("wapiti")),
             "-H", f"Cookie: {self.client.cookie}", "-H", f"X-CSRF-Token: {self.client.csrf}", "-m",
             "backup,blindsql,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,"
             "sql,xss,xxe", "-f", "json", "-o", str(report)],
            capture_output=True, text=True, timeout=SECONDS * 2, check=False, stdin=subprocess.DEVNULL)
        self.assertTrue(report.exists(), done.stdout[-3000:] + done.stderr[-2000:])
        found = json.loads(report.read_text())
        # HSTS is said under TLS (test_serve); X-XSS-Protection is of browsers that are gone, the policy does its work.
        said = [(kind, f["path"], f["info"]) for kind, all_ in found["vulnerabilities"].items() for f in all_
                if f["info"] not in ("X-XSS-Protection is not set", "Strict-Transport-Security is not set")]
        self.assertEqual(said, [])
        self.assertEqual({k: v for k, v in found["anomalies"].items() if v}, {}, "an answer of 500, or none")

    @unittest.skipUnless((CONSOLE / "package-lock.json").exists() and shutil.which("npm"), "no npm")
    def test_packages_have_no_known_faults(self):
        done = subprocess.run(["npm", "audit", "--omit=dev", "--json", "--package-lock-only"], cwd=CONSOLE, capture_output=True,
                              text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        said = json.loads(done.stdout or "{}")
        if "metadata" not in said:
            self.skipTest(f"the registry does not answer: {str(said)[:300]}")
        self.assertEqual(said["metadata"]["vulnerabilities"]["total"], 0, json.dumps(said["vulnerabilities"])[:3000])


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
