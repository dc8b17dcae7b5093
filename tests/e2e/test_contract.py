"""The served API against its own document: Schemathesis makes requests from /api/v1/openapi.json, the usual
and the odd, in sessions of those who work with data and of each kind of administrator, with names of things
that are there among those that are not. No answer may be a 5xx, every answer has to be one that the document
describes.

Needs build/schemathesis (tools/bootstrap.sh contract); without it there is nothing to fuzz with, and the test
says so. CANBAO_CONTRACT=all asks for many more, and for each way to leave the contract: at night.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import unittest

import harness
import service

FUZZER = harness.ROOT / "build/schemathesis/bin/schemathesis"
ALL = os.environ.get("CANBAO_CONTRACT") == "all"
PERSONS = 2000
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method")
# They end the session that the others need, or change what it takes to sign in, or cost much (a password).
LEFT_OUT = ("signIn", "signOut", "endSession", "changePassword", "beginTotp", "confirmTotp", "changeUser", "resetPassword")
# Accounts, their roles, and what they are asked for.
WHO = {"worker": (("operator", "reviewer", "leader"), ("register", "work", "cases")),
       "system": (("system_administrator",), ("administration",)),
       "security": (("security_administrator",), ("session", "administration")),
       "audit": (("audit_administrator",), ("administration",))}


@unittest.skipUnless(FUZZER.exists(), "no build/schemathesis: tools/bootstrap.sh contract")
class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("contract")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.offered = cls.workspace.path("offered")
        cls.offered.mkdir()
        delivery = harness.demo(cls.offered / "delivery", PERSONS, "--errors", "realistic")
        harness.compare(delivery, cls.data)
        cls.people = service.People(cls.data)
        for account, (roles, _) in WHO.items():
            cls.people.add(account, *roles, division="00")
        cls.server = service.Server(cls.data, "--deliveries", cls.offered)
        cls.addClassCleanup(cls.server.stop)
        cls.there = cls.make_something()

    @classmethod
    def make_something(cls) -> dict[str, list[str]]:
        """Things of each kind, and what they are called: parameters of operations."""
        worker = cls.people.sign_in(cls.server, "worker")
        people = [row["person_key"] for row in worker.get("/lists/uncovered?limit=20")["rows"]]
        cases = [item["id"] for item in worker.get("/cases?limit=20")["items"]]
        job = worker.post("/exports", {"list": "to-verify", "format": "csv", "purpose": "to have one"}, expect=202)
        delivery = worker.post("/deliveries", {"folder": str(cls.offered / "delivery")}, expect=201)
        worker.done(job["id"])
        worker.done(delivery["job"]["id"])
        upload = worker.post("/uploads", {"name": "a.csv", "size": 100}, expect=201)
        evidence = worker.call("POST", f"/cases/{cases[0]}/evidence?name=a.txt", raw=b"seen", expect=201)
        return {"key": people, "case": cases, "job": [job["id"], delivery["job"]["id"]],
                "delivery": [delivery["id"]], "upload": [upload["id"]],
                "evidence": [item["id"] for item in evidence.json()["evidence"]],
                "run": [run["id"] for run in worker.get("/runs")["items"]],
                "policy": [item["id"] for item in worker.get("/policy")["items"]][:20],
                "division": ["00", "330000", "330100", "330106"], "file": ["0"],
                "match": ['"1"', '"2"'], "column": ["1", "5", "7", "16", "not_yet_verified"]}

    def configuration(self) -> pathlib.Path:
        """schemathesis.toml: which of them an operation's parameters are taken from, as a rule."""
        document = json.loads(service.Client(self.server).call("GET", "/openapi.json").body)
        lines = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in self.there.items()
                 if values]
        for path, item in document["paths"].items():
            kind = {"persons": "key", "cases": "case", "jobs": "job", "deliveries": "delivery", "uploads": "upload",
                    "runs": "run", "policy": "policy"}.get(path.split("/")[1])
            for operation in item.values():
                drawn = {"path.id": kind, "path.key": kind, "path.evidence": "evidence", "path.file": "file",
                         "path.code": "division", "query.division": "division", "query.column": "column",
                         "header.If-Match": "match"}
                names = {p["$ref"].rsplit("/", 1)[1] if "$ref" in p else p["name"]
                         for p in operation.get("parameters", [])}
                names = {document["components"]["parameters"][n]["name"]
                         if n in document["components"]["parameters"] else n for n in names}
                bound = [f'"{at}" = {{dictionary = "{name}", probability = 0.8}}' for at, name in drawn.items()
                         if name and self.there.get(name) and at.split(".")[1] in names]
                if bound:
                    lines.append(f'[[operations]]\ninclude-operation-id = "{operation["operationId"]}"\n'
                                 f"[operations.parameters]\n" + "\n".join(bound) + "\n")
        at = self.workspace.path("schemathesis.toml")
        at.write_text("\n".join(lines))
        return at

    def fuzz(self, account, tags):
        client = self.people.sign_in(self.server, account)
        left_out = [w for operation in LEFT_OUT for w in ("--exclude-operation-id", operation)]
        report = pathlib.Path(os.environ.get("CANBAO_TEST_REPORT", self.workspace.root)) / f"contract-{account}"
        done = subprocess.run(
            [str(FUZZER), "--config-file", str(self.configuration()), "run",
             f"http://{self.server.address}/api/v1/openapi.json", "-H", f"Cookie: {client.cookie}", "-H",
             f"X-CSRF-Token: {client.csrf}", *left_out, "--checks", CHECKS, "--phases",
             "coverage,fuzzing" if ALL else "fuzzing", "--max-examples", "60" if ALL else "3",
             *([] if ALL else [w for tag in tags for w in ("--include-tag", tag)]), "--seed", "20170930", "--generation-database", "none", "--request-timeout", "20", "--workers", "2",
             "--no-color", "--warnings", "off"],
            cwd=self.workspace.root, capture_output=True, text=True, timeout=3600 if ALL else 300, check=False)
        report.with_suffix(".log").write_text(done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])
        self.assertRegex(done.stdout, r"Tested: +[1-9]")

    def test_document_is_served(self):
        answer = service.Client(self.server).call("GET", "/openapi.json", expect=200)
        self.assertEqual(answer.json()["openapi"], "3.1.0")
        again = service.Client(self.server).call("GET", "/openapi.json",
                                                 headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual(again.status, 304)

    def test_every_answer_is_as_described(self):
        for account, (_, tags) in WHO.items():
            with self.subTest(account):
                self.fuzz(account, tags)


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
