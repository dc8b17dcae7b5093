"""The service against those who mean it harm, by the list of OWASP ASVS (docs/security.md says which test
shows which item): sessions, signing in, somebody else's things, requests that are no requests, what answers
give away, what leaves in files.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import socket
import sys
import unittest
import zipfile

import harness
import service

PERSONS = 2000
WRONG = "not-the-password-at-all"
PROBLEM = "application/problem+json"


def raw(server, text, more=b"", seconds=30) -> bytes:
    """What is answered to these bytes, until the connection is closed or nothing more comes."""
    got = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as s:
        s.sendall(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
        try:
            if more:
                s.sendall(more)
            while piece := s.recv(65536):
                got += piece
                head, _, body = got.partition(b"\r\n\r\n")
                if length := re.search(rb"content-length: (\d+)", head.lower()):
                    if len(body) >= int(length[1]):
                        break
        except (ConnectionError, socket.timeout):
            pass
    return got


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


WORLD = None


class World:
    """A register with people in several divisions, served; one for all tests."""

    def __init__(self):
        self.workspace = harness.Workspace("security")
        unittest.addModuleCleanup(self.workspace.close)
        self.data = self.workspace.data()
        self.offered = self.workspace.path("offered")
        self.offered.mkdir()
        harness.demo(self.offered / "q3", PERSONS, "--errors", "hard", "--seed", 5)
        harness.compare(self.offered / "q3", self.data)
        self.web = self.workspace.path("web")
        (self.web / "assets").mkdir(parents=True)
        (self.web / "index.html").write_text("<!doctype html><title>console</title>")
        (self.web / "assets/app-0a1b.js").write_text("export {}")
        (self.web.parent / "secret.txt").write_text("not yours")
        self.people = service.People(self.data)
        for account, role, division in (
                ("prov", "operator", "330000"), ("city", "operator", "330100"), ("mate", "operator", "330100"),
                ("other", "operator", "330200"), ("review", "reviewer", "330200"), ("clerk", "clerk", "330106"),
                ("leader", "leader", "330000"), ("forger", "clerk", "330100"), ("locked", "clerk", "330100"),
                ("sys", "system_administrator", "330000"), ("sec", "security_administrator", "330000"),
                ("aud", "audit_administrator", "330100"), ("nation", "operator", "00")):
            self.people.add(account, role, division=division)
        self.signed_in = {}
        self.serve()
        unittest.addModuleCleanup(lambda: self.server.running() and self.server.stop())

    def serve(self, *more, port=0):
        self.server = service.Server(self.data, "--deliveries", self.offered, "--web", self.web, "--address-rate", "0",
                                     *more, port=port)
        for client in self.signed_in.values():
            client.server = self.server


def setUpModule():
    global WORLD
    WORLD = World()


class Secured(unittest.TestCase):
    data = property(lambda self: WORLD.data)
    offered = property(lambda self: WORLD.offered)
    people = property(lambda self: WORLD.people)
    server = property(lambda self: WORLD.server)

    def who(self, account) -> service.Client:
        if account not in WORLD.signed_in:
            WORLD.signed_in[account] = self.people.sign_in(self.server, account)
        return WORLD.signed_in[account]

    def fresh(self, account) -> service.Client:
        return self.people.sign_in(self.server, account)


class Sessions(Secured):
    def test_a_planted_session_is_not_taken_over(self):
        planted = service.COOKIE + "=" + "a" * 64
        client = service.Client(self.server)
        client.cookie = planted
        client.sign_in("clerk", self.people.password("clerk"))
        self.assertNotEqual(client.cookie, planted)
        attacker = service.Client(self.server)
        attacker.cookie = planted
        self.assertEqual(attacker.call("GET", "/session").status, 401)
        # Nor is a session of before: whoever signs in leaves it.
        before = client.cookie
        client.sign_in("clerk", self.people.password("clerk"))
        attacker.cookie = before
        self.assertEqual(attacker.call("GET", "/session").status, 401)
        self.assertEqual(client.call("GET", "/session").status, 200)
        # A session stands in a cookie only.
        token = client.cookie.split("=")[1]
        for headers, path in (({"Authorization": f"Bearer {token}"}, "/session"), ({}, f"/session?{client.cookie}"),
                              ({"X-Session": token}, "/session")):
            self.assertIn(service.Client(self.server).call("GET", path, headers=headers).status, (400, 401))

    def test_flags_of_the_cookie(self):
        for proto, secure in (("http", False), ("https", True)):
            client = service.Client(self.server)
            answer = client.call("POST", "/session", {"account": "clerk", "password": self.people.password("clerk")},
                                 {"X-Forwarded-Proto": proto})
            words = [w.strip() for w in answer.headers["Set-Cookie"].split(";")]
            self.assertRegex(words[0], r"^canbao_session=[0-9a-f]{64}$")
            self.assertLessEqual({"HttpOnly", "SameSite=Strict", "Path=/"}, set(words))
            self.assertEqual("Secure" in words, secure)
            self.assertFalse([w for w in words if w.startswith(("Domain", "Expires", "Max-Age"))])
            self.assertNotIn(words[0].split("=")[1].encode(), answer.body)

    def test_signing_out_ends_it(self):
        client, copy = self.fresh("clerk"), service.Client(self.server)
        copy.cookie, copy.csrf = client.cookie, client.csrf
        out = client.call("DELETE", "/session", expect=204)
        self.assertIn("Max-Age=0", out.headers["Set-Cookie"])
        self.assertEqual(copy.call("GET", "/session").status, 401)
        self.assertEqual(copy.call("POST", "/persons/search", {"by": "name", "value": "王", "purpose": "no"}).status, 401)

    def test_at_most_five_and_they_end(self):
        clients = [self.fresh("forger") for _ in range(6)]
        self.assertEqual([c.call("GET", "/session").status for c in clients], [401, 200, 200, 200, 200, 200])
        listed = clients[5].get("/sessions")["items"]
        self.assertEqual((len(listed), sum(s["current"] for s in listed)), (5, 1))
        # One of them is ended from another; nobody else's can be.
        victim = next(s["id"] for s in listed if not s["current"])
        self.assertEqual(self.who("city").call("DELETE", f"/sessions/{victim}").status, 404)
        clients[5].call("DELETE", f"/sessions/{victim}", expect=204)
        self.assertEqual(sum(c.call("GET", "/session").status == 200 for c in clients), 4)
        # Half an hour without a request, half a day in any case.
        for column in ("idle_until", "expires_at"):
            client = self.fresh("forger")
            token = client.cookie.split("=")[1]
            service.sql(self.data, f"UPDATE canbao.session SET {column} = now() - interval '1 second' "
                                   f"WHERE token_hash = sha256(convert_to('{token}', 'UTF8'))")
            self.assertEqual(client.call("GET", "/session").status, 401, column)
        idle = service.sql(self.data, "SELECT max(idle_until - last_seen_at) <= interval '30 minutes', "
                                      "max(expires_at - created_at) <= interval '12 hours' FROM canbao.session "
                                      "WHERE kind = 'browser'")
        self.assertEqual(idle, "t|t")

    def test_tokens_and_passwords_are_kept_as_digests(self):
        token = self.fresh("clerk").cookie.split("=")[1]
        self.assertEqual(service.sql(self.data, f"SELECT count(*) FROM canbao.session s WHERE s::text LIKE '%{token}%'"),
                         "0")
        self.assertEqual(service.sql(self.data, "SELECT count(*) FROM canbao.account WHERE password_hash "
                                                "NOT LIKE '$argon2id$v=19$m=65536,%'"), "0")
        number = self.who("city").get("/lists/uncovered?limit=1")["rows"][0]["person_key"]
        clear = self.who("city").post(f"/persons/{number}/reveal", {"purpose": "to compare"})["number"]
        self.assertEqual(len(clear), 18)
        self.assertEqual(service.sql(self.data, f"SELECT count(*) FROM canbao.person_row p WHERE p::text LIKE '%{clear}%' "
                                                f"OR encode(p.number, 'escape') LIKE '%{clear}%'"), "0")


class SigningIn(Secured):
    def attempt(self, account, password=WRONG):
        answer = service.Client(self.server).call("POST", "/session", {"account": account, "password": password})
        said = answer.json()
        said.pop("instance", None)
        return answer.status, said, sorted(k.lower() for k in answer.headers.keys())

    def test_who_has_an_account_is_not_told(self):
        # The same words, the same headers, the same lock behind as many attempts.
        known = [self.attempt("locked") for _ in range(7)]
        unknown = [self.attempt("nobody.at.all") for _ in range(7)]
        self.assertEqual([k[0] for k in known][:1], [401])
        self.assertEqual([(k[0], k[1]["code"], k[2]) for k in known], [(u[0], u[1]["code"], u[2]) for u in unknown])
        self.assertEqual(known[0], unknown[0])
        self.assertEqual(known[-1][1]["code"], "CB-REGISTER-0911")
        # Locked: the right password does not open it, and is not told from a wrong one.
        right = self.attempt("locked", self.people.password("locked"))
        self.assertEqual((right[0], right[1]["code"]), (known[-1][0], "CB-REGISTER-0911"))
        locked = service.sql(self.data, "SELECT locked_until > now() + interval '14 minutes' FROM canbao.account "
                                        "WHERE account = 'locked'")
        self.assertEqual(locked, "t")
        # The second factor is asked of those only who know the password.
        self.assertEqual(self.attempt("sys")[1]["code"], "CB-REGISTER-0910")
        self.assertEqual(self.attempt("sys", self.people.password("sys"))[1]["code"], "CB-REGISTER-0912")

    def test_rules_of_passwords(self):
        client = self.fresh("mate")
        old = self.people.password("mate")
        self.assertEqual(client.call("PUT", "/session/password", {"old": old, "new": "nine-sign"}).status, 400)
        for new, code in (("matematemate", "CB-REGISTER-0921"),
                          ("1234567890", "CB-REGISTER-0922"), ("aaaaaaaaaaaa", "CB-REGISTER-0923"),
                          (old, "CB-REGISTER-0924")):
            answer = client.call("PUT", "/session/password", {"old": old, "new": new})
            self.assertEqual((answer.status, answer.code), (422, code), new)
        self.assertIn(client.call("PUT", "/session/password", {"old": WRONG, "new": "a lantern in the fog"}).status,
                      (401, 403, 422))
        # 64 characters and more, blanks and every script are taken; the other sessions end.
        second = self.fresh("mate")
        new = "纸船 and a lantern in the fog, with more than sixty-four signs of all kinds"
        client.call("PUT", "/session/password", {"old": old, "new": new}, expect=204)
        self.assertEqual(second.call("GET", "/session").status, 401)
        self.assertEqual(client.call("GET", "/session").status, 200)
        self.people.made["mate"]["password"] = new
        self.assertEqual(self.attempt("mate", new)[0], 201)
        self.assertEqual(self.attempt("mate", new[:64])[0], 401, "all of it counts")

    def test_requests_of_other_sites(self):
        words = {"account": "clerk", "password": self.people.password("clerk")}
        client = service.Client(self.server)
        cross = client.call("POST", "/session", words, {"Sec-Fetch-Site": "cross-site"})
        self.assertEqual((cross.status, cross.code), (403, "CB-SERVICE-0106"))
        city = self.who("city")
        for csrf in (None, "", "0" * 64, self.who("prov").csrf):
            headers = {"X-CSRF-Token": csrf} if csrf is not None else {}
            thief = service.Client(self.server)
            thief.cookie = city.cookie
            answer = thief.call("POST", "/saved-filters", {"name": "x", "list": "uncovered", "query": {}}, headers)
            self.assertEqual((answer.status, answer.code), (403, "CB-SERVICE-0102"), csrf)
        # What a form of another site can send is no JSON of ours.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = client.call("POST", "/session", words, {"Content-Type": kind})
            self.assertEqual(answer.status, 415, kind)
        # No other origin is let in.
        for origin in ("https://evil.example", "null"):
            answer = city.call("GET", "/session", headers={"Origin": origin})
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
            self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])
        self.assertEqual(city.call("OPTIONS", "/session", headers={
            "Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}).status, 405)


class Others(Secured):
    """What is somebody else's: of another account, of another division."""

    def things_of(self, account) -> dict[str, list[str]]:
        c = self.who(account)
        job = c.post("/exports", {"list": "to-verify", "format": "csv", "purpose": f"of {account}"}, expect=202)["id"]
        c.done(job)
        made = c.post("/deliveries", {"folder": str(self.offered / "q3"), "name": f"of {account}"}, expect=201)
        c.done(made["job"]["id"])
        upload = c.upload(f"{account}.csv", b"abc")
        mine = c.post("/saved-filters", {"name": account, "list": "uncovered", "query": {}}, expect=201)["id"]
        return {"jobs": [job, made["job"]["id"]], "deliveries": [made["id"]], "uploads": [upload],
                "saved-filters": [mine]}

    def each(self, document, kind, thing):
        """(method, path, body) of every operation on one thing."""
        for template, item in document["paths"].items():
            if not template.startswith(f"/{kind}/{{"):
                continue
            path = re.sub(r"^/[a-z-]+/\{[a-z]+\}", f"/{kind}/{thing}", template)
            path = path.replace("{file}", "0").replace("{evidence}", "1")
            for method, operation in item.items():
                query = "&".join(f"{p['name']}=0" for p in operation.get("parameters", [])
                                 if p.get("in") == "query" and p.get("required"))
                yield operation["operationId"], method.upper(), path + (f"?{query}" if query else "")

    BODIES = {"revealPerson": {"purpose": "to see"}, "putMapping": {"columns": {}},
              "decideDelivery": {"decision": "refuse"}, "stepCase": {"action": "comment", "note": "x"}}

    def refused(self, stranger, document, kind, thing, also=()):
        asked = 0
        for operation, method, path in self.each(document, kind, thing):
            raw_body = b"x" if operation in ("putPart", "addEvidence") else None
            answer = self.who(stranger).call(method, path, self.BODIES.get(operation), {"If-Match": '"1"'}, raw=raw_body)
            self.assertIn(answer.status, (404, *also), f"{operation} of {thing} by {stranger}: {answer}")
            self.assertEqual(answer.headers["Content-Type"], PROBLEM)
            asked += 1
        return asked

    def test_things_of_another_account_and_division(self):
        document = self.who("city").get("/openapi.json")
        city = self.things_of("city")
        self.assertGreater(sum(self.refused("other", document, kind, thing) for kind, things in city.items()
                               for thing in things), 18)
        # Of the same division: exports, uploads and filters stay one's own.
        job = city["jobs"][0]
        for kind, thing in (("jobs", job), ("uploads", city["uploads"][0]), ("saved-filters", city["saved-filters"][0])):
            self.refused("mate", document, kind, thing)
        # Of the country, whose division is 0: not of those who hold a province.
        nation = self.things_of("nation")
        for kind, things in nation.items():
            for thing in things:
                self.refused("prov", document, kind, thing)
        for stranger in ("other", "mate", "prov"):
            client = self.who(stranger)
            self.assertNotIn(nation["jobs"][0], [j["id"] for j in client.get("/jobs")["items"]])
            self.assertFalse({e["by"] for e in client.get("/exports")["items"]} - {stranger})
        # An auditor sees the exports of the division, and gets none of them.
        listed = self.who("aud").get("/exports")["items"]
        self.assertIn(job, [e["job"] for e in listed])
        self.assertNotIn("nation", {e["by"] for e in listed})
        self.assertEqual(self.who("aud").call("GET", f"/jobs/{job}/result").status, 403)
        # Nothing was changed by all the asking.
        self.assertEqual(self.who("city").get(f"/jobs/{job}")["state"], "done")
        self.assertEqual(self.who("city").get(f"/deliveries/{city['deliveries'][0]}")["state"], "profiled")
        self.assertEqual(self.who("city").get(f"/uploads/{city['uploads'][0]}")["state"], "complete")
        # Somebody else's upload makes no delivery of mine, and his delivery no comparison.
        taken = self.who("other").call("POST", "/deliveries", {"uploads": city["uploads"], "name": "x"})
        self.assertIn(taken.status, (404, 422), taken)
        taken = self.who("other").call("POST", "/comparisons", {"deliveries": city["deliveries"]})
        self.assertIn(taken.status, (403, 404), taken)

    def test_persons_and_cases_of_another_division(self):
        document = self.who("city").get("/openapi.json")
        ours = set(service.sql(self.data, "SELECT person_key FROM canbao.person_row WHERE valid_to = 'infinity' AND "
                                          "county / 100 = 3301 AND hukou / 100000000 = 3301 AND coalesce(residence, 0) "
                                          "/ 100000000 IN (0, 3301) LIMIT 20").split())
        self.assertGreater(len(ours), 5)
        for key in sorted(ours)[:5]:
            self.assertEqual(self.who("city").call("GET", f"/persons/{key}").status, 200)
            self.assertGreaterEqual(self.refused("other", document, "persons", key), 3)
        # As one that does not exist.
        there = self.who("other").call("GET", f"/persons/{sorted(ours)[0]}").json()
        never = self.who("other").call("GET", "/persons/99999999").json()
        there.pop("instance"), never.pop("instance")
        self.assertEqual(there, never)
        seen = {c["id"] for c in self.who("other").get("/cases?limit=200")["items"]}
        hidden = [c["id"] for c in self.who("prov").get("/cases?limit=200")["items"] if c["id"] not in seen]
        self.assertTrue(hidden)
        own = service.sql(self.data, "SELECT case_id FROM canbao.case c WHERE county / 100 = 3301 AND region / 100 <> "
                                     "3302 AND division / 100000000 <> 3302 AND NOT EXISTS (SELECT FROM unnest(regions) r "
                                     "WHERE r / 100 = 3302) LIMIT 3").split()
        for case in own:
            self.assertGreaterEqual(self.refused("other", document, "cases", case, also=(403,)), 3)

    def test_review_of_another_division(self):
        everything = self.who_reviews("330000")
        theirs = self.who_reviews("330200")
        items = lambda page: {row["candidate"] for row in page["rows"]}
        self.assertLessEqual(items(theirs), items(everything))
        strange = [row for row in everything["rows"] if row["candidate"] not in items(theirs)]
        self.assertTrue(strange, "the delivery leaves something to be decided elsewhere")
        answer = self.who("review").call("POST", "/review", {"decisions": [
            {"row": strange[0]["row"], "candidate": strange[0]["candidate"], "decision": "same"}]})
        self.assertEqual(answer.status, 422)

    def who_reviews(self, division):
        account = {"330000": "prov", "330200": "review"}[division]
        return self.who(account).get("/review?limit=200")

    def test_what_roles_may_not(self):
        # Figures without persons, administrators without anything about them.
        for account in ("leader", "sys", "sec", "aud"):
            for path in ("/lists/uncovered", "/persons/1", "/cases", "/review", "/forms/2-1/people?column=1"):
                self.assertEqual(self.who(account).call("GET", path).status, 403, f"{path} as {account}")
        # Nobody gives himself a role, and who may make accounts cannot put them into force.
        made = self.who("sys").post("/users", {"account": "new.one", "name": "新", "roles": ["operator"],
                                               "division": "330100"}, expect=201)
        user = made.get("user", made)["id"]
        for account, change in (("sys", {"disabled": False}), ("sys", {"roles": ["reviewer"]})):
            self.assertEqual(self.who(account).call("PATCH", f"/users/{user}", change).status, 403)
        own = {u["account"]: u["id"] for u in self.who("sec").get("/users")["items"]}
        self.assertEqual(self.who("sec").call("PATCH", f"/users/{own['sec']}", {"roles": ["operator"]}).status, 403)

    def test_more_than_was_asked_for_is_refused(self):
        sys_, city = self.who("sys"), self.who("city")
        user = {"account": "mass.one", "name": "x", "roles": ["clerk"], "division": "330100"}
        for more in ({"disabled": False}, {"waiting": False}, {"account_id": 1}, {"password_hash": "x"}):
            self.assertEqual(sys_.call("POST", "/users", {**user, **more}).status, 400, more)
        export = {"list": "to-verify", "format": "csv", "purpose": "mass"}
        for more in ({"account_id": 1}, {"by": "prov"}, {"division": "330000"}, {"watermark": ""}):
            self.assertEqual(city.call("POST", "/exports", {**export, **more}).status, 400, more)
        self.assertEqual(city.call("POST", "/saved-filters", {"name": "x", "list": "uncovered", "query": {},
                                                              "account_id": 1}).status, 400)
        self.assertEqual(city.call("GET", "/home?account_id=1").status, 400)
        self.assertEqual(city.call("GET", "/home?division=330100&division=330200").status, 400)
        # Of every body of the contract.
        document = city.get("/openapi.json")

        def resolve(at):
            while "$ref" in at:
                found = document
                for word in at["$ref"].removeprefix("#/").split("/"):
                    found = found[word]
                at = found
            return at
        for path, item in document["paths"].items():
            for operation in item.values():
                if "requestBody" not in operation:
                    continue
                content = resolve(operation["requestBody"])["content"]
                if "application/json" in content:
                    schema = resolve(content["application/json"]["schema"])
                    self.assertIs(schema.get("additionalProperties"), False, operation["operationId"])


class Requests(Secured):
    def test_headers_that_every_answer_carries(self):
        city = self.who("city")
        asked = [("GET", "/session", None), ("GET", "/persons/99999999", None), ("GET", "/nothing", None),
                 ("DELETE", "/home", None), ("POST", "/exports", {})]
        answers = [city.call(*a) for a in asked] + [service.Client(self.server).call("GET", "/home")]
        for path in ("/", "/assets/app-0a1b.js", "/missing.js"):
            c = http.client.HTTPConnection(self.server.address, timeout=30)
            c.request("GET", path)
            got = c.getresponse()
            answers.append(service.Answer(got.status, got.headers, got.read()))
            c.close()
        for answer in answers:
            h = answer.headers
            self.assertEqual(h["X-Content-Type-Options"], "nosniff")
            self.assertEqual(h["X-Frame-Options"], "DENY")
            self.assertEqual(h["Referrer-Policy"], "no-referrer")
            for word in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'",
                         "frame-ancestors 'none'", "form-action 'self'"):
                self.assertIn(word, h["Content-Security-Policy"])
            self.assertNotIn("unsafe-eval", h["Content-Security-Policy"])
            for header in ("Server", "X-Powered-By", "Via"):
                self.assertIsNone(h[header], header)

    def test_what_is_about_persons_is_not_cached(self):
        city = self.who("city")
        key = city.get("/lists/uncovered?limit=1")["rows"][0]["person_key"]
        job = city.post("/exports", {"list": "rejects", "format": "csv", "purpose": "cache"}, expect=202)["id"]
        city.done(job)
        for method, path, body in (("GET", f"/persons/{key}", None), ("GET", "/lists/uncovered", None),
                                   ("POST", "/persons/search", {"by": "name", "value": "王", "purpose": "at the desk"}),
                                   ("POST", f"/persons/{key}/reveal", {"purpose": "at the desk"}),
                                   ("GET", f"/jobs/{job}/result", None), ("GET", "/cases", None), ("GET", "/home", None),
                                   ("GET", "/review", None), ("GET", "/session", None), ("GET", "/exports", None)):
            answer = city.call(method, path, body, expect=200)
            self.assertEqual(answer.headers["Cache-Control"], "no-store", path)
        # Nor is it in an address: a search is a POST, and what is looked for stands in no log.
        self.assertEqual(city.call("GET", "/persons/search?value=x").status, 405)

    def test_paths_lead_nowhere_else(self):
        for path in ("/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt",
                     "/assets/%2e%2e%2f%2e%2e%2fsecret.txt", "/..%5csecret.txt", "//etc/passwd", "/%00index.html",
                     "/assets/....//....//secret.txt", "/.git/config", "/assets/.hidden", "/%c0%ae%c0%ae/secret.txt"):
            answer = raw(self.server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(status_of(answer), (200, 400, 404), path)
            self.assertNotIn(b"not yours", answer, path)
            self.assertNotIn(b"root:", answer, path)
            if status_of(answer) == 200:
                self.assertIn(b"<title>console</title>", answer, path)
        # A folder is not listed.
        listing = raw(self.server, "GET /assets/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertNotIn(b"app-0a1b.js", listing)
        city = self.who("city")
        for name, kept in (("../../../etc/cron.d/x", "x"), ("..\\..\\boot.ini", "boot.ini"), ("/etc/passwd", "passwd"),
                           (".htaccess", "htaccess"), ("a\u0000b.csv", None), ("..", None), ("a\r\nSet-Cookie: x=1", None)):
            answer = city.call("POST", "/uploads", {"name": name, "size": 3})
            self.assertIn(answer.status, (201, 400, 422), name)
            if answer.status == 201:
                self.assertNotRegex(answer.json()["name"], r"[/\\\x00-\x1f]|^\.")
                if kept:
                    self.assertEqual(answer.json()["name"], kept)
        self.assertFalse([p for p in (self.data / "uploads").glob("*/*") if p.name != "data"])
        for name in ("..%2f..%2fkeys%2faudit.key", "rules%2f..%2f..%2fkeys", "%2fetc%2fpasswd", "..", "access/roles.toml"):
            answer = city.call("GET", f"/policy/{name}")
            self.assertIn(answer.status, (400, 404), name)

    def test_lines_cannot_be_broken_into(self):
        city = self.who("city")
        case = city.get("/cases?limit=1")["items"][0]["id"]
        name = "a%0d%0aSet-Cookie:%20planted=1%0d%0a%22;x=%22.txt"
        made = city.call("POST", f"/cases/{case}/evidence?name={name}", raw=b"seen")
        self.assertIn(made.status, (201, 400, 422))
        if made.status == 201:
            evidence = made.json()["evidence"][-1]["id"]
            got = city.call("GET", f"/cases/{case}/evidence/{evidence}", expect=200)
            self.assertIsNone(got.headers["Set-Cookie"])
            self.assertIn("attachment", got.headers["Content-Disposition"])
        for text in ("GET /api/v1/session%0d%0aX-Planted:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     "GET /%0d%0aX-Planted:%201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: 1\r\nCookie: canbao_session=a%0d%0aX-Planted: 1\r\n"
                     "Connection: close\r\n\r\n"):
            self.assertNotIn(b"\r\nX-Planted", raw(self.server, text))
        # Nor lines of the log.
        city.call("GET", "/session", headers={"User-Agent": "x\tforged request 1 GET /home 200"})
        service.Client(self.server).sign_in("forged\nline 2026", WRONG)
        self.assertNotIn("forged", self.server.logged())

    def test_requests_that_are_none(self):
        host = "Host: x\r\nConnection: close\r\n"
        post = "POST /api/v1/session HTTP/1.1\r\nContent-Type: application/json\r\n"
        for what, text, expected in (
                ("no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
                ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
                ("header of 20 KiB", f"GET / HTTP/1.1\r\n{host}X-Large: {'a' * 20000}\r\n\r\n", {431}),
                ("target of 20 KiB", f"GET /{'a' * 20000} HTTP/1.1\r\n{host}\r\n", {400, 414, 431}),
                ("body of 17 MiB", f"{post}{host}Content-Length: 17825792\r\n\r\n", {413}),
                ("two lengths", f"{post}{host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}", {400}),
                ("length and chunks", f"{post}{host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
                ("a length that is none", f"{post}{host}Content-Length: -1\r\n\r\n", {400}),
                ("chunks that are none", f"{post}{host}Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
                ("a blank before the colon", f"GET / HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n", {400}),
                ("folded header", f"GET / HTTP/1.1\r\n{host}X-A: b\r\n c\r\n\r\n", {200, 400}),
                ("HTTP/3.9", f"GET / HTTP/3.9\r\n{host}\r\n", {400}),
                ("TRACE", f"TRACE / HTTP/1.1\r\n{host}\r\n", {405}),
                ("CONNECT", f"CONNECT example.org:443 HTTP/1.1\r\n{host}\r\n", {400, 404, 405}),
                ("another host's address", f"GET http://example.org/ HTTP/1.1\r\n{host}\r\n", {200, 400, 404}),
                ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {0, 400})):
            with self.subTest(what):
                answer = raw(self.server, text)
                self.assertIn(status_of(answer), expected, answer[:300])
        for what, body in (("deep", "[" * 5000 + "]" * 5000), ("no JSON", '{"account": "a", '), ("two values", "{} {}"),
                           ("a number", "1"), ("NaN", '{"account": NaN, "password": "x"}'),
                           ("U+0000", '{"account": "a\\u0000b", "password": "x"}'),
                           ("no UTF-8", b'{"account": "\xff\xfe", "password": "x"}'),
                           ("a long word", json.dumps({"account": "a" * 100000, "password": "b"}))):
            with self.subTest(what):
                answer = service.Client(self.server).call("POST", "/session", raw=body.encode() if isinstance(body, str)
                                                          else body, headers={"Content-Type": "application/json"})
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (400, PROBLEM), answer)
        self.assertEqual(self.who("city").call("GET", "/session").status, 200, "it goes on")

    def test_many_slow_ones_stop_nobody(self):
        slow = []
        for _ in range(200):
            s = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
            s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX-Slow: ")
            slow.append(s)
        for _ in range(10):
            self.assertEqual(self.who("city").call("GET", "/session").status, 200)
        for s in slow:
            s.close()

    def test_errors_tell_nothing(self):
        city = self.who("city")
        said = []
        for method, path, body in (
                ("GET", "/lists/uncovered?after=%27%3B--", None), ("GET", "/lists/uncovered?cutoff=2017-02-31", None),
                ("GET", "/persons/9999999999999999999", None), ("GET", "/cases/9223372036854775808", None),
                ("GET", "/jobs/0", None), ("POST", "/persons/search", {"by": "name", "value": "'; DROP TABLE x; --",
                                                                       "purpose": "no harm"}),
                ("POST", "/persons/search", {"by": "number", "value": "%_\\", "purpose": "no harm"}),
                ("POST", "/deliveries", {"folder": "/etc/shadow"}), ("GET", "/forms/2-1?division=999999", None),
                ("GET", "/lists/uncovered?page=9999999999", None), ("GET", "/audit", None)):
            answer = city.call(method, path, body)
            self.assertLess(answer.status, 500, f"{path}: {answer}")
            said.append(answer.body.decode())
        for text in said:
            self.assertNotRegex(text, r"(?i)select |syntax error|postgres|libpq|\.cc:|/tmp/|canbao\.[a-z_]+\b|exception")

    def test_only_a_trusted_proxy_says_who_the_client_is(self):
        forged = {"X-Forwarded-For": "203.0.113.9"}
        words = {"account": "clerk", "password": self.people.password("clerk")}

        def address(server):
            client = service.Client(server)
            answer = client.call("POST", "/session", words, forged, expect=201)
            client.cookie = answer.headers["Set-Cookie"].split(";")[0]
            return [s["address"] for s in client.get("/sessions")["items"] if s["current"]][0]
        self.assertEqual(address(self.server), "127.0.0.1")
        port = self.server.port
        self.server.stop()
        WORLD.serve("--trusted-proxy", "127.0.0.1", port=port)
        self.assertEqual(address(self.server), "203.0.113.9")
        self.server.stop()
        WORLD.serve(port=port)
        done = harness.run("serve", "--data", self.data, "--trusted-proxy", "everybody")
        self.assertEqual(done.code, harness.USAGE)


class Leaving(Secured):
    """What leaves in files."""

    def test_cells_are_no_formulas(self):
        keys = service.sql(self.data, "SELECT person_key FROM canbao.classification_row WHERE flags & 32 <> 0 AND county / "
                                      "100 = 3301 ORDER BY 1 LIMIT 4").split()
        for key, name in zip(keys, ("=HYPERLINK(1)", "+1+1", "@SUM(A1)", "-2+3")):
            service.sql(self.data, f"UPDATE canbao.person_row SET name = '{name}' WHERE person_key = {key}")
        city = self.who("city")
        for form in ("csv", "xlsx"):
            job = city.post("/exports", {"list": "to-verify", "format": form, "purpose": "=1+1", "clear": True},
                            expect=202)["id"]
            city.done(job)
            body = city.call("GET", f"/jobs/{job}/result", expect=200).body
            if form == "csv":
                cells = [cell for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))) for cell in row]
                self.assertIn("'=HYPERLINK(1)", cells)
                dangerous = [c for c in cells if re.match(r"[=+@\t\r]|-\D|-\d.*\D", c) and not re.match(r"-[\d.]+$", c)]
                self.assertEqual(dangerous, [])
            else:
                with zipfile.ZipFile(io.BytesIO(body)) as z:
                    sheet = z.read("xl/worksheets/sheet1.xml")
                self.assertNotIn(b"<f>", sheet)
                self.assertIn(b"=HYPERLINK(1)", sheet)

    def test_files_of_exports_do_not_stay(self):
        city = self.who("city")
        job = city.post("/exports", {"list": "rejects", "format": "csv", "purpose": "to expire"}, expect=202)["id"]
        city.done(job)
        listed = lambda: next(e for e in city.get("/exports")["items"] if e["job"] == job)
        self.assertEqual(listed()["expired"], False)
        kept = service.sql(self.data, f"SELECT expires_at - now() > interval '29 days' FROM canbao.export WHERE job_id = {job}")
        self.assertEqual(kept, "t")
        at = self.data / "jobs" / job
        self.assertTrue(list(at.glob("export.*")))
        service.sql(self.data, f"UPDATE canbao.export SET expires_at = now() - interval '1 second' WHERE job_id = {job}")
        # At once it is not given out any more; with the next round of the house it is gone.
        self.assertEqual(city.call("GET", f"/jobs/{job}/result").status, 404)
        self.assertEqual(listed()["expired"], True)
        port = self.server.port
        self.server.stop()
        WORLD.serve(port=port)
        service.until(lambda: not at.exists(), 30, "the end of the file")
        self.assertEqual((listed()["expired"], listed()["purpose"]), (True, "to expire"))
        self.assertEqual(city.call("GET", f"/jobs/{job}/result").status, 404)

    def test_clear_values_are_rationed(self):
        clerk = self.fresh("clerk")
        keys = [row["person_key"] for row in clerk.get("/lists/uncovered?limit=100")["rows"]]
        statuses = [clerk.call("POST", f"/persons/{keys[i % len(keys)]}/reveal", {"purpose": "at the desk"}).status
                    for i in range(90)]
        self.assertEqual(statuses[:50], [200] * 50)
        self.assertIn(429, statuses)
        self.assertEqual(clerk.call("POST", f"/persons/{keys[0]}/reveal", {}).status, 400, "a purpose is needed")

    def test_files_of_the_data_folder_are_the_services_own(self):
        for path in [self.data / "keys", self.data / "jobs", self.data / "uploads", self.data / "log",
                     *(self.data / "keys").iterdir(), *(self.data / "jobs").glob("*/*"), self.data / "audit/roots.log"]:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_nothing_identifying_is_logged(self):
        city = self.who("city")
        key = city.get("/lists/uncovered?limit=1")["rows"][0]["person_key"]
        clear = city.post(f"/persons/{key}/reveal", {"purpose": "to look for it"})
        city.post("/persons/search", {"by": "number", "value": clear["number"], "purpose": "to look for it"})
        city.call("GET", f"/lists/uncovered?after={clear['number']}")
        logged = self.server.logged()
        self.assertNotIn(clear["number"], logged)
        self.assertNotIn(clear["name"], logged)
        self.assertNotIn(city.cookie.split("=")[1], logged)
        self.assertEqual(service.sql(self.data, f"SELECT count(*) FROM canbao.audit_entry e WHERE e::text LIKE "
                                                f"'%{clear['number']}%'"), "0")
        self.assertTrue(service.verified(self.data)["ok"])


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
