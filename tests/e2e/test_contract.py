"""The served API against its own document: Schemathesis makes requests from /api/v1/openapi.json, the usual
and the odd, in the session of somebody who works with data and in one of an administrator. No answer may be
a 5xx, every answer has to be one that the document describes.

Needs build/schemathesis (tools/bootstrap.sh contract); without it there is nothing to fuzz with, and the test
says so. CANBAO_CONTRACT_SECONDS is how long each session is fuzzed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import time
import unittest

import harness

FUZZER = harness.ROOT / "build/schemathesis/bin/schemathesis"
SECONDS = int(os.environ.get("CANBAO_CONTRACT_SECONDS", "25"))
PERSONS = 2000
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method")
# They end the session that the others need, or change what it takes to sign in.
LEFT_OUT = ("signOut", "endSession", "changePassword", "beginTotp", "confirmTotp", "changeUser", "resetPassword")


class Server:
    """`canbao serve` over a data folder, on a port of the kernel's choice."""

    def __init__(self, data, log):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            [str(harness.CANBAO), "serve", "--data", str(data), "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=harness.environment())
        for line in self.process.stdout:
            if found := re.search(r"serving at http://([^/\s]+)", line):
                self.address = found[1]
                return
        raise AssertionError("serve ended: " + pathlib.Path(log).read_text()[-2000:])

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        return code

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("contract")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        delivery = harness.demo(cls.workspace.path("delivery"), PERSONS)
        harness.compare(delivery, cls.data)
        password = cls.workspace.path("password")
        password.write_text("long-and-only-for-this-test-7")
        for account, roles in (("worker", ("operator", "reviewer", "leader")),
                               ("keeper", ("security_administrator",))):
            words = [w for role in roles for w in ("--role", role)]
            made = harness.ok("user", "add", account, "--data", cls.data, "--name", account, *words,
                              "--division", "00", "--password-file", password, "--ready", "--format", "json")
            setattr(cls, account, json.loads(made.out))
        cls.password = password.read_text()
        cls.server = Server(cls.data, cls.workspace.path("serve.log"))
        cls.addClassCleanup(cls.server.stop)

    def session(self, account, made) -> list[str]:
        """Headers of somebody who is signed in."""
        body = {"account": account, "password": self.password}
        if secret := made.get("totp_secret"):
            body["totp"] = one_time_code(secret)
        answer, text = self.server.ask("POST", "/session", body)
        self.assertEqual(answer.status, 201, text)
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        return ["-H", f"Cookie: {cookie}", "-H", f"X-CSRF-Token: {json.loads(text)['csrf_token']}"]

    def fuzz(self, name, headers):
        left_out = [w for operation in LEFT_OUT for w in ("--exclude-operation-id", operation)]
        report = pathlib.Path(os.environ.get("CANBAO_TEST_REPORT", self.workspace.root)) / f"contract-{name}"
        done = subprocess.run(
            [str(FUZZER), "run", f"http://{self.server.address}/api/v1/openapi.json", *headers, *left_out,
             "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "5",
             "--max-time", str(SECONDS), "--seed", "20170930", "--generation-database", "none",
             "--request-timeout", "20", "--workers", "2", "--no-color", "--warnings", "off"],
            cwd=self.workspace.root, capture_output=True, text=True, timeout=SECONDS * 8 + 240, check=False)
        report.with_suffix(".log").write_text(done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])

    def test_document_is_served(self):
        answer, text = self.server.ask("GET", "/openapi.json")
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(text)["openapi"], "3.1.0")
        again, _ = self.server.ask("GET", "/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
        self.assertEqual(again.status, 304)

    @unittest.skipUnless(FUZZER.exists(), "no build/schemathesis: tools/bootstrap.sh contract")
    def test_those_who_work_with_data(self):
        self.fuzz("worker", self.session("worker", self.worker))

    @unittest.skipUnless(FUZZER.exists(), "no build/schemathesis: tools/bootstrap.sh contract")
    def test_administrators(self):
        self.fuzz("keeper", self.session("keeper", self.keeper))


def one_time_code(secret: str) -> str:
    """RFC 6238 with HMAC-SHA-1, six digits, 30 seconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
