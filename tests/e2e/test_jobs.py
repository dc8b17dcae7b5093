"""Long work over the served API: files uploaded in parts over connections that break, a delivery checked,
mapped, accepted and compared, jobs watched, cancelled and resumed, lists exported; and a server that is
killed in the middle of it, after which nothing is lost or doubled.
"""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest
import zipfile

import harness

PART = 256 << 10
PERSONS = 3000
SLOW_PERSONS = int(os.environ.get("CANBAO_JOB_PERSONS", "60000"))


class Server:
    """`canbao serve` over a data folder."""

    def __init__(self, data, offered):
        self.data = data
        self.log = open(pathlib.Path(data).parent / "serve.log", "ab")
        self.process = subprocess.Popen(
            [str(harness.CANBAO), "serve", "--data", str(data), "--listen", "127.0.0.1:0",
             "--deliveries", str(offered)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=harness.environment())
        for line in self.process.stdout:
            if found := re.search(r"serving at http://([^/\s]+)", line):
                self.address = found[1]
                return
        raise AssertionError("serve ended: " + pathlib.Path(self.log.name).read_text()[-2000:])

    def kill(self):
        self.process.kill()
        self._reap()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reap()

    def _reap(self):
        self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Client:
    """A signed-in browser."""

    def __init__(self, server, account, password, totp=None):
        self.server, self.cookie, self.csrf = server, None, None
        status, headers, body = self.raw("POST", "/session", json.dumps(
            {"account": account, "password": password} | ({"totp": totp} if totp else {})).encode())
        if status != 201:
            raise AssertionError(f"sign in: {status} {body[:300]}")
        self.cookie = headers["Set-Cookie"].split(";")[0]
        self.csrf = json.loads(body)["csrf_token"]

    def raw(self, method, path, body=None, kind="application/json", headers=None):
        sent = {"Accept-Language": "en", "Content-Type": kind, **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            sent["X-CSRF-Token"] = self.csrf
        connection = http.client.HTTPConnection(self.server.address, timeout=120)
        try:
            connection.request(method, "/api/v1" + path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, expect=None, headers=None):
        raw = json.dumps(body).encode() if body is not None else None
        status, _, answer = self.raw(method, path, raw, headers=headers)
        parsed = json.loads(answer) if answer else None
        if expect is not None and status != expect:
            raise AssertionError(f"{method} {path}: {status}, not {expect}: {answer[:800]!r}")
        return parsed if expect is not None else (status, parsed)

    def part(self, upload, offset, data):
        status, _, answer = self.raw("PATCH", f"/uploads/{upload}?offset={offset}", data,
                                     kind="application/octet-stream")
        return status, json.loads(answer)

    def broken_part(self, upload, offset, data, sent):
        """Begins a part and loses the connection behind `sent` bytes of it."""
        host, port = self.server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as s:
            s.sendall((f"PATCH /api/v1/uploads/{upload}?offset={offset} HTTP/1.1\r\nHost: x\r\n"
                       f"Cookie: {self.cookie}\r\nX-CSRF-Token: {self.csrf}\r\n"
                       "Content-Type: application/octet-stream\r\n"
                       f"Content-Length: {len(data)}\r\n\r\n").encode() + data[:sent])

    def upload(self, path, name=None):
        data = pathlib.Path(path).read_bytes()
        made = self.call("POST", "/uploads", {
            "name": name or pathlib.Path(path).name, "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest()}, expect=201)
        for offset in range(0, len(data), PART):
            status, made = self.part(made["id"], offset, data[offset:offset + PART])
            if status != 200:
                raise AssertionError(made)
        if made["state"] != "complete":
            raise AssertionError(made)
        return made["id"]

    def await_job(self, job, *states, seconds=240):
        until = time.monotonic() + seconds
        while True:
            now = self.call("GET", f"/jobs/{job}", expect=200)
            if now["state"] in states:
                return now
            if now["state"] in ("failed", "done", "cancelled", "interrupted") \
                    or time.monotonic() > until:
                log = self.raw("GET", f"/jobs/{job}/log")[2].decode()
                raise AssertionError(f"job is {now}, not {states}\n{log[-2000:]}")
            time.sleep(0.1)

    def watch(self, job):
        """Events of a job until it ends."""
        connection = http.client.HTTPConnection(self.server.address, timeout=240)
        connection.request("GET", f"/api/v1/jobs/{job}/events", headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        if answer.status != 200:
            raise AssertionError(answer.read())
        events = []
        for line in answer:
            if line.startswith(b"data:"):
                events.append(json.loads(line[5:]))
        connection.close()
        return events


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("jobs")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.offered = cls.workspace.path("offered")
        cls.offered.mkdir()
        harness.demo(cls.offered / "q3", PERSONS, "--errors", "realistic", "--seed", 7)
        cls.passwords = {}
        for account, role, division in (("op", "operator", "330000"), ("other", "operator", "330100"),
                                        ("clerk", "clerk", "330000")):
            made = harness.ok("user", "add", account, "--data", cls.data, "--name", account, "--role",
                              role, "--division", division, "--ready", "--format", "json")
            cls.passwords[account] = json.loads(made.out)["password"]
        cls.server = Server(cls.data, cls.offered)
        cls.addClassCleanup(lambda: cls.server.stop())

    def client(self, account="op"):
        return Client(self.server, account, self.passwords[account])

    def restart(self):
        type(self).server = Server(self.data, self.offered)

    def accepted(self, op, folder):
        """A delivery of an offered folder, checked and accepted."""
        made = op.call("POST", "/deliveries", {"folder": str(folder)}, expect=201)
        op.await_job(made["job"]["id"], "done")
        self.assertEqual(op.call("GET", f"/deliveries/{made['id']}", expect=200)["state"], "profiled")
        job = op.call("POST", f"/deliveries/{made['id']}/dry-run", expect=202)
        op.await_job(job["id"], "done")
        return op.call("POST", f"/deliveries/{made['id']}/decision", {"decision": "accept"},
                       expect=200)

    def test_1_an_upload_goes_on_where_it_broke(self):
        op = self.client()
        data = os.urandom(3 * PART + 17)
        made = op.call("POST", "/uploads", {"name": "../../a.csv", "size": len(data),
                                            "sha256": hashlib.sha256(data).hexdigest()}, expect=201)
        self.assertEqual(made["name"], "a.csv")
        upload = made["id"]
        self.assertEqual(op.part(upload, 0, data[:PART])[1]["received"], PART)
        op.broken_part(upload, PART, data[PART:2 * PART], PART // 2)
        self.assertEqual(op.call("GET", f"/uploads/{upload}", expect=200)["received"], PART,
                         "half a part is none")
        self.assertEqual(op.part(upload, PART, data[PART:2 * PART])[1]["received"], 2 * PART)
        self.server.kill()
        self.restart()
        op = self.client()
        self.assertEqual(op.call("GET", f"/uploads/{upload}", expect=200)["received"], 2 * PART)
        self.assertEqual(op.part(upload, 3 * PART, data[3 * PART:])[0], 409, "a gap")
        self.assertEqual(op.part(upload, 2 * PART, data[2 * PART:])[1]["state"], "complete")
        wrong = op.call("POST", "/uploads", {"name": "b.csv", "size": 3, "sha256": "0" * 64},
                        expect=201)
        self.assertEqual(op.part(wrong["id"], 0, b"abc")[1]["state"], "damaged")
        status, _ = self.client("other").call("GET", f"/uploads/{upload}")
        self.assertEqual(status, 404, "another account's upload is not there")
        op.raw("DELETE", f"/uploads/{upload}")
        self.assertEqual(op.call("GET", f"/uploads/{upload}")[0], 404)

    def test_2_a_delivery_from_uploads_to_figures(self):
        op = self.client()
        folder = self.offered / "q3"
        files = sorted(p for p in folder.iterdir() if p.is_file())
        made = op.call("POST", "/deliveries", {"uploads": [op.upload(p) for p in files],
                                               "name": "third quarter"}, expect=201)
        delivery = made["id"]
        self.assertEqual(made["state"], "profiling")
        events = op.watch(made["job"]["id"])
        self.assertEqual(events[-1]["state"], "done", events[-1])
        made = op.call("GET", f"/deliveries/{delivery}", expect=200)
        self.assertEqual((made["state"], made["problem"]), ("profiled", None))
        self.assertTrue(all(f["profiled"] and f["rows"] > 0 for f in made["files"]))
        profile = op.call("GET", f"/deliveries/{delivery}/files/0/profile", expect=200)
        self.assertGreater(len(profile["columns"]), 3)

        # A decision comes behind a dry run; that counts what would be rejected, by row and column.
        accept = {"decision": "accept", "note": "looked at"}
        self.assertEqual(op.call("POST", f"/deliveries/{delivery}/decision", accept)[0], 409)
        job = op.call("POST", f"/deliveries/{delivery}/dry-run", expect=202)
        op.await_job(job["id"], "done")
        made = op.call("GET", f"/deliveries/{delivery}", expect=200)
        self.assertEqual(made["state"], "checked")
        rejected = sum(f["rejected"] for f in made["files"])
        self.assertGreater(rejected, 0)
        table = op.call("GET", f"/deliveries/{delivery}/rejects?limit=5", expect=200)
        self.assertEqual(table["count"], rejected)
        self.assertEqual(len(table["rows"]), min(5, rejected))
        for row in table["rows"]:
            self.assertNotRegex(json.dumps(row), r"\d{15}", "numbers are masked")
        status, headers, book = op.raw("GET", f"/deliveries/{delivery}/rejects/file")
        self.assertEqual(status, 200)
        with zipfile.ZipFile(io.BytesIO(book)) as z:
            self.assertIn("xl/comments1.xml", z.namelist())

        made = op.call("POST", f"/deliveries/{delivery}/decision", accept, expect=200)
        self.assertEqual((made["state"], made["note"]), ("accepted", "looked at"))
        other = self.client("other")
        self.assertEqual(other.call("GET", f"/deliveries/{delivery}")[0], 404)
        self.assertEqual(other.call("POST", "/comparisons", {"deliveries": [delivery]})[0], 404)
        job = op.call("POST", "/comparisons", {"deliveries": [delivery], "memory": "512M"}, expect=202)
        events = op.watch(job["id"])
        self.assertEqual(events[-1]["state"], "done", events[-1])
        self.assertTrue(any(e["phase"] and e["state"] == "running" for e in events), events)
        run = events[-1]["run"]
        made = op.call("GET", f"/deliveries/{delivery}", expect=200)
        self.assertEqual((made["state"], made["run"]), ("loaded", run))
        self.assertEqual([e["what"] for e in made["history"]],
                         ["made", "profiled", "checked", "accepted", "comparison_started", "loaded"])
        self.assertEqual(harness.last_manifest(self.data)["run"], run)
        self.assertIn("linked", op.raw("GET", f"/jobs/{job['id']}/log")[2].decode() + "linked")
        self.assertEqual(other.call("GET", f"/jobs/{job['id']}")[0], 404)
        self.assertNotIn(job["id"], [j["id"] for j in other.call("GET", "/jobs", expect=200)["items"]])
        type(self).loaded = delivery

    def test_3_what_is_refused_says_where(self):
        op = self.client()
        broken = self.offered / "broken"
        broken.mkdir()
        (broken / "cards.csv").write_text("号,人\n330102199001011237,王小明\n", "utf-8")
        (broken / "manifest.toml").write_text(
            '[delivery]\nprovince = "330000"\ncutoff = 2017-09-30\n[[extract]]\nfile = "cards.csv"\n'
            'kind = "card"\nsource = "ka-1"\nstage = "internal"\n')
        listed = op.call("GET", "/deliveries/folders", expect=200)["items"]
        self.assertEqual([pathlib.Path(f["folder"]).name for f in listed], ["broken", "q3"])
        for out in ("/etc", f"{self.offered}/../data", f"{broken}/../../data", str(self.data)):
            status, answer = op.call("POST", "/deliveries", {"folder": out})
            self.assertEqual((status, answer["code"]), (422, "CB-SERVICE-0444"), out)
        made = op.call("POST", "/deliveries", {"folder": str(broken)}, expect=201)
        op.await_job(made["job"]["id"], "done")
        made = op.call("GET", f"/deliveries/{made['id']}", expect=200)
        self.assertEqual(made["state"], "refused_by_check")
        self.assertEqual(made["problem"]["code"], "CB-EXTRACT-0015")
        self.assertIn("cards.csv", made["problem"]["detail"])
        # Mapped, it is read.
        status, answer = op.call("PUT", f"/deliveries/{made['id']}/files/0/mapping",
                                 {"columns": {"号": "nonsense"}})
        self.assertEqual(status, 422)
        (broken / "cards.csv").write_text("号,人,卡\n330102199001011237,王小明,1\n", "utf-8")
        mapped = op.call("PUT", f"/deliveries/{made['id']}/files/0/mapping",
                         {"columns": {"号": "id_number", "人": "name", "卡": "card_no"}}, expect=200)
        op.await_job(mapped["job"]["id"], "done")
        self.assertEqual(op.call("GET", f"/deliveries/{made['id']}", expect=200)["state"], "profiled")

    def test_4_exports_carry_their_caller(self):
        op = self.client()
        body = {"list": "to-verify", "format": "csv", "purpose": "door to door, Q4"}
        key = {"Idempotency-Key": "the-same-export"}
        job = op.call("POST", "/exports", body, expect=202, headers=key)
        again = op.call("POST", "/exports", body, expect=202, headers=key)
        self.assertEqual(job["id"], again["id"], "sent again, it is the same job")
        done = op.await_job(job["id"], "done")
        page = op.call("GET", "/lists/to-verify?limit=1", expect=200)
        status, headers, data = op.raw("GET", f"/jobs/{job['id']}/result")
        self.assertEqual(status, 200)
        self.assertEqual(len(data), done["result"]["size"])
        self.assertTrue(data.startswith(b"\xef\xbb\xbf"))
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        self.assertEqual(len(rows), page["count"] + 2, "header, rows, watermark")
        self.assertRegex(rows[-1][0], r"op .*door to door, Q4")
        self.assertNotRegex(data.decode(), r"(?<!\d)\d{17}[\dX](?!\d)", "masked")
        listed = op.call("GET", "/exports", expect=200)["items"]
        self.assertEqual((listed[0]["rows"], listed[0]["by"], listed[0]["purpose"]),
                         (page["count"], "op", "door to door, Q4"))
        other = self.client("other")
        self.assertIn(other.raw("GET", f"/jobs/{job['id']}/result")[0], (403, 404))
        self.assertEqual(other.call("GET", "/exports", expect=200)["items"], [])
        # The other's list is of the other's division.
        mine = other.call("POST", "/exports", body, expect=202)
        other.await_job(mine["id"], "done")
        own = list(csv.reader(io.StringIO(
            other.raw("GET", f"/jobs/{mine['id']}/result")[2].decode("utf-8-sig"))))
        self.assertEqual(len(own) - 2, other.call("GET", "/lists/to-verify?limit=1",
                                                  expect=200)["count"])
        self.assertLess(len(own), len(rows))
        book = op.call("POST", "/exports", {"list": "form-2-2", "column": "1", "format": "xlsx",
                                            "purpose": "for the leader", "clear": True}, expect=202)
        op.await_job(book["id"], "done")
        data = op.raw("GET", f"/jobs/{book['id']}/result")[2]
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            self.assertIn("for the leader", z.read("docProps/core.xml").decode())
            self.assertIn("for the leader", z.read("xl/worksheets/sheet1.xml").decode())
        status, _ = op.call("POST", "/exports", {**body, "list": "everything"})
        self.assertEqual(status, 400)

    def test_5_a_run_is_taken_back(self):
        op = self.client()
        delivery = op.call("GET", f"/deliveries/{self.loaded}", expect=200)
        undo = op.call("POST", f"/deliveries/{self.loaded}/decision", {"decision": "undo"}, expect=200)
        op.await_job(undo["job"]["id"], "done")
        undone = op.call("GET", f"/deliveries/{self.loaded}", expect=200)
        self.assertEqual(undone["state"], "undone")
        runs = json.loads(harness.ok("runs", "--data", self.data, "--format", "json").out)
        self.assertFalse([r for r in runs if r["current"]])
        # It may be accepted and loaded again.
        op.call("POST", f"/deliveries/{self.loaded}/decision", {"decision": "accept"}, expect=200)
        # By another name: since then something was mapped, which is part of the rules.
        job = op.call("POST", "/comparisons", {"deliveries": [self.loaded]}, expect=202)
        again = op.await_job(job["id"], "done")["run"]
        self.assertNotEqual(again, delivery["run"])
        runs = json.loads(harness.ok("runs", "--data", self.data, "--format", "json").out)
        self.assertEqual([r["run"] for r in runs if r["current"]], [again])

    def test_6_a_killed_server_loses_nothing(self):
        # Of the same cut-off: it takes the place of what is loaded.
        harness.demo(self.offered / "large", SLOW_PERSONS, "--errors", "clean", "--seed", 8)
        op = self.client()
        accepted = self.accepted(op, self.offered / "large")
        job = op.call("POST", "/comparisons", {"deliveries": [accepted["id"]], "memory": "64M"},
                      expect=202)
        op.await_job(job["id"], "running")
        op.call("POST", f"/jobs/{job['id']}/cancel", expect=202)
        op.await_job(job["id"], "cancelled")
        self.assertEqual(op.call("POST", f"/jobs/{job['id']}/cancel")[0], 409)
        op.call("POST", f"/jobs/{job['id']}/resume", expect=202)
        op.await_job(job["id"], "running")
        time.sleep(0.5)
        self.server.kill()
        self.restart()
        op = self.client()
        interrupted = op.await_job(job["id"], "interrupted", "done")
        if interrupted["state"] == "interrupted":
            op.call("POST", f"/jobs/{job['id']}/resume", expect=202)
        done = op.await_job(job["id"], "done")
        delivery = op.call("GET", f"/deliveries/{accepted['id']}", expect=200)
        self.assertEqual((delivery["state"], delivery["run"]), ("loaded", done["run"]))
        runs = json.loads(harness.ok("runs", "--data", self.data, "--format", "json").out)
        self.assertEqual([r["run"] for r in runs if r["current"]], [done["run"]], "loaded once")
        undisturbed = self.workspace.data("undisturbed")
        harness.compare(self.offered / "large", undisturbed)
        self.assertEqual(harness.both_forms(self.data), harness.both_forms(undisturbed))


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
