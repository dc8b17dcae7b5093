"""The figures of the served API are those of the command: every form of the province, of each city and
of counties, all persons and those of hukou, byte for byte, for whoever holds the province and for whoever
holds only the division; home and the run agree with them. A change of a division that was recorded over
the API is in the next comparison.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import sys
import time
import unittest

import harness
import test_jobs

FORMS = ("2-1", "2-2", "1")
COUNTIES = 3
PERSONS = 3000


def one_time_code(secret):
    """RFC 6238: six digits of the current half minute."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


class ServiceForms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = harness.Workspace("service-forms")
        cls.addClassCleanup(cls.workspace.close)
        cls.data = cls.workspace.data()
        cls.offered = cls.workspace.path("offered")
        cls.offered.mkdir()
        harness.demo(cls.offered / "q3", PERSONS, "--errors", "realistic", "--seed", 11)
        harness.compare(cls.offered / "q3", cls.data)
        cls.passwords, cls.secrets = {}, {}
        cls.server = None
        cls.add_account("province", "leader", "330000")
        cls.add_account("operator", "operator", "330000")
        cls.server = test_jobs.Server(cls.data, cls.offered)
        cls.addClassCleanup(lambda: cls.server.stop())
        cls.province = cls.client("province")
        cls.cities = [d["code"] for d in cls.home(cls.province)["divisions"]
                      if d["code"] != "330000" and (d["values"]["to_verify"] or 0) > 0]
        cls.counties = []
        for city in cls.cities:
            below = cls.home(cls.province, city)["divisions"]
            cls.counties += [d["code"] for d in below
                             if d["code"] != city and (d["values"]["to_verify"] or 0) > 0]
        cls.counties = cls.counties[:COUNTIES]

    @classmethod
    def add_account(cls, account, role, division):
        made = harness.ok("user", "add", account, "--data", cls.data, "--name", account, "--role", role,
                          "--division", division, "--ready", "--format", "json")
        told = json.loads(made.out)
        cls.passwords[account] = told["password"]
        cls.secrets[account] = told.get("totp_secret")

    @classmethod
    def client(cls, account):
        secret = cls.secrets[account]
        return test_jobs.Client(cls.server, account, cls.passwords[account], secret and one_time_code(secret))

    def administrator(self):
        """Signed in, with the second factor that the database insists on."""
        return self.client("system")

    @staticmethod
    def home(client, division=None):
        return client.call("GET", "/home" + (f"?division={division}" if division else ""), expect=200)

    def of_the_command(self, form, division, population, kind):
        out = self.workspace.path(f"expected.{kind}")
        harness.ok("forms", "--data", self.data, "--form", form, "--division", division,
                   "--population", population, "--format", kind, "--out", out)
        return out.read_bytes()

    def of_the_service(self, client, form, division, population, kind):
        status, _, body = client.raw(
            "GET", f"/forms/{form}/file?division={division}&population={population}&format={kind}")
        self.assertEqual(status, 200, body[:300])
        return body

    def test_1_forms_are_those_of_the_command(self):
        self.assertGreaterEqual(len(self.cities), 2)
        self.assertGreaterEqual(len(self.counties), 2)
        for division in ["330000", *self.cities, *self.counties]:
            name = f"of{division}"
            self.add_account(name, "leader", division)
            own = self.client(name)
            for form in FORMS:
                for population in ("all", "hukou"):
                    expected = self.of_the_command(form, division, population, "json")
                    for who, client in (("province", self.province), ("own", own)):
                        self.assertEqual(
                            self.of_the_service(client, form, division, population, "json"), expected,
                            f"form {form} of {division}, {population}, for {who}")

    def test_2_workbooks_have_the_same_bytes(self):
        for division in ("330000", self.cities[0], self.counties[0]):
            for form in FORMS:
                for kind in ("xlsx", "csv"):
                    self.assertEqual(self.of_the_service(self.province, form, division, "all", kind),
                                     self.of_the_command(form, division, "all", kind),
                                     f"{kind} of form {form} of {division}")

    def test_3_home_and_runs_agree_with_the_forms(self):
        form = json.loads(self.of_the_command("2-1", "330000", "all", "json"))["columns"]
        home = self.home(self.province)
        funnel = {step["key"]: step["value"] for step in home["funnel"]}
        self.assertEqual(funnel["to_verify"], form["5"])
        self.assertEqual(funnel["registered"], form["2"] + form["4"] + form["6"])
        self.assertEqual({b["column"]: b["uncovered"] for b in home["branches"]},
                         {c: form[c] for c in ("7", "16", "23", "24", "25")})
        page = self.province.call("GET", "/forms/2-1", expect=200)
        self.assertEqual({c["key"]: c["value"] for c in page["columns"]}, form)
        run = self.province.call("GET", "/runs", expect=200)["items"][0]
        detail = self.province.call("GET", f"/runs/{run['id']}", expect=200)
        self.assertEqual({f["column"]: f["value"] for f in detail["figures"] if f["form"] == "2-1"},
                         {c: v for c, v in form.items() if v is not None})
        for account in detail["accounts"]:
            self.assertEqual(account["rows_in"], account["linked"] + account["unlinked"]
                             + account["rejected"] + account["reference"], account)

    def test_4_what_is_not_ones_own_is_not_there(self):
        own = self.client(f"of{self.cities[0]}")
        for division in ("330000", self.cities[1], "110000", "339900"):
            for path in ("/home?", "/forms/2-1?", "/forms/2-1/file?"):
                status, answer = own.call("GET", f"{path}division={division}")
                self.assertEqual((status, answer["code"]), (404, "CB-SERVICE-0201"), path + division)

    def test_5_a_recorded_change_is_in_the_next_comparison(self):
        self.add_account("system", "system_administrator", "330000")
        county = self.counties[0]
        before = self.province.call("GET", f"/divisions/{county}", expect=200)["name"]
        self.administrator().call("POST", "/division-changes", {
            "kind": "rename", "code": county, "name": before + "新", "date": "2017-11-01",
            "source": "e2e"}, expect=201)
        page = self.province.call("GET", f"/forms/2-1?division={county}", expect=200)
        self.assertEqual(page["division_name"], before + "新")
        manifest = harness.copy_delivery(self.offered / "q3", self.offered / "q4") / "manifest.toml"
        cutoff = self.home(self.province)["cutoff"]
        text = manifest.read_text("utf-8")
        self.assertIn(cutoff, text)
        manifest.write_text(text.replace(cutoff, "2017-12-31"), "utf-8")
        harness.compare(self.offered / "q4", self.data)
        kept = (self.data / "divisions/changes.csv").read_text("utf-8")
        self.assertIn(f"rename,{county},{before}新", kept)
        runs = self.province.call("GET", "/runs", expect=200)["items"]
        self.assertIn(";divisions ", runs[0]["rules"])
        self.assertNotIn(";divisions ", runs[1]["rules"])


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
