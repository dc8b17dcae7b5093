"""`canbao serve` from the outside: how it starts, answers, and stops; TLS; the console's files; the admin
port; PostgreSQL killed under it.
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest

import harness
import service


def ask(address, path, headers=None, method="GET", connection=None):
    c = connection or http.client.HTTPConnection(address, timeout=30)
    c.request(method, path, headers=headers or {})
    answer = c.getresponse()
    answer.text = answer.read()
    if not connection:
        c.close()
    return answer


def until(holds, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("serve")
        cls.addClassCleanup(cls.workspace.close)
        cls.web = cls.workspace.path("web")
        (cls.web / "assets").mkdir(parents=True)
        (cls.web / "index.html").write_text("<!doctype html><title>console</title>")
        (cls.web / "assets/app-0a1b.js").write_text("export {}")

    def serve(self, name, *words) -> service.Server:
        server = service.Server(self.workspace.data(name), "--web", self.web, *words)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return server

    def test_an_empty_folder_is_enough(self):
        server = self.serve("empty", "--admin", "127.0.0.1:0")
        page = ask(server.address, "/lists/uncovered")
        self.assertEqual(page.status, 200)
        self.assertIn(b"console", page.text)
        self.assertIn("script-src 'self'", page.headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(page.headers["X-Content-Type-Options"], "nosniff")
        self.assertIsNone(page.headers["Strict-Transport-Security"])
        self.assertIn("immutable", ask(server.address, "/assets/app-0a1b.js").headers["Cache-Control"])
        self.assertEqual(ask(server.address, "/..%2f..%2fetc%2fpasswd").status, 404)
        closed = ask(server.address, "/api/v1/home", {"Accept-Language": "en"})
        self.assertEqual(closed.status, 401)
        self.assertEqual(closed.headers["Content-Type"], "application/problem+json")
        self.assertEqual(closed.headers["Cache-Control"], "no-store")
        wrong = json.loads(ask(server.address, "/api/v1/lists/nothing?limit=x").text)
        self.assertEqual({f["field"] for f in wrong["fields"]}, {"list", "limit"})
        self.assertEqual(ask(server.admin, "/live").status, 200)
        self.assertEqual(ask(server.admin, "/ready").status, 200)
        metrics = ask(server.admin, "/metrics").text.decode()
        self.assertIn('canbao_http_requests_total{method="GET",route="/home",status="401"} 1', metrics)
        # Asking from outside never reaches the admin port, and paths or queries never the log.
        self.assertNotIn(b"canbao_http", ask(server.address, "/metrics").text)
        self.assertEqual(ask(server.address, "/api/v1/persons/12345678901234?x=330102").status, 400)
        self.assertEqual(server.stop(), 0)
        log = (self.workspace.data("empty") / "log/service.log").read_text()
        self.assertRegex(log, r"GET /persons/\{key\} 400 ")
        self.assertNotIn("12345678901234", log)
        self.assertNotIn("330102", log)

    def test_words_that_are_wrong(self):
        data = self.workspace.data("words")
        self.assertEqual(harness.run("serve", "--data", data, "--listen", "nowhere").code, harness.USAGE)
        self.assertEqual(harness.run("serve", "--data", data, "--tls-cert", "x").code, harness.USAGE)
        self.assertEqual(harness.run("serve", "--data", data, "--web", data).code, harness.USAGE)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = harness.run("serve", "--data", data, "--listen", "127.0.0.1:%d" % taken.getsockname()[1])
        self.assertEqual(done.code, harness.ENVIRONMENT, done)
        self.assertIn("CB-SERVICE-0015", done.err)

    @unittest.skipUnless(shutil.which("openssl"), "no openssl to make a certificate with")
    def test_tls_is_1_3_only(self):
        cert, key = self.workspace.path("cert.pem"), self.workspace.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        server = self.serve("tls", "--tls-cert", cert, "--tls-key", key)
        context = ssl.create_default_context(cafile=str(cert))
        c = http.client.HTTPSConnection(server.address, timeout=30, context=context)
        for _ in range(2):  # the connection is kept
            page = ask(None, "/", connection=c)
            self.assertEqual(page.status, 200)
        self.assertEqual(c.sock.version(), "TLSv1.3")
        self.assertIn("max-age=", page.headers["Strict-Transport-Security"])
        c.close()
        old = ssl.create_default_context(cafile=str(cert))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            ask(None, "/", connection=http.client.HTTPSConnection(server.address, timeout=30, context=old))
        # Somebody who speaks no TLS is no trouble to the others.
        with socket.create_connection(server.address.split(":"), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"200", plain.recv(100))
        self.assertEqual(ask(None, "/", connection=http.client.HTTPSConnection(
            server.address, timeout=30, context=context)).status, 200)
        self.assertEqual(server.stop(), 0)

    def test_postgresql_dies_and_comes_back(self):
        server = self.serve("killed", "--admin", "127.0.0.1:0")
        cookie = {"Cookie": "canbao_session=" + "A" * 43}
        self.assertEqual(ask(server.address, "/api/v1/session", cookie).status, 401)
        for _ in range(3):
            pid = int((self.workspace.data("killed") / "postgres/data/postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 20, "the end of PostgreSQL")
            down = ask(server.address, "/api/v1/session", cookie)
            self.assertIn(down.status, (401, 503))
            if down.status == 503:
                self.assertTrue(down.headers["Retry-After"])
            until(lambda: ask(server.admin, "/ready").status == 200, 40, "ready again")
            self.assertEqual(ask(server.address, "/api/v1/session", cookie).status, 401)
        self.assertEqual(ask(server.address, "/").status, 200)
        self.assertEqual(server.stop(), 0)

    def test_another_postgresql(self):
        # One that is there: a database of its own in a cluster of somebody else.
        cluster, data = self.workspace.data("cluster"), self.workspace.data("elsewhere")
        owner = harness.ok("db", "start", "--data", cluster).out.strip()
        service.sql(cluster, "CREATE DATABASE elsewhere")
        owner = owner.replace("dbname='canbao'", "dbname='elsewhere'").replace("dbname=canbao", "dbname=elsewhere")
        self.assertIn("elsewhere", owner)
        by_role = {name: owner.replace("canbao_owner", role) for name, role in (
            ("CANBAO_DATABASE", "canbao_owner"), ("CANBAO_APP_DATABASE", "canbao_app"),
            ("CANBAO_ACCESS_DATABASE", "canbao_access"))}
        delivery = harness.demo(self.workspace.path("delivery"), 300)
        harness.compare(delivery, data, "--database", owner)
        made = json.loads(harness.ok("user", "add", "op", "--data", data, "--database", owner, "--name", "op", "--role",
                                     "operator", "--division", "330000", "--ready", "--format", "json").out)
        server = service.serve_for(self, data, environment=by_role)
        self.assertFalse((data / "postgres").exists())
        op = service.Client(server)
        self.assertEqual(op.sign_in("op", made["password"]).status, 201)
        # A job's child reads as canbao_app too, and no list of processes shows how.
        job = op.post("/exports", {"list": "uncovered", "format": "csv", "purpose": "elsewhere"}, expect=202)["id"]
        done = op.done(job)
        self.assertGreater(done["result"]["size"], 0)
        words = pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        self.assertNotIn(b"canbao_owner", words)
        self.assertEqual(server.stop(), 0)

    def test_it_finishes_what_runs(self):
        server = self.serve("stop")
        kept = http.client.HTTPConnection(server.address, timeout=30)
        self.assertEqual(ask(None, "/", connection=kept).status, 200)
        half = socket.create_connection(server.address.split(":"), timeout=60)
        half.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 2\r\n\r\n{")
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.5)
        half.sendall(b"}")  # arrives while it stops, and is answered
        answer = half.recv(4096)
        self.assertIn(b"400 ", answer.split(b"\r\n")[0])
        self.assertIn(b"Connection: close", answer)
        half.close()
        self.assertEqual(server.process.wait(60), 0)
        self.assertFalse((self.workspace.data("stop") / "postgres/data/postmaster.pid").exists())


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
