"""What breaks under the service: PostgreSQL killed under load, the server killed in the middle of an upload,
of a job, of a change of a case. Nothing is lost or doubled, and whoever asks meanwhile is told clearly.
"""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import os
import random
import socket
import sys
import threading
import time
import unittest

import harness
import service

PERSONS = 2000
ROUNDS = int(os.environ.get("CANBAO_FAULT_ROUNDS", "2"))
PART = 128 << 10


class Load(threading.Thread):
    """Somebody who keeps asking, and what was answered: (status, content type, Retry-After)."""

    def __init__(self, client, *asked):
        super().__init__(daemon=True)
        self.client, self.asked, self.answers, self.broken = client, asked, [], []
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            for method, path, body in self.asked:
                try:
                    answer = self.client.call(method, path, body)
                    self.answers.append((answer.status, answer.headers["Content-Type"],
                                         answer.headers["Retry-After"], path, answer.code))
                except (OSError, http.client.HTTPException) as e:
                    self.broken.append((path, repr(e)))

    def end(self):
        self.ending.set()
        self.join(120)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("service-faults")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.offered = cls.workspace.path("offered")
        cls.offered.mkdir()
        harness.demo(cls.offered / "q3", PERSONS, "--errors", "realistic")
        harness.compare(cls.offered / "q3", cls.data)
        cls.forms = harness.both_forms(cls.data)
        cls.people = service.People(cls.data)
        cls.people.add("op", "operator")
        cls.people.add("rev", "reviewer")
        cls.server = cls.start()
        cls.addClassCleanup(lambda: cls.server.stop())
        cls.op = cls.people.sign_in(cls.server, "op")
        cls.rev = cls.people.sign_in(cls.server, "rev")

    @classmethod
    def start(cls, port=0):
        return service.Server(cls.data, "--deliveries", cls.offered, "--admin", "127.0.0.1:0", "--address-rate", "0",
                              port=port)

    def restart(self):
        """On the same port: browsers find it again, and their sessions go on."""
        type(self).server = self.start(self.server.port)
        self.op.server = self.rev.server = self.server

    def setUp(self):
        # Whatever was done to it, the record of it is whole.
        self.addCleanup(lambda: self.assertEqual(service.verified(self.data).get("findings"), []))

    def persistently(self, client, method, path, body, headers, expect, seconds=60):
        """As the console does: the same request, with the same key, until it is answered."""
        end = time.monotonic() + seconds
        while True:
            try:
                answer = client.call(method, path, body, headers)
                if answer.status != 503:
                    self.assertEqual(answer.status, expect, answer)
                    return answer
            except (OSError, http.client.HTTPException):
                pass
            self.assertLess(time.monotonic(), end, f"{method} {path} is not answered")
            time.sleep(0.1)

    def test_1_postgresql_killed_under_load(self):
        name = self.op.get("/lists/uncovered?limit=1")["rows"][0]
        case = self.op.get("/cases?kind=discrepancy&limit=1")["items"][0]["id"]
        before = len(self.op.get(f"/cases/{case}")["events"])
        for turn in range(ROUNDS):
            loads = [Load(self.op, ("GET", "/home", None), ("GET", "/lists/to-verify?limit=20", None)),
                     Load(self.op, ("POST", "/persons/search", {"by": "name", "value": "王", "purpose": "at the desk"}),
                          ("GET", f"/persons/{name['person_key']}", None)),
                     Load(self.rev, ("GET", f"/cases/{case}", None), ("GET", "/session", None))]
            for load in loads:
                load.start()
            service.until(lambda: all(len(load.answers) > 4 for load in loads), 60, "answers before")
            process = self.server.process.pid
            service.kill_postgresql(self.server)
            # Changes of that moment: asked for until they are answered, and done once.
            exports = [self.persistently(self.op, "POST", "/exports", {"list": "rejects", "format": "csv",
                                                                       "purpose": f"turn {turn}"},
                                         {"Idempotency-Key": f"export-{turn}-{i}"}, 202).json()["id"]
                       for i in range(2)]
            for i in range(3):
                version = self.persistently(self.rev, "GET", f"/cases/{case}", None, {}, 200).json()["version"]
                self.persistently(self.rev, "POST", f"/cases/{case}/steps", {"action": "comment", "note": "seen"},
                                  {"Idempotency-Key": f"comment-{turn}-{i}", "If-Match": f'"{version}"'}, 200)
            service.until(lambda: all(
                load.answers[-1][0] == 200 for load in loads), 60, "answers again")
            seen = [len(load.answers) for load in loads]
            service.until(lambda: all(len(load.answers) > n + 4 for load, n in zip(loads, seen)), 60, "answers after")
            for load in loads:
                load.end()
            answers = [answer for load in loads for answer in load.answers]
            self.assertEqual([b for load in loads for b in load.broken], [], "every request is answered")
            self.assertEqual({a for a in answers if a[0] not in (200, 503)}, set())
            down = [a for a in answers if a[0] == 503]
            self.assertTrue(down, "it was killed, and somebody noticed")
            self.assertEqual({a[1] for a in down}, {"application/problem+json"})
            self.assertNotIn(None, {a[2] for a in down}, "a time to try again")
            self.assertEqual({a[0] for load, n in zip(loads, seen) for a in load.answers[n:]}, {200})
            self.assertEqual(self.server.process.pid, process)
            self.assertTrue(self.server.running())
            self.assertEqual(len(set(exports)), 2)
            for job in exports:
                self.op.done(job)
            made = [e for e in self.op.get("/exports")["items"] if e["purpose"] == f"turn {turn}"]
            self.assertEqual(len(made), 2, "two were asked for")
        self.assertEqual(len(self.op.get(f"/cases/{case}")["events"]), before + 3 * ROUNDS)
        self.assertEqual(harness.both_forms(self.data), self.forms)

    def test_2_server_killed_during_an_upload(self):
        rng = random.Random(7)
        for turn in range(ROUNDS):
            data = rng.randbytes(6 * PART + 1234)
            made = self.op.post("/uploads", {"name": f"big-{turn}.csv", "size": len(data),
                                             "sha256": hashlib.sha256(data).hexdigest()}, expect=201)
            upload, kill_at, at = made["id"], PART * rng.randrange(1, 5), 0
            while at < len(data):
                if at == kill_at:
                    # In the middle of a part, and at once.
                    with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as s:
                        s.sendall((f"PATCH /api/v1/uploads/{upload}?offset={at} HTTP/1.1\r\nHost: x\r\n"
                                   f"Cookie: {self.op.cookie}\r\nX-CSRF-Token: {self.op.csrf}\r\n"
                                   f"Content-Type: application/octet-stream\r\nContent-Length: {PART}\r\n\r\n"
                                   ).encode() + data[at:at + PART - (1 if turn % 2 else 0)])
                        self.server.kill()
                    self.restart()
                    kill_at = None
                    now = self.op.get(f"/uploads/{upload}")
                    self.assertEqual(now["state"], "open")
                    self.assertIn(now["received"], (at, at + PART), "a part is there or not")
                    at = now["received"]
                    continue
                now = self.op.call("PATCH", f"/uploads/{upload}?offset={at}", raw=data[at:at + PART], expect=200).json()
                at = now["received"]
            self.assertEqual(now["state"], "complete")
            kept = self.data / "uploads" / upload / "data"
            self.assertEqual(hashlib.sha256(kept.read_bytes()).hexdigest(), hashlib.sha256(data).hexdigest())

    def test_3_server_killed_during_an_export(self):
        expected = self.op.get("/lists/discrepancies?limit=1")["count"]
        for turn in range(ROUNDS):
            job = self.op.post("/exports", {"list": "discrepancies", "format": ("csv", "xlsx")[turn % 2],
                                            "purpose": f"killed {turn}"}, expect=202)["id"]
            service.until(lambda: self.op.get(f"/jobs/{job}")["state"] != "queued", 30, "its start")
            self.server.kill()
            self.restart()
            now = self.clear_state(job)
            if now["state"] == "interrupted":
                self.assertEqual(self.op.call("GET", f"/jobs/{job}/result").status, 404, "nothing half")
                self.op.post(f"/jobs/{job}/resume", expect=202)
            now = self.op.done(job)
            got = self.op.call("GET", f"/jobs/{job}/result", expect=200).body
            self.assertEqual(len(got), now["result"]["size"])
            if turn % 2 == 0:
                rows = list(csv.reader(io.StringIO(got.decode("utf-8-sig"))))
                self.assertEqual(len(rows), expected + 2, "header, rows, watermark")
            made = [e for e in self.op.get("/exports")["items"] if e["purpose"] == f"killed {turn}"]
            self.assertEqual([(e["rows"], e["state"]) for e in made], [(expected, "done")])
            self.assertEqual(list((self.data / "jobs" / job).glob("*.part")), [])

    def clear_state(self, job):
        """Behind a restart a job is done, goes on, or says that it was interrupted or why it failed."""
        now = self.op.ended(job, 60)
        self.assertIn(now["state"], ("done", "interrupted", "failed"), now)
        self.assertEqual(now["state"] == "failed", now["problem"] is not None, now)
        return now

    def test_4_server_killed_during_a_comparison(self):
        made = self.op.post("/deliveries", {"folder": str(self.offered / "q3")}, expect=201)
        self.op.done(made["job"]["id"])
        self.op.done(self.op.post(f"/deliveries/{made['id']}/dry-run", expect=202)["id"])
        self.op.post(f"/deliveries/{made['id']}/decision", {"decision": "accept"})
        runs = len(self.op.get("/runs")["items"])
        job = self.op.post("/comparisons", {"deliveries": [made["id"]], "memory": "64M"}, expect=202)["id"]
        service.until(lambda: self.op.get(f"/jobs/{job}")["state"] != "queued", 30, "its start")
        self.server.kill()
        self.restart()
        now = self.clear_state(job)
        if now["state"] == "interrupted":
            self.assertEqual(self.op.get(f"/deliveries/{made['id']}")["state"], "accepted")
            self.op.post(f"/jobs/{job}/resume", expect=202)
        now = self.op.done(job)
        self.assertEqual(self.op.get(f"/deliveries/{made['id']}")["state"], "loaded")
        current = [run for run in self.op.get("/runs")["items"] if run["current"]]
        self.assertEqual([run["name"] for run in current], [now["run"]])
        self.assertLessEqual(len(self.op.get("/runs")["items"]), runs + 1)
        self.assertEqual(harness.both_forms(self.data), self.forms, "the same delivery, the same figures")

    def test_5_server_killed_during_a_change_of_a_case(self):
        cases = [c["id"] for c in self.op.get("/cases?kind=discrepancy&state=found&limit=50")["items"]]
        rng = random.Random(11)
        for turn, case in enumerate(cases[-2 * ROUNDS:]):
            before = self.op.get(f"/cases/{case}")
            asked = (self.op, "POST", f"/cases/{case}/steps", {"action": "comment", "note": f"turn {turn}"},
                     {"Idempotency-Key": f"killed-comment-{case}", "If-Match": f'"{before["version"]}"'})
            said = []

            def first():
                try:
                    said.append(asked[0].call(*asked[1:]).status)
                except (OSError, http.client.HTTPException):
                    said.append(None)
            thread = threading.Thread(target=first)
            thread.start()
            time.sleep(rng.uniform(0, 0.03))
            self.server.kill()
            thread.join(60)
            self.restart()
            self.assertIn(said[0], (None, 200))
            answer = self.persistently(*asked, 200).json()
            after = self.op.get(f"/cases/{case}")
            self.assertEqual((after["version"], len(after["events"])),
                             (before["version"] + 1, len(before["events"]) + 1), "once, whatever was answered")
            self.assertEqual(answer["version"], after["version"])
        self.assertTrue(service.verified(self.data)["ok"])


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
