"""Who may do what, asked of the served API: every operation of the contract answers 401 without a session
and 403 to a role that lacks its permission, and lets the others in; signing in with its locks, factors and
page tokens; and an audit in which every change shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import struct
import subprocess
import sys
import time
import unittest

import harness

PSQL = "/usr/lib/postgresql/15/bin/psql"
ROLES = ("operator", "reviewer", "leader", "surveyor", "liaison", "clerk", "system_administrator",
         "security_administrator", "audit_administrator")
# What each of the contract's patterns is satisfied by.
SAMPLES = ("77777777777777777", "330106", "123456", "zz.sample", "2017-09-30", "512M", "0" * 64)


class Served:
    """`canbao serve` over a data folder, on a port of the kernel's choice."""

    def __init__(self, data, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            [str(harness.CANBAO), "serve", "--data", str(data), "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=harness.environment())
        for line in self.process.stdout:
            if found := re.search(r"serving at http://([^/\s]+)", line):
                self.address = found[1]
                return
        raise AssertionError(f"serve ended: {open(log, encoding='utf-8').read()[-2000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        if self.status < 400:
            return "ok"
        try:
            return self.json()["code"]
        except (ValueError, KeyError, TypeError):
            return self.body[:200].decode("utf-8", "replace")


class Client:
    """A browser's side: its cookie, the token of the page."""

    def __init__(self, address):
        self.address, self.cookie, self.csrf = address, None, None

    def call(self, method, path, body=None, headers=None, raw=None):
        sent = {"Accept-Language": "en", **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            sent.setdefault("X-CSRF-Token", self.csrf)
        if body is not None:
            raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif raw is not None:
            sent["Content-Type"] = "application/octet-stream"
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, "/api/v1" + path, raw, sent)
            response = connection.getresponse()
            # A stream of events does not end by itself.
            stream = "text/event-stream" in response.getheader("Content-Type", "")
            return Answer(response.status, dict(response.getheaders()), b"" if stream else response.read())
        finally:
            connection.close()

    def sign_in(self, account, password, secret=None):
        words = {"account": account, "password": password}
        if secret:
            words["totp"] = totp(secret)
        answer = self.call("POST", "/session", words)
        if answer.status == 201:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            self.csrf = answer.json()["csrf_token"]
        return answer


def totp(secret, at=None):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(at or time.time()) // 30), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def user_add(data, account, role, division="330000", *more):
    return json.loads(harness.ok("user", "add", account, "--data", data, "--name", "示例", "--role", role,
                                 "--division", division, "--format", "json", *more).out)


class Sampler:
    """A smallest valid request of an operation, made from the contract."""

    def __init__(self, document):
        self.document = document

    def resolve(self, at):
        while "$ref" in at:
            found = self.document
            for word in at["$ref"].removeprefix("#/").split("/"):
                found = found[word]
            at = found
        return at

    def value(self, schema):
        schema = self.resolve(schema)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object")
        if kind == "object":
            return {name: self.value(schema["properties"][name]) for name in schema.get("required", [])}
        if kind == "array":
            return [self.value(schema["items"])] * schema.get("minItems", 0)
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        if kind == "boolean":
            return False
        if schema.get("format") == "date":
            return "2017-09-30"
        if "pattern" in schema:
            return next(s for s in SAMPLES if re.search(schema["pattern"], s))
        return "sample-text-of-ten"[:schema.get("maxLength", 18)]

    def requests(self):
        """(operationId, permission, method, path, headers, body, raw) of every operation."""
        for template, item in self.document["paths"].items():
            for method, operation in item.items():
                path, query, headers, body, raw = template, [], {}, None, None
                for parameter in map(self.resolve, operation.get("parameters", [])):
                    if parameter["in"] == "path":
                        path = path.replace("{%s}" % parameter["name"], str(self.value(parameter["schema"])))
                    elif parameter.get("required"):
                        value = str(self.value(parameter["schema"]))
                        if parameter["in"] == "query":
                            query.append(f"{parameter['name']}={value}")
                        else:
                            headers[parameter["name"]] = value
                if "requestBody" in operation:
                    content = self.resolve(operation["requestBody"])["content"]
                    if "application/json" in content:
                        body = self.value(content["application/json"]["schema"])
                    else:
                        raw = b"x"
                yield (operation["operationId"], operation["x-permission"], method.upper(),
                       path + ("?" + "&".join(query) if query else ""), headers, body, raw)


class EveryOperation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("access")
        cls.addClassCleanup(cls.workspace.close)
        data = cls.workspace.data()
        accounts = {role: user_add(data, role.replace("_", "."), role, "330000", "--ready") for role in ROLES}
        cls.served = Served(data, cls.workspace.path("serve.log"))
        cls.addClassCleanup(cls.served.stop)
        cls.document = Client(cls.served.address).call("GET", "/openapi.json").json()
        cls.requests = list(Sampler(cls.document).requests())
        cls.clients = {}
        for role, account in accounts.items():
            client = Client(cls.served.address)
            answer = client.sign_in(account["account"], account["password"], account.get("totp_secret"))
            if answer.status != 201:
                raise AssertionError(f"{role}: {answer.code}")
            cls.clients[role] = client
        cls.may = {item["role"]: set(item["permissions"])
                   for item in cls.clients["leader"].call("GET", "/roles").json()["items"]}

    def test_the_contract_is_all_there(self):
        self.assertGreater(len(self.requests), 60)
        self.assertEqual(set(self.may), set(ROLES))

    def test_without_a_session_it_is_401(self):
        nobody = Client(self.served.address)
        stranger = Client(self.served.address)
        stranger.cookie, stranger.csrf = "canbao_session=" + "a" * 64, "a"
        for client in (nobody, stranger):
            for operation, permission, method, path, headers, body, raw in self.requests:
                if permission == "public":
                    continue
                answer = client.call(method, path, body, headers, raw)
                self.assertEqual((answer.status, answer.code), (401, "CB-SERVICE-0100"), operation)

    def test_a_role_without_the_permission_gets_403(self):
        refused = 0
        for operation, permission, method, path, headers, body, raw in self.requests:
            for role, client in self.clients.items():
                if permission in ("public", "session") or permission in self.may[role]:
                    continue
                answer = client.call(method, path, body, headers, raw)
                self.assertEqual((answer.status, answer.code), (403, "CB-SERVICE-0101"), f"{operation} as {role}")
                refused += 1
        self.assertGreater(refused, 200)

    def test_a_role_with_the_permission_is_let_in(self):
        for operation, permission, method, path, headers, body, raw in self.requests:
            if permission in ("public", "session"):
                continue
            allowed = [role for role in ROLES if permission in self.may[role]]
            self.assertTrue(allowed, f"nobody may {operation}")
            for role in allowed:
                answer = self.clients[role].call(method, path, body, headers, raw)
                self.assertNotIn(answer.code, ("CB-SERVICE-0100", "CB-SERVICE-0101", "CB-SERVICE-0102"),
                                 f"{operation} as {role}")
                self.assertLess(answer.status, 500, f"{operation} as {role}: {answer.code}")

    def test_what_changes_something_needs_the_token_of_the_page(self):
        for operation, permission, method, path, headers, body, raw in self.requests:
            if method == "GET" or permission == "public":
                continue
            role = next((r for r in ROLES if permission in self.may[r]), "operator")
            answer = self.clients[role].call(method, path, body, {**headers, "X-CSRF-Token": "wrong"}, raw)
            self.assertEqual((answer.status, answer.code), (403, "CB-SERVICE-0102"), operation)


class SigningIn(unittest.TestCase):
    def setUp(self):
        self.workspace = harness.Workspace("signing-in")
        self.addCleanup(self.workspace.close)
        self.data = self.workspace.data()

    def serve(self):
        served = Served(self.data, self.workspace.path("serve.log"))
        self.addCleanup(lambda: served.process.poll() is None and served.stop())
        return served

    def sql(self, text):
        info = harness.ok("db", "start", "--data", self.data).out.strip()
        done = subprocess.run([PSQL, info, "-Atqc", text], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_from_the_first_password_to_the_audit(self):
        admin = user_add(self.data, "first.admin", "system_administrator")
        clerk = user_add(self.data, "a.clerk", "clerk", "330106", "--ready")
        self.assertNotIn("totp_secret", admin)
        served = self.serve()

        # The first password, then the second factor, before anything else.
        client = Client(served.address)
        answer = client.sign_in("first.admin", admin["password"])
        self.assertEqual(answer.json()["must"], ["change_password", "set_up_totp"])
        self.assertEqual(client.call("GET", "/users").code, "CB-SERVICE-0103")
        new = "a lantern in the fog"
        self.assertEqual(client.call("PUT", "/session/password", {"old": admin["password"], "new": new}).status, 204)
        self.assertEqual(client.call("GET", "/users").code, "CB-SERVICE-0104")
        begun = client.call("POST", "/session/totp").json()
        self.assertTrue(begun["uri"].startswith("otpauth://totp/"))
        code = totp(begun["secret"])
        self.assertEqual(client.call("PUT", "/session/totp", {"code": code}).status, 204)
        users = client.call("GET", "/users")
        self.assertEqual(users.status, 200, users.code)
        self.assertNotIn(b"argon2", users.body)
        self.assertEqual({u["account"] for u in users.json()["items"]}, {"first.admin", "a.clerk"})
        other = Client(served.address)
        self.assertEqual(other.sign_in("first.admin", new).code, "CB-REGISTER-0912")
        replayed = other.call("POST", "/session", {"account": "first.admin", "password": new, "totp": code})
        self.assertEqual(replayed.code, "CB-REGISTER-0910")
        self.assertEqual(client.call("DELETE", "/session").status, 204)
        self.assertEqual(client.call("GET", "/session").status, 401)

        # The lock.
        for _ in range(5):
            self.assertEqual(other.sign_in("a.clerk", "wrong").code, "CB-REGISTER-0910")
        self.assertEqual(other.sign_in("a.clerk", clerk["password"]).code, "CB-REGISTER-0911")
        harness.ok("user", "enable", "a.clerk", "--data", self.data)
        self.assertEqual(other.sign_in("a.clerk", clerk["password"]).status, 201)
        harness.ok("user", "disable", "a.clerk", "--data", self.data)
        self.assertEqual(other.call("GET", "/session").status, 401)

        # No secret is in the log, and all of it is in the audit.
        served.stop()
        log = self.workspace.path("serve.log").read_text() + "".join(
            p.read_text() for p in self.data.glob("log/*.log"))
        for secret in (admin["password"], new, clerk["password"], begun["secret"], client.csrf):
            self.assertNotIn(secret, log)
        report = json.loads(harness.ok("audit", "verify", "--data", self.data, "--format", "json").out)
        self.assertTrue(report["ok"])
        self.assertGreaterEqual(report["entries"], 14)
        self.assertGreaterEqual(report["roots"], 3)
        actions = self.sql("SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM canbao.audit_entry").split()
        for action in ("account.add", "account.change", "account.password", "account.second_factor",
                       "session.open", "session.close"):
            self.assertIn(action, actions)

        # Whatever is done to it shows.
        self.sql("SET session_replication_role = replica; "
                 "UPDATE canbao.audit_entry SET account = 'somebody.else' WHERE action = 'session.close'")
        found = harness.run("audit", "verify", "--data", self.data, "--format", "json")
        self.assertEqual(found.code, harness.REFUSED)
        self.assertEqual([f["code"] for f in json.loads(found.out)["findings"]], ["entry_changed"])
        self.assertIn("CB-APP-0029", found.err)
        self.sql("SET session_replication_role = replica; DELETE FROM canbao.audit_entry; "
                 "DELETE FROM canbao.audit_root; DELETE FROM canbao.audit_sealed; DELETE FROM canbao.audit_chain")
        found = harness.run("audit", "verify", "--data", self.data)
        self.assertEqual(found.code, harness.REFUSED)
        self.assertIn("chain_missing", found.out)

    def test_the_words_of_the_command(self):
        user_add(self.data, "li.na", "operator", "330106")
        listed = json.loads(harness.ok("user", "list", "--data", self.data, "--format", "json").out)
        self.assertEqual([(u["account"], u["division"], u["roles"]) for u in listed],
                         [("li.na", "330106000000", ["operator"])])
        again = harness.run("user", "add", "li.na", "--data", self.data, "--name", "x", "--role", "clerk",
                            "--division", "33")
        self.assertEqual((again.code, "CB-REGISTER-0931" in again.err), (harness.REFUSED, True), str(again))
        mixed = harness.run("user", "add", "mixed", "--data", self.data, "--name", "x", "--role", "clerk",
                            "--role", "audit_administrator", "--division", "33")
        self.assertEqual((mixed.code, "CB-REGISTER-0932" in mixed.err), (harness.REFUSED, True), str(mixed))
        nowhere = harness.run("user", "add", "nowhere", "--data", self.data, "--name", "x", "--role", "clerk",
                              "--division", "hangzhou")
        self.assertEqual((nowhere.code, "CB-APP-0027" in nowhere.err), (harness.USAGE, True), str(nowhere))
        unknown = harness.run("user", "disable", "nobody", "--data", self.data)
        self.assertEqual((unknown.code, "CB-APP-0028" in unknown.err), (harness.REFUSED, True), str(unknown))
        weak = self.workspace.path("password")
        weak.write_text("1234567890\n")
        refused = harness.run("user", "add", "weak", "--data", self.data, "--name", "x", "--role", "clerk",
                              "--division", "33", "--password-file", weak)
        self.assertEqual((refused.code, "CB-REGISTER-0922" in refused.err), (harness.REFUSED, True), str(refused))
        reset = json.loads(harness.ok("user", "reset-password", "li.na", "--data", self.data, "--format", "json").out)
        self.assertRegex(reset["password"], r"^[a-z2-9]{4}(-[a-z2-9]{4}){3}$")
        self.assertTrue(json.loads(harness.ok("audit", "verify", "--data", self.data, "--format", "json").out)["ok"])
        mode = (self.data / "audit/roots.log").stat().st_mode & 0o777
        self.assertEqual(mode, 0o600)
        self.assertEqual((self.data / "keys/audit.key").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    if not os.path.exists(PSQL):
        sys.exit("PostgreSQL 15 is missing: tools/bootstrap.sh run")
    harness.main(sys.modules[__name__])
