"""A served register and those who use it, for tests of the service from the outside: `canbao serve` over a
data folder, and signed-in browsers. Python 3 standard library, no packages.
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
import signal
import struct
import subprocess
import time

import harness

PSQL = "/usr/lib/postgresql/15/bin/psql"
COOKIE = "canbao_session"


class Server:
    """`canbao serve`, on a port of the kernel's choice unless one is named."""

    def __init__(self, data, *words, port=0, environment=None):
        self.data = pathlib.Path(data)
        self.log_path = self.data.parent / f"{self.data.name}-serve.log"
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [str(harness.CANBAO), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}", *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=harness.environment(environment))
        self.admin = None
        for line in self.process.stdout:
            if found := re.search(r"admin http://([^/\s]+)", line):
                self.admin = found[1]
            if found := re.search(r"serving at https?://([^/\s]+)", line):
                self.address = found[1]
                return
        raise AssertionError("serve ended: " + self.log_path.read_text("utf-8")[-2000:])

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        self.process.terminate()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._close()
        return code

    def kill(self):
        """As a power failure ends it."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        self.process.stdout.close()
        self.log.close()

    def postmaster(self) -> int | None:
        try:
            return int((self.data / "postgres/data/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None

    def logged(self) -> str:
        """All that it has written down."""
        return self.log_path.read_text("utf-8") + "".join(p.read_text("utf-8") for p in self.data.glob("log/*.log"))


def serve_for(test, data, *words, **options) -> Server:
    server = Server(data, *words, **options)
    test.addCleanup(lambda: server.running() and server.stop())
    return server


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """Of a problem; else nothing."""
        try:
            return self.json().get("code")
        except (ValueError, AttributeError):
            return None

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Client:
    """A browser: keeps its cookie and the token of the page."""

    def __init__(self, server, address=None):
        self.server, self.cookie, self.csrf = server, None, None
        self.address = address

    def call(self, method, path, body=None, headers=None, raw=None, timeout=60, expect=None) -> Answer:
        sent = {"Accept-Language": "en", **({"Cookie": self.cookie} if self.cookie else {}),
                **({"X-CSRF-Token": self.csrf} if self.csrf and method not in ("GET", "HEAD") else {})}
        if raw is not None:
            sent["Content-Type"] = "application/octet-stream"
        elif body is not None:
            sent["Content-Type"] = "application/json"
            raw = json.dumps(body).encode()
        sent.update(headers or {})
        connection = http.client.HTTPConnection(self.address or self.server.address, timeout=timeout)
        try:
            connection.request(method, "/api/v1" + path, raw, sent)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        finally:
            connection.close()
        if expect is not None and answer.status != expect:
            raise AssertionError(f"{method} {path}: {answer}, not {expect}")
        return answer

    def get(self, path, expect=200):
        return self.call("GET", path, expect=expect).json()

    def post(self, path, body=None, expect=200, **more):
        return self.call("POST", path, body, expect=expect, **more).json()

    def sign_in(self, account, password, secret=None) -> Answer:
        words = {"account": account, "password": password}
        if secret:
            words["totp"] = one_time_code(secret)
        answer = self.call("POST", "/session", words)
        if answer.status == 201:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            self.csrf = answer.json()["csrf_token"]
        return answer

    def upload(self, name, data, part=256 << 10) -> str:
        made = self.post("/uploads", {"name": name, "size": len(data),
                                      "sha256": hashlib.sha256(data).hexdigest()}, expect=201)
        for offset in range(0, len(data), part):
            made = self.call("PATCH", f"/uploads/{made['id']}?offset={offset}", raw=data[offset:offset + part],
                             expect=200).json()
        if made["state"] != "complete":
            raise AssertionError(made)
        return made["id"]

    def ended(self, job, seconds=240) -> dict:
        """A job at its end, whatever that is."""
        end = time.monotonic() + seconds
        while True:
            now = self.get(f"/jobs/{job}")
            if now["state"] in ("failed", "done", "cancelled", "interrupted"):
                return now
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: the end of {now}")
            time.sleep(0.1)

    def done(self, job, seconds=240) -> dict:
        now = self.ended(job, seconds)
        if now["state"] != "done":
            log = self.call("GET", f"/jobs/{job}/log").body.decode("utf-8", "replace")
            raise AssertionError(f"{now}\n{log[-2000:]}")
        return now


class People:
    """Accounts of a data folder, ready to sign in."""

    def __init__(self, data):
        self.data, self.made = data, {}

    def add(self, account, *roles, division="330000"):
        words = [w for role in roles for w in ("--role", role)]
        made = harness.ok("user", "add", account, "--data", self.data, "--name", account, *words, "--division",
                          division, "--ready", "--format", "json")
        self.made[account] = json.loads(made.out)

    def password(self, account) -> str:
        return self.made[account]["password"]

    def sign_in(self, server, account) -> Client:
        client, made = Client(server), self.made[account]
        answer = client.sign_in(account, made["password"], made.get("totp_secret"))
        if answer.status != 201:
            raise AssertionError(f"{account}: {answer}")
        return client


def one_time_code(secret, at=None) -> str:
    """RFC 6238 with HMAC-SHA-1, six digits, 30 seconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at or time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def sql(data, text) -> str:
    """As the owner of the database, which has to run."""
    info = (f"host={pathlib.Path(data).resolve()}/postgres/data port=5432 user=canbao_owner dbname=canbao")
    done = subprocess.run([PSQL, info, "-Atqc", text], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


def until(holds, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def kill_postgresql(server) -> int:
    """SIGKILL of its first process; waits until that is gone."""
    pid = server.postmaster()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 20, "the end of PostgreSQL")
    return pid


def verified(data) -> dict:
    """What `canbao audit verify` says."""
    return json.loads(harness.run("audit", "verify", "--data", data, "--format", "json").out)
